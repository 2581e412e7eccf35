"""Statistics belong to what was shown, do not depend on batches, and are refused where they do not fit."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError

MIXTURE = cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2))


@pytest.fixture
def model() -> cs.Cortex:
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)
    return cs.Cortex(graph, n_classes=3, readout_time=5).double()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((23, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("presentation", [cs.flash(1), cs.sustained(), cs.masked(1, 2), MIXTURE], ids=lambda p: p.kind)
@pytest.mark.parametrize("pre_net", ["conv", "deep"])
@pytest.mark.parametrize("self_transitions", [True, False])
def test_evaluation_after_calibration_equals_training_mode_on_the_same_images(
    images, presentation, pre_net, self_transitions
):
    torch.manual_seed(0)
    # without self-transitions the stimuli of a mixture are empty at different times
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, self_transitions=self_transitions)
    model = cs.Cortex(graph, n_classes=3, readout_time=6, pre_net=pre_net).double()
    trained = model.train().readouts(images, [2, 4, 6], presentation)
    cs.calibrate(model, images, presentation, until=6, batch_size=5)
    torch.testing.assert_close(model.eval().readouts(images, [2, 4, 6], presentation), trained, rtol=0, atol=1e-11)


@pytest.mark.parametrize("batch_size", [1, 4, 23, 1000, 2**63])
def test_statistics_do_not_depend_on_the_batch_size(model, images, batch_size):
    whole = cs.calibrate(model, images, MIXTURE, until=6)
    split = cs.calibrate(model, images, MIXTURE, until=6, batch_size=batch_size)
    assert set(whole) == set(split)
    for place in whole:
        for one, other in zip(whole.moments[place], split.moments[place], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_statistics_say_what_they_were_taken_on(model, images):
    taken = cs.calibrate(model, images, cs.flash(2), until=6, seed=4)
    assert taken.presentation == cs.flash(2)
    assert (taken.until, taken.n_images, taken.seed) == (6, 23, 4)
    assert taken.weights == model.checksum()
    assert taken.times("V1") == list(range(7))
    assert taken.times("IT") == list(range(2, 7))
    assert taken.times("V1->V2") == list(range(1, 7))


def test_calibration_leaves_weights_and_mode_alone(model, images):
    model.train()
    before = {name: value.clone() for name, value in model.weights_and_buffers().items()}
    cs.calibrate(model, images, until=5)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.weights_and_buffers().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_stores_a_set_for_each_presentation(model, images):
    cs.calibrate(model, images, cs.flash(1), until=5)
    cs.calibrate(model, images, cs.sustained(), until=5)
    model.eval()
    assert not torch.allclose(
        model.readouts(images, [5], cs.flash(1)), model.readouts(images, [5], cs.flash(1), statistics=cs.sustained())
    )
    with pytest.raises(MissingStatisticsError, match="several sets"):
        model.post_net(torch.rand(2, 4, 2, 2).double(), time=5)


def test_statistics_of_a_mixture_serve_its_components_only(model, images):
    cs.calibrate(model, images, MIXTURE, until=5)
    model.eval().readouts(images, [5], cs.masked(1, 2))
    with pytest.raises(MissingStatisticsError, match=r"no statistics for «masked.*SOA 3.*calibrate"):
        model.readouts(images, [5], cs.masked(1, 3))
    model.readouts(images, [5], cs.masked(1, 3), statistics=MIXTURE)


def test_uncalibrated_times_are_refused(model, images):
    cs.calibrate(model, images, until=5)
    with pytest.raises(MissingStatisticsError, match=r"end at time 5 .*before time 7; calibrate.*until=7"):
        model.eval().readouts(images, [7])


def test_statistics_of_other_weights_are_refused(model, images):
    cs.calibrate(model, images, until=5)
    with torch.no_grad():
        model.pre.weight.mul_(2)
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        model.eval()(images)


def test_held_statistics_stand_still_from_a_time_on(model, images):
    taken = cs.calibrate(model, images, until=8)
    held = taken.held(5)
    assert all(torch.equal(one, other) for one, other in zip(held.at("V1", 8), taken.at("V1", 5), strict=True))
    assert all(torch.equal(one, other) for one, other in zip(held.at("V1", 4), taken.at("V1", 4), strict=True))
    assert held.change == "held from t = 5"


def test_pooled_statistics_are_the_moments_of_all_times_together(model, images):
    taken = cs.calibrate(model, images, until=4)
    recording = cs.simulate(model, images, until=4, dtype="float64")
    every = torch.from_numpy(recording["V1"]["activation"].values).transpose(1, 2).flatten(2)
    mean, variance = taken.pooled().at("V1", 2)
    torch.testing.assert_close(mean, every.mean((0, 2)), rtol=0, atol=1e-11)
    torch.testing.assert_close(variance, every.var((0, 2), correction=0), rtol=0, atol=1e-11)


def test_pooling_can_stop_at_the_last_trained_time(model, images):
    taken = cs.calibrate(model, images, until=8)
    pooled = taken.pooled(until=3)
    assert torch.equal(pooled.at("V1", 8)[0], torch.stack([taken.at("V1", t)[0] for t in range(4)]).mean(0))
    assert pooled.change == "pooled over times 0 to 3"


def test_a_model_with_shared_normalization_gets_pooled_statistics(images):
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, 3, 3, normalization="shared").double()
    taken = cs.calibrate(model, images, until=5)
    assert torch.equal(taken.at("V1", 1)[0], taken.at("V1", 5)[0])
    assert model.eval().readouts(images, [3, 5]).isfinite().all()


def test_training_mode_uses_the_batch_and_never_the_store(model, images):
    before = model.train().readouts(images, [5])
    cs.calibrate(model, torch.rand_like(images), until=5)
    assert torch.equal(model.readouts(images, [5]), before)


def test_a_model_of_unshared_weights_is_calibrated_as_far_as_it_has_weights(images):
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, 3, readout_time=4, sharing="none").double()
    taken = cs.calibrate(model, images, until=4)
    assert taken.times("IT") == [2, 3, 4]
    assert 4 not in taken.times("V1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"until": 0}, "until must be a whole number of steps, at least 1, got 0"),
        ({"until": 5, "batch_size": 0}, "batch_size must be a whole number, at least 1, got 0"),
        ({"until": 1}, "nothing reaches IT up to time 1"),
    ],
)
def test_impossible_calibrations_are_refused(model, images, arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.calibrate(model, images, **arguments)


def test_a_model_without_normalization_has_no_statistics_to_take(images):
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3, normalization="none").double()
    with pytest.raises(ValueError, match="normalization 'none' has no statistics to take"):
        cs.calibrate(model, images, until=3)
    assert model.eval()(images).shape == (23, 3)


def test_the_former_order_of_arguments_still_works_and_names_the_new_call(model, images):
    expected = cs.calibrate(model, images, cs.sustained(), until=4, batch_size=5, seed=2)
    for former, options in (
        ((4, cs.sustained(), 5), {}),
        ((4, cs.sustained()), {}),
        ((4,), {"presentation": cs.sustained()}),
        ((np.int64(4),), {"presentation": cs.sustained(), "batch_size": 5}),
    ):
        with pytest.warns(DeprecationWarning, match=r"calibrate\(model, images, presentation, until=until\)"):
            taken = cs.calibrate(model, images, *former, seed=2, **options)
        assert taken.presentation == expected.presentation
        for place in expected:
            for moment, wanted in zip(taken.at(*place), expected.at(*place), strict=True):
                torch.testing.assert_close(moment, wanted, rtol=0, atol=1e-12)


def test_an_end_that_is_given_twice_is_refused(model, images):
    with pytest.raises(TypeError, match=r"a presentation is made by flash\(\).*got 'int'"):
        cs.calibrate(model, images, 4, until=5)


def test_statistics_of_the_presentation_itself_come_before_those_of_a_mixture_that_contains_it(model, images):
    cs.calibrate(model, images, MIXTURE, until=5)
    own = cs.calibrate(model, images, cs.flash(1), until=5)
    assert model.find_statistics(cs.flash(1)) is own
    assert model.find_statistics(cs.sustained()).presentation == MIXTURE


def test_shared_statistics_pool_no_time_after_the_readout(images):
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, n_classes=3, readout_time=3, normalization="shared").double()
    short = cs.calibrate(model, images, cs.sustained(), until=3)
    long = cs.calibrate(model, images, cs.sustained(), until=6)
    for place, time in short:
        for moment, expected in zip(long.at(place, time), short.at(place, time), strict=True):
            torch.testing.assert_close(moment, expected, rtol=0, atol=1e-12)
    later = max(long.times("V1"))
    assert later > 3
    assert torch.equal(long.at("V1", later)[0], long.at("V1", 0)[0])


def test_a_number_as_presentation_is_refused_when_until_is_given(calibrated, pictures):
    with pytest.raises(TypeError, match=r"a presentation is made by flash\(\).*got 'int'"):
        cs.calibrate(calibrated, pictures, 4, until=4)


@pytest.mark.parametrize("keep", ["no", np.array([True]), None])
def test_a_word_does_not_keep_statistics(calibrated, pictures, keep):
    before = dict(calibrated.statistics)
    with pytest.raises(ValueError, match="keep must be True or False, got"):
        cs.calibrate(calibrated, pictures, cs.flash(2), until=3, keep=keep)
    assert dict(calibrated.statistics) == before
