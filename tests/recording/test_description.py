"""A recording describes itself: by its settings, and in a paragraph."""

import pytest
import xarray as xr

import cortexsim as cs


def test_the_accessor_gives_settings_and_summary_of_a_recording_and_of_its_nodes(calibrated, pictures, tmp_path):
    simulated = cs.simulate(calibrated, pictures, until=4, seed=7, to=tmp_path / "recording.nc")
    opened = cs.open_recording(tmp_path / "recording.nc")
    for recording in (simulated, opened, opened["IT"]):
        assert recording.cortex.settings["seed"] == 7
        assert recording.cortex.settings["graph"] == calibrated.graph.to_dict()
        assert recording.cortex.summary() == cs.summary(opened)
    assert "6 stimuli at times 0 to 4" in repr(opened.cortex)


def test_a_tree_that_is_no_recording_has_no_settings():
    with pytest.raises(ValueError, match="not a recording of cortexsim: its root lacks the attribute 'cortexsim'"):
        _ = xr.DataTree(xr.Dataset()).cortex.settings
