"""A study lists what is run; an error in it is reported with its line and the allowed values."""

import json

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.sweeps.study import Study, read_study

STUDY = """\
# which occluders does feedback help with?
models = ["digits-tiny"]
data = {name = "digits", occlusion = [0.3, 0.5]}
until = 4
n = 6
seeds = [0, 1]
presentations = [
    "flash",
    "sustained",
]
"""


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_study_is_a_grid(write):
    study = read_study(write(STUDY))
    assert study.n_points == 4
    assert [str(point) for point in study.points()] == [
        "digits-tiny, seed 0, flash",
        "digits-tiny, seed 0, sustained",
        "digits-tiny, seed 1, flash",
        "digits-tiny, seed 1, sustained",
    ]
    assert len({point.key for point in study.points()}) == 4


def test_a_mapping_is_the_same_study(write):
    mapping = {
        "models": ["digits-tiny"],
        "data": {"name": "digits", "occlusion": [0.3, 0.5]},
        "until": 4,
        "n": 6,
        "seeds": [0, 1],
        "presentations": ["flash", "sustained"],
    }
    assert read_study(mapping) == read_study(write(STUDY))


def test_the_same_point_of_another_study_has_the_same_name(write):
    more = read_study(write(STUDY.replace("[0, 1]", "[1, 0, 2]")))
    keys = {point.key for point in read_study(write(STUDY)).points()}
    assert keys < {point.key for point in more.points()}


@pytest.mark.parametrize("change", [("until = 4", "until = 5"), ("n = 6", "n = 7"), ("0.5]", "0.6]")])
def test_what_comes_out_otherwise_has_another_name(write, change):
    one, other = ({point.key for point in read_study(write(text)).points()} for text in (STUDY, STUDY.replace(*change)))
    assert not one & other


def test_another_model_in_the_same_file_has_another_name(write, small_model, tmp_path):
    own = tmp_path / "own.safetensors"
    text = STUDY.replace("digits-tiny", str(own))
    cs.save(small_model, own)
    before = {point.key for point in read_study(write(text)).points()}
    next(small_model.parameters()).data += 1
    cs.save(small_model, own, overwrite=True)
    assert not before & {point.key for point in read_study(write(text)).points()}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds =", "seed =", r"study\.toml, line 6: unknown setting 'seed'.*did you mean 'seeds'"),
        ("until = 4\n", "", r"a study needs \['until'\]; the settings are \['models', 'data', 'until'"),
        ("until = 4", "until = 0", r"line 4: until must be a whole number, at least 1, got 0"),
        ("until = 4", "until = '4'", r"line 4: until must be a whole number, at least 1, got '4'"),
        ("until = 4", "until = 4 4", r"study\.toml is not TOML: .*line 4"),
        ('    "sustained"', '    "sustaned"', r"line 9: cannot read the presentation 'sustaned': allowed are flash"),
        ('    "sustained"', '    "flash"', r"line 8: presentations must be different, but \['flash'\] are repeated"),
        ("seeds = [0, 1]", "seeds = [0, -1]", r"line 6: seeds must be whole numbers of at least 0, got -1"),
        ("seeds = [0, 1]", "seeds = [0, true]", r"seeds must be whole numbers of at least 0, got True"),
        (
            "n = 6",
            f"n = 6\nnoise = [0.5, {10**400}]",
            r"line 6: noise must be numbers of at least 0, got a value of type int",
        ),
        ("seeds = [0, 1]", "seeds = 3", r"line 6: seeds must be a list, got 3"),
        ("seeds = [0, 1]", "seeds = []", r"line 6: the grid has no points: \['seeds'\] are empty"),
        ('["digits-tiny"]', '["digit-tiny"]', r"line 2: unknown model 'digit-tiny'.*did you mean 'digits-tiny'"),
        ('["digits-tiny"]', "[3]", r"line 2: models must be strings, got 3"),
        ("occlusion =", "oclusion =", r"line 3: unknown argument of digits\(\) 'oclusion'.*did you mean 'occlusion'"),
        ("occlusion =", "seed = 3, occlusion =", r"line 3: \['seed'\] of the data are set by the study's n and seeds"),
        ('name = "digits"', 'name = "digit"', r"line 3: unknown data 'digit'.*did you mean 'digits'"),
        ("n = 6", 'n = 6\nsilence = ["V2->V1:9-3"]', r"line 6: cannot read 'V2->V1:9-3': write V2->V1"),
        ("n = 6", 'n = 6\nsilence = ["V2,V2:3"]', r"line 6: 'V2,V2:3' silences something twice"),
        ("n = 6", "n = 6\nnoise = [0.5, nan]", r"line 6: noise must be numbers of at least 0, got nan"),
        ("n = 6", 'n = 6\nrecord = "V1,V1"', r"line 6: V1 is recorded twice"),
        ("n = 6", 'n = 6\ndtype = "half"', r"line 6: unknown dtype 'half'"),
    ],
)
def test_a_mistake_is_reported_with_its_line(write, old, new, message):
    assert old in STUDY
    with pytest.raises(ValueError, match=message):
        read_study(write(STUDY.replace(old, new)))


def test_an_argument_in_a_table_of_its_own_is_found(write):
    text = 'models = ["digits-tiny"]\nuntil = 4\n\n[data]\nname = "digits"\nocclusion = [0.9, 0.5]\n'
    with pytest.raises(ValueError, match=r"line 6: .*occlusion"):
        read_study(write(text))


def test_missing_files_are_reported(write, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no study"):
        read_study(tmp_path / "none.toml")
    with pytest.raises(FileNotFoundError, match=r"there is no model at own\.safetensors"):
        read_study(write(STUDY.replace("digits-tiny", "own.safetensors")))
    with pytest.raises(TypeError, match=r"a study is a \.toml file or a mapping, got int"):
        read_study(3)


def test_seeds_and_noise_of_numpy_are_plain_values():
    study = read_study(
        {
            "models": ["digits-tiny"],
            "data": "digits",
            "until": np.int64(4),
            "presentations": ["flash"],
            "seeds": [np.int64(3)],
            "noise": [np.float32(0.5)],
        }
    )
    assert (study.seeds, study.noise) == ((3,), (0.5,))
    assert json.loads(json.dumps([study.seeds, study.noise])) == [[3], [0.5]]


def test_lists_from_other_libraries_are_plain_values():
    study = read_study(
        {"models": np.array(["digits-tiny"]), "data": "digits", "until": 4, "seeds": np.arange(2), "noise": np.zeros(1)}
    )
    assert study.models == ("digits-tiny",)
    assert json.loads(json.dumps(study.axes))["seed"] == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"until": -1}, "the study: until must be a whole number, at least 1, got -1"),
        ({"seeds": (0, 0)}, r"the study: seeds must be different, but \[0\] are repeated"),
        ({"presentations": ("flush",)}, "the study: .*flush"),
    ],
)
def test_a_study_that_is_made_by_hand_is_checked_too(wrong, message):
    study = Study(**{"models": ("digits-tiny",), "data": "digits", "until": 4, **wrong})
    with pytest.raises(ValueError, match=message):
        read_study(study)
