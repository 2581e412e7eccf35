"""Images of your own as the subject of a panel: what classes they need is said before anything runs."""

import pytest

import cortexsim as cs


@pytest.fixture(scope="module")
def pictures():
    digits = cs.datasets.digits(6, size=16)
    return digits.drop_vars("label").drop_attrs()


@pytest.mark.parametrize("kind", ["Changes", "Lesions", "EachLesion", "Masking", "Sequences", "HowLong", "Drift"])
def test_panels_that_need_classes_say_so_and_who_does_not_when_they_are_made(kind, small_model, pictures):
    with pytest.raises(ValueError, match=r"images with classes.*one subfolder a class.*cs.explore.Recorder"):
        getattr(cs.explore, kind)(model=small_model, data=pictures, n=6)
