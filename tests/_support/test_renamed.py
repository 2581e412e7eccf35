import inspect

import pytest

import cortexsim as cs
from cortexsim._support.renamed import formerly


@formerly(former="present")
def add(a, *, present=0):
    return a + present


def test_a_former_name_is_the_present_one_and_warns_at_the_line_of_the_caller():
    with pytest.warns(DeprecationWarning, match=r"add\(former=\.\.\.\) is deprecated; write present=") as caught:
        assert add(1, former=2) == 3
    assert caught[0].filename == __file__


def test_a_former_name_with_none_is_the_default():
    with pytest.warns(DeprecationWarning, match="write present="):
        assert add(1, former=None) == 1


def test_both_names_at_once_are_refused():
    with pytest.raises(TypeError, match="got present= and its former name former="):
        add(1, former=2, present=3)


@pytest.mark.parametrize(
    "function",
    [
        cs.simulate,
        cs.sweep,
        cs.brains.compare,
        cs.experiments.run,
        cs.protocols.masking,
        cs.protocols.contrast,
        cs.protocols.noise,
        cs.protocols.occlusion,
        cs.protocols.flash_duration,
        cs.protocols.lesion,
        cs.protocols.rapid_sequence,
    ],
    ids=lambda function: function.__name__,
)
def test_what_had_the_former_name_for_its_report_still_takes_it(function):
    assert {"report", "options"} & set(inspect.signature(function).parameters)
    with pytest.warns(DeprecationWarning, match="write report="), pytest.raises((TypeError, ValueError)):
        function(told=print)
