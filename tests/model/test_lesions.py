"""A lesion is acute, recalibrated or mean-replaced, and the recording says which."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.recording.description import settings

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
    assert taken.lesion == "V2->V1 silenced (t = 3…6)"
    assert taken.held(4).lesion == taken.pooled().lesion == taken.lesion
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
    assert made["statistics"]["lesion"] == "V2->V1 silenced (t = 3…6)"
    assert "recalibrated: the moments were taken with it in place" in cs.summary(recording)
    assert not np.allclose(values(recording, "IT")[:, 6], values(cut(calibrated, pictures[:3]), "IT")[:, 6])


def test_the_statistics_of_the_users_model_stay(calibrated, pictures):
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
    assert "replaced by the transition's mean delivery over 6 images" in cs.summary(replaced)


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


# --- weakened and noisy links --------------------------------------------------------------------------------------

WEAK = {"V2->V1": (0.25, range(3, 7))}


def test_a_weakened_link_delivers_its_mean_in_place_of_what_the_gain_takes_away(calibrated, pictures):
    intact = cs.simulate(calibrated, pictures, until=6, dtype="float64")
    replaced = cut(calibrated, pictures, silence=None, gain=WEAK, lesion="mean-replaced", calibrate_on=pictures)
    delivered = values(intact, "V1")[:, 3] - values(cut(calibrated, pictures), "V1")[:, 3]
    wanted = values(intact, "V1")[:, 3] + 0.75 * (delivered.mean(0) - delivered)
    np.testing.assert_array_equal(values(replaced, "V1")[:, :3], values(intact, "V1")[:, :3])
    np.testing.assert_allclose(values(replaced, "V1")[:, 3], wanted, rtol=1e-9, atol=1e-12)
    assert settings(replaced)["lesion"]["kind"] == "mean-replaced"


def test_the_mean_is_of_the_images_that_are_given_and_of_the_intact_model(calibrated, pictures):
    intact = cs.simulate(calibrated, pictures, until=6, dtype="float64")
    alone = cut(calibrated, pictures)
    delivered = values(intact, "V1")[:, 3] - values(alone, "V1")[:, 3]
    replaced = cut(calibrated, pictures, silence=None, gain=WEAK, lesion="mean-replaced", calibrate_on=pictures[:2])
    wanted = values(intact, "V1")[:, 3] + 0.75 * (delivered[:2].mean(0) - delivered)
    np.testing.assert_allclose(values(replaced, "V1")[:, 3], wanted, rtol=1e-9, atol=1e-12)


def test_a_transition_silenced_and_weakened_at_different_times_has_its_mean_at_both(calibrated, pictures):
    alike = pictures[:1].expand(4, -1, -1, -1)
    intact = cs.simulate(calibrated, alike, until=6, dtype="float64")
    both = {"silence": {"V2->V1": [3]}, "gain": {"V2->V1": (0.5, [4]), "IT->V2": (3.0, [4, 5])}}
    replaced = cut(calibrated, alike, lesion="mean-replaced", calibrate_on=alike, **both)
    np.testing.assert_allclose(values(replaced, "IT"), values(intact, "IT"), rtol=1e-9, atol=1e-12, equal_nan=True)
    assert not np.allclose(values(cut(calibrated, alike, **both), "IT")[:, 6], values(intact, "IT")[:, 6])


def test_statistics_are_taken_with_the_gain_in_place(calibrated, pictures):
    before = dict(calibrated.statistics)
    taken = cs.calibrate(calibrated, pictures, until=6, gain=WEAK)
    assert taken.lesion == "V2->V1 times 0.25 (t = 3…6)"
    assert calibrated.statistics == before
    recording = cut(calibrated, pictures, silence=None, gain=WEAK, lesion="recalibrated", calibrate_on=pictures)
    for state in ("V1", "V2", "IT"):
        for time in (3, 6):
            mean, variance = (moment.numpy() for moment in taken.at(state, time))
            held = values(recording, state)[:, time]
            np.testing.assert_allclose(held.mean((0, 2, 3)), mean, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(held.var((0, 2, 3)), variance, rtol=1e-9)
    given = cut(calibrated, pictures, silence=None, gain=WEAK, lesion="recalibrated", statistics=taken)
    assert given.identical(recording)


def test_recalibration_undoes_a_weakening_of_the_only_way_up(pictures):
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, lateral=False, feedback=False)
    model = cs.Cortex(graph, n_classes=3, readout_time=2).double().eval()
    taken = cs.calibrate(model, pictures, until=2)
    # h becomes g h, its moments g m and g² v: normalized it is unchanged but for the epsilon of the variance
    weak = cs.calibrate(model, pictures, until=2, gain={"V1->V2": 0.5})
    for got, moment, factor in zip(weak.at("V2", 1), taken.at("V2", 1), (0.5, 0.25), strict=True):
        torch.testing.assert_close(got, factor * moment, rtol=1e-12, atol=1e-14)
    shown = {"until": 2, "dtype": "float64", "gain": {"V1->V2": 0.5}}
    intact = values(cs.simulate(model, pictures, until=2, dtype="float64"), "IT")[:, 2]
    again = cs.simulate(model, pictures, lesion="recalibrated", calibrate_on=pictures, **shown)
    np.testing.assert_allclose(values(again, "IT")[:, 2], intact, atol=1e-3 * np.abs(intact).max())
    acute = values(cs.simulate(model, pictures, **shown), "IT")[:, 2]
    assert np.abs(acute - intact).max() > 0.1 * np.abs(intact).max()


NOISY = {"V2->V1": (2.0, [3])}


def test_statistics_are_taken_with_the_noise_in_place_which_is_as_strong_as_in_the_intact_model(calibrated, pictures):
    many = pictures.repeat(20, 1, 1, 1)
    taken = cs.calibrate(calibrated, many, until=4, transition_noise=NOISY)
    intact = cs.calibrate(calibrated, many, until=4, keep=False)
    # the model's own statistics are those of the pictures, each once: the same moments
    spread = intact.at("V1", 3)[1]
    torch.testing.assert_close(taken.at("V1", 3)[1], (1 + 2.0**2) * spread, rtol=0.1, atol=0)
    torch.testing.assert_close(taken.at("V1", 2)[1], intact.at("V1", 2)[1], rtol=1e-12, atol=0)
    shown = {"silence": None, "until": 4, "transition_noise": NOISY}
    acute = cut(calibrated, pictures, **shown)
    again = cut(calibrated, pictures, lesion="recalibrated", calibrate_on=pictures, **shown)
    np.testing.assert_array_equal(values(again, "V1")[:, 3], values(acute, "V1")[:, 3])
    assert not np.allclose(values(again, "V2")[:, 4], values(acute, "V2")[:, 4])
    own = cs.calibrate(calibrated, pictures, until=4, transition_noise=NOISY)
    assert cut(calibrated, pictures, lesion="recalibrated", statistics=own, **shown).identical(again)


def test_noise_shifts_no_mean_so_that_mean_replaced_it_is_what_it_is_acutely(calibrated, pictures):
    shown = {"silence": None, "until": 4, "transition_noise": NOISY}
    acute = cut(calibrated, pictures, **shown)
    replaced = cut(calibrated, pictures, lesion="mean-replaced", calibrate_on=pictures, **shown)
    for state in ("V1", "V2", "IT"):
        np.testing.assert_array_equal(values(replaced, state), values(acute, state))


def test_noise_on_states_is_as_strong_when_a_lesion_is_recalibrated(calibrated, pictures):
    noise = {"noise": 0.5, "repeats": 2, "until": 4}
    acute, again = (
        cut(calibrated, pictures, **noise, **how) for how in ({}, {"lesion": "recalibrated", "calibrate_on": pictures})
    )
    # at 3 V1 lacks what V2 delivers and spreads less, but what comes is normalized as ever
    np.testing.assert_allclose(values(again, "V1")[:, :4], values(acute, "V1")[:, :4], rtol=1e-9, atol=1e-12)
    assert not np.allclose(values(again, "V1")[:, 4], values(acute, "V1")[:, 4])


def test_noise_needs_the_intact_statistics_even_when_those_of_the_lesion_are_given(calibrated, pictures):
    own = cs.calibrate(calibrated, pictures, until=4, transition_noise=NOISY)
    calibrated.statistics.clear()
    with pytest.raises(MissingStatisticsError, match="the model has no statistics for"):
        cut(calibrated, pictures, until=4, silence=None, transition_noise=NOISY, lesion="recalibrated", statistics=own)
    with pytest.raises(MissingStatisticsError, match="the model has no statistics for"):
        cs.calibrate(calibrated, pictures, until=4, transition_noise=NOISY)


def test_intact_statistics_without_noise_are_refused(calibrated, pictures):
    with pytest.raises(ValueError, match=r"intact= says in which .* but there is none"):
        cs.calibrate(calibrated, pictures, until=4, gain=WEAK, intact=cs.flash(1))


def test_statistics_of_a_weaker_lesion_do_not_serve(calibrated, pictures):
    taken = cs.calibrate(calibrated, pictures, until=6, gain={"V2->V1": (0.2500001, range(3, 7))})
    with pytest.raises(ValueError, match="a recalibrated lesion needs images"):
        cut(calibrated, pictures, silence=None, gain=WEAK, lesion="recalibrated", statistics=taken)
    # nor do those of a lesion of which this one is a part
    taken = cs.calibrate(calibrated, pictures, until=6, silence=CUT, gain={"V1->V1": 0.5})
    with pytest.raises(ValueError, match="a recalibrated lesion needs images"):
        cut(calibrated, pictures, lesion="recalibrated", statistics=taken)


@pytest.mark.parametrize("lesion", ["recalibrated", "mean-replaced"])
def test_lesions_that_need_images_are_refused_without(calibrated, pictures, lesion):
    with pytest.raises(ValueError, match=rf"a {lesion} lesion needs images .* give calibrate_on=\.\.\."):
        cut(calibrated, pictures, lesion=lesion)
    with pytest.raises(
        ValueError,
        match=rf"lesion='{lesion}' is a version of an .* nothing is silenced, scaled or noisy; give",
    ):
        cut(calibrated, pictures, silence=None, lesion=lesion, calibrate_on=pictures)


def test_images_that_an_acute_lesion_would_not_use_are_refused(calibrated, pictures):
    with pytest.raises(ValueError, match=r"calibrate_on has no effect; set lesion='recalibrated' or"):
        cut(calibrated, pictures, calibrate_on=pictures)


def test_an_unknown_lesion_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match="unknown lesion 'mean': the allowed values are"):
        cut(calibrated, pictures, lesion="mean")


def test_statistics_of_a_lesion_are_refused_for_an_acute_one(calibrated, pictures):
    taken = cs.calibrate(calibrated, pictures, until=6, silence=CUT)
    with pytest.raises(ValueError, match=r"these statistics are of a lesion .* set lesion='recalibrated'"):
        cut(calibrated, pictures, statistics=taken)


def test_statistics_of_a_different_lesion_do_not_serve(calibrated, pictures):
    taken = cs.calibrate(calibrated, pictures, until=6, silence={"V2->V1": [3]})
    with pytest.raises(ValueError, match="a recalibrated lesion needs images"):
        cut(calibrated, pictures, lesion="recalibrated", statistics=taken)


def test_a_model_without_normalization_has_nothing_to_recalibrate(small_model, shown_images):
    with pytest.raises(
        ValueError,
        match="this model cannot be recalibrated: its normalization uses the moments of each image",
    ):
        cs.simulate(
            small_model,
            shown_images,
            until=3,
            silence={"V1->V2": None},
            lesion="recalibrated",
            calibrate_on=shown_images,
        )


class BatchNormalized(torch.nn.BatchNorm2d):
    """An update that normalizes with moments of its own, as published models do."""

    def __init__(self, state):
        super().__init__(state.features)

    def forward(self, total):
        return super().forward(total)


def test_a_models_own_batch_normalization_is_recalibrated_with_the_lesion_in_place(shown_images):
    graph = cs.adjacent({"V1": 2, "V2": 3}, size=8).with_update("V2", BatchNormalized)
    model = cs.Cortex(graph, 3, 2, normalization="none", generator=torch.Generator().manual_seed(0)).double().eval()
    pictures = torch.rand((6, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shown = {"until": 1, "silence": {"lateral": None}, "gain": {"V1->V2": 0.1}, "dtype": "float64"}
    before = model.checksum()
    acute = cs.simulate(model, pictures, **shown)
    again = cs.simulate(model, pictures, lesion="recalibrated", calibrate_on=pictures, **shown)
    assert np.abs(acute["V2"]["activation"].sel(time=1).std()) < 0.5
    np.testing.assert_allclose(again["V2"]["activation"].sel(time=1).mean(("stimulus", "y", "x")), 0, atol=1e-9)
    np.testing.assert_allclose(again["V2"]["activation"].sel(time=1).std(("stimulus", "y", "x")), 1, rtol=0.05)
    assert model.checksum() == before == settings(again)["model"]
    assert settings(again)["lesion"]["n_images"] == 6


def test_statistics_that_are_only_returned_leave_the_model_unchanged(calibrated, pictures):
    before = dict(calibrated.statistics)
    taken = cs.calibrate(calibrated, pictures, cs.sustained(), until=4, keep=False)
    assert calibrated.statistics == before
    assert taken.lesion == ""
