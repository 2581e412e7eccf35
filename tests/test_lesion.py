"""A lesion is acute, recalibrated or mean-replaced, and the recording says which."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.recording import settings

CUT = {"V2->V1": range(3, 7)}


def values(recording, state):
    return recording[state]["activation"].values


def cut(model, images, **changes):
    return cs.simulate(model, images, **{"until": 6, "silence": CUT, "dtype": "float64", **changes})


def test_a_lesion_is_acute_unless_said_otherwise(calibrated, pictures):
    assert settings(cut(calibrated, pictures))["lesion"]["kind"] == "acute"
    assert settings(cs.simulate(calibrated, pictures, until=6))["lesion"] is None


def test_recalibrated_statistics_are_those_of_the_graph_without_the_transition(calibrated, pictures):
    whole = dict(calibrated.statistics)
    taken = cs.calibrate(calibrated, pictures, until=6, silence=CUT)
    assert calibrated.statistics == whole
    assert taken.change == "taken with V2->V1 silenced (t = 3…6)"
    other = cs.Cortex(calibrated.graph.without("V2->V1", times=range(3, 7)), n_classes=3, readout_time=5).double()
    other.load_state_dict(calibrated.state_dict())
    wanted = cs.calibrate(other, pictures, until=6)
    assert set(taken) == set(wanted)
    for place in wanted:
        for got, moment in zip(taken.at(*place), wanted.at(*place), strict=True):
            torch.testing.assert_close(got, moment, rtol=1e-12, atol=1e-12)


def test_a_recalibrated_lesion_uses_statistics_with_the_lesion_in_place(calibrated, pictures):
    recording = cut(calibrated, pictures[:3], lesion="recalibrated", calibrate_on=pictures)
    taken = cs.calibrate(calibrated, pictures, until=6, silence=CUT)
    given = cut(calibrated, pictures[:3], lesion="recalibrated", statistics=taken)
    assert recording.identical(given)
    made = settings(recording)
    assert made["lesion"] == {"kind": "recalibrated", "images": taken.images, "n_images": 6}
    assert made["statistics"]["change"] == "taken with V2->V1 silenced (t = 3…6)"
    assert "recalibrated: the moments were taken with it in place" in cs.summary(recording)
    assert not np.allclose(values(recording, "IT")[:, 6], values(cut(calibrated, pictures[:3]), "IT")[:, 6])


def test_the_users_model_keeps_its_statistics(calibrated, pictures):
    before = dict(calibrated.statistics)
    for lesion in ("recalibrated", "mean-replaced"):
        cut(calibrated, pictures, lesion=lesion, calibrate_on=pictures)
    assert calibrated.statistics == before


def test_a_mean_replaced_transition_delivers_its_mean_over_the_images(calibrated, pictures):
    intact = cs.simulate(calibrated, pictures, until=6, dtype="float64")
    replaced = cut(calibrated, pictures, lesion="mean-replaced", calibrate_on=pictures)
    acute = cut(calibrated, pictures)
    np.testing.assert_array_equal(values(replaced, "V1")[:, :3], values(intact, "V1")[:, :3])
    # at 3 V1 differs from the acute lesion's by what V2 delivers on average, the same for every image
    mean = (values(intact, "V1")[:, 3] - values(acute, "V1")[:, 3]).mean(0)
    added = values(replaced, "V1")[:, 3] - values(acute, "V1")[:, 3]
    np.testing.assert_allclose(added, np.broadcast_to(mean, added.shape), rtol=1e-9, atol=1e-12)
    assert settings(replaced)["lesion"]["kind"] == "mean-replaced"
    assert "delivers its mean over 6 images" in cs.summary(replaced)


def test_a_lesion_of_a_transition_that_delivers_a_constant_shows_as_none_when_mean_replaced(calibrated, pictures):
    alike = pictures[:1].expand(4, -1, -1, -1)
    intact = cs.simulate(calibrated, alike, until=6, dtype="float64")
    replaced = cut(calibrated, alike, lesion="mean-replaced", calibrate_on=alike)
    acute = cut(calibrated, alike)
    np.testing.assert_allclose(values(replaced, "IT"), values(intact, "IT"), rtol=1e-9, atol=1e-12, equal_nan=True)
    assert not np.allclose(values(acute, "IT")[:, 6], values(intact, "IT")[:, 6])


def test_a_state_stays_populated_when_what_it_gets_is_replaced_by_its_mean(calibrated, pictures):
    always = {"V1->V2": None}
    replaced = cut(calibrated, pictures, silence=always, lesion="mean-replaced", calibrate_on=pictures)
    assert bool(replaced["IT"]["populated"].values[2:].all())
    assert not cut(calibrated, pictures, silence=always)["IT"]["populated"].values.any()


def test_in_a_mixture_a_mean_is_taken_over_the_stimuli_for_which_there_is_a_delivery(pictures):
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    model = cs.Cortex(graph, n_classes=3, readout_time=4, normalization="none").double()
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))
    images = {"images": pictures, "presentation": mixed, "seed": 1}
    intact = cs.simulate(model, until=4, dtype="float64", **images)
    replaced = cs.simulate(
        model,
        until=4,
        dtype="float64",
        silence={"V1->V2": [3]},
        lesion="mean-replaced",
        calibrate_on=pictures,
        **images,
    )
    there = intact["V2"]["populated"].values[:, 3]
    assert 0 < there.sum() < 6
    mean = values(intact, "V2")[there, 3].mean(0)
    np.testing.assert_allclose(values(replaced, "V2")[there, 3], np.stack([mean] * there.sum()), rtol=1e-12)
    assert np.isnan(values(replaced, "V2")[~there, 3]).all()


@pytest.mark.parametrize("lesion", ["recalibrated", "mean-replaced"])
def test_lesions_that_need_images_are_refused_without(calibrated, pictures, lesion):
    with pytest.raises(ValueError, match=rf"a {lesion} lesion needs images .* give calibrate_on=\.\.\."):
        cut(calibrated, pictures, lesion=lesion)
    with pytest.raises(ValueError, match=rf"lesion='{lesion}' says what silence means, but nothing is silenced"):
        cut(calibrated, pictures, silence=None, lesion=lesion, calibrate_on=pictures)


def test_images_that_an_acute_lesion_would_not_use_are_refused(calibrated, pictures):
    with pytest.raises(ValueError, match=r"calibrate_on is of no use; say lesion='recalibrated' or"):
        cut(calibrated, pictures, calibrate_on=pictures)


def test_an_unknown_lesion_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match="unknown lesion 'mean': the allowed values are"):
        cut(calibrated, pictures, lesion="mean")


def test_statistics_of_a_lesion_are_refused_for_an_acute_one(calibrated, pictures):
    taken = cs.calibrate(calibrated, pictures, until=6, silence=CUT)
    with pytest.raises(ValueError, match=r"these statistics are of a lesion .* say lesion='recalibrated'"):
        cut(calibrated, pictures, statistics=taken)


def test_statistics_of_another_lesion_do_not_serve(calibrated, pictures):
    taken = cs.calibrate(calibrated, pictures, until=6, silence={"V2->V1": [3]})
    with pytest.raises(ValueError, match="a recalibrated lesion needs images"):
        cut(calibrated, pictures, lesion="recalibrated", statistics=taken)


def test_a_model_without_normalization_has_nothing_to_recalibrate(small_model, shown_images):
    with pytest.raises(ValueError, match="no normalization, so there is nothing to recalibrate; use lesion='acute'"):
        cs.simulate(
            small_model,
            shown_images,
            until=3,
            silence={"V1->V2": None},
            lesion="recalibrated",
            calibrate_on=shown_images,
        )


def test_statistics_that_are_not_kept_leave_the_model_as_it_is(calibrated, pictures):
    before = dict(calibrated.statistics)
    taken = cs.calibrate(calibrated, pictures, until=4, presentation=cs.sustained(), keep=False)
    assert calibrated.statistics == before
    assert taken.change == ""
