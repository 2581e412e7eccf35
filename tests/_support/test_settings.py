"""One validator for saved settings: former keys are read, and each refusal says what is allowed."""

import pytest

from cortexsim import __version__
from cortexsim._support.settings import Form, listed, number, text, whole_number

FORM = Form(
    {"name": text, "until": whole_number(1, 10)}, {"noise": number(0), "answered": listed}, {"told": "answered"}
)


def test_settings_are_read_as_they_are_written():
    written = FORM.written(name="digits", until=3)
    assert written == {"schema": 1, "version": __version__, "name": "digits", "until": 3}
    assert FORM.read(written) == written


def test_a_key_of_an_earlier_version_is_read_under_its_present_name():
    read = FORM.read({"schema": 1, "name": "digits", "until": 3, "told": [1]})
    assert read["answered"] == [1]
    assert "told" not in read


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"name": "digits", "until": 3}, r"the settings lack \['schema'\]"),
        (
            {"schema": 1, "until": 3},
            r"the settings lack \['name'\]: required are \['schema', 'name', 'until'\], optional",
        ),
        ({"schema": 1, "name": "digits", "untl": 3}, "unknown setting 'untl': .* did you mean 'until'"),
        ({"schema": 1, "name": "digits", "until": 11}, "until must be a whole number from 1 to 10, got 11"),
        ({"schema": 1, "name": "digits", "until": 3, "noise": -1}, "noise must be a number, at least 0, got -1"),
        ({"schema": 2, "version": "9", "renamed": 1}, r"of schema 2 \(written by cortexsim 9\)"),
    ],
)
def test_what_is_not_allowed_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        FORM.read(settings)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (["digits"], "the settings must be a mapping, such as panel.settings, got list"),
        ({"schema": 1, "name": 5, "until": 3}, "name must be text, got 5"),
        ({"schema": 1, "name": "digits", "until": 3, "answered": "x"}, "answered must be a list, got 'x'"),
    ],
)
def test_values_of_another_type_are_refused(settings, match):
    with pytest.raises(TypeError, match=match):
        FORM.read(settings)


def test_settings_without_a_version_of_their_own_need_no_schema():
    part = Form({"name": text}, what="the settings of the subject", versioned=False)
    assert part.read({"name": "digits"}) == {"name": "digits"}
    with pytest.raises(ValueError, match="the settings of the subject lack"):
        part.read({})
