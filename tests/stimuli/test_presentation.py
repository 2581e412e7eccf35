"""A presentation says what is on the screen at each time, and lays out the pictures accordingly."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import cortexsim as cs
from cortexsim.stimuli.text import from_dict

MASK = torch.rand((3, 8, 8), generator=torch.Generator().manual_seed(0))
EVERY = {
    "flash": cs.flash(2),
    "sustained": cs.sustained(),
    "masked": cs.masked(duration=2, soa=4),
    "masked at once": cs.masked(duration=2, soa=2, mask_duration=1),
    "given mask": cs.masked(1, 2, MASK),
    "sequence": cs.sequence(2),
    "mixture": cs.mixture(cs.flash(1), cs.masked(1, 3, "image"), weights=(1, 2)),
}


def shown(presentation, until=6):
    return presentation.timeline(until)


@pytest.mark.parametrize(
    ("presentation", "signs"),
    [
        (cs.flash(), "■······"),
        (cs.flash(2), "■■·····"),
        (cs.sustained(), "■■■■■■■"),
        (cs.masked(duration=2, soa=4), "■■··▒▒▒"),
        (cs.masked(duration=1, soa=1), "■▒▒▒▒▒▒"),
        (cs.masked(duration=2, soa=2, mask_duration=1), "■■▒····"),
        (cs.masked(duration=1, soa=6, mask_duration=1), "■·····▒"),
        (cs.sequence(2), "■■■■■■■"),
    ],
)
def test_what_is_shown_at_each_time(presentation, signs):
    assert shown(presentation) == signs


def test_a_movie_ends_with_its_last_frame():
    presentation = cs.sequence(2).for_images(torch.rand(4, 3, 3, 8, 8))
    assert shown(presentation) == "■■■■■■·"


@pytest.mark.parametrize("presentation", EVERY.values(), ids=EVERY)
def test_the_image_is_on_the_screen_at_time_0(presentation):
    assert presentation.shown(0) == "image"


def test_a_time_before_0_is_refused():
    with pytest.raises(ValueError, match="time must be at least 0, got -1"):
        cs.flash().shown(-1)


def test_a_mixture_refuses_to_say_what_all_see_where_they_differ():
    with pytest.raises(ValueError, match=r"at time 3 .* are shown different things: \['mask', 'nothing'\]"):
        EVERY["mixture"].shown(3)


# --- refused -------------------------------------------------------------------------------------------------------


def test_an_SOA_shorter_than_the_duration_is_refused():
    with pytest.raises(
        ValueError, match="the mask cannot come before the target ends: SOA 2 is shorter than duration 3"
    ):
        cs.masked(duration=3, soa=2)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "1", None])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: cs.flash(n),
        lambda n: cs.sequence(n),
        lambda n: cs.masked(duration=n, soa=3),
        lambda n: cs.masked(soa=n),
        lambda n: cs.masked(mask_duration="none" if n is None else n),
    ],
)
def test_numbers_of_steps_that_are_none_are_refused(make, n):
    with pytest.raises(ValueError, match="must be a whole number of steps, at least 1, got"):
        make(n)


def test_an_unknown_mask_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown mask 'phase'.*did you mean 'phase-scrambled'\?"):
        cs.masked(mask="phase")


@pytest.mark.parametrize("mask", [None, 3, np.zeros((3, 8, 8))])
def test_a_mask_that_is_neither_name_nor_pixels_is_refused(mask):
    with pytest.raises(TypeError, match=r"mask must be one of \['noise'.*or a torch\.Tensor, got"):
        cs.masked(mask=mask)


def test_a_movie_given_to_a_flash_is_refused():
    with pytest.raises(ValueError, match=r"flash shows one image per stimulus, got movies .*; use sequence\(\)"):
        cs.flash().frames(torch.rand(2, 4, 3, 8, 8), 3)


def test_a_movie_given_to_a_mixture_of_images_is_refused():
    with pytest.raises(ValueError, match="flash shows one image per stimulus"):
        EVERY["mixture"].frames(torch.rand(2, 4, 3, 8, 8), 3)


def test_images_given_to_a_sequence_are_refused():
    with pytest.raises(ValueError, match=r"a sequence shows movies, .* got images of shape \(2, 3, 8, 8\)"):
        cs.sequence().frames(torch.rand(2, 3, 8, 8), 3)


def test_a_mixture_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one presentation, got none"):
        cs.mixture()


@pytest.mark.parametrize("weights", [(1,), (1, 0), (1, -1), (1, float("nan")), (1, float("inf"))])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 2 positive numbers"):
        cs.mixture(cs.flash(1), cs.sustained(), weights=weights)


# --- in words and pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("presentation", "words"),
    [
        (cs.flash(1), "flash: image for 1 step, then nothing"),
        (cs.sustained(), "sustained"),
        (
            cs.masked(2, 5, "image", 1),
            "masked: image for 2 steps, another image as mask from t = 5 for 1 step (SOA 5, ISI 3)",
        ),
        (cs.masked(1, 1, MASK), "masked: image for 1 step, given mask from t = 1 to the end (SOA 1, ISI 0)"),
        (cs.sequence(2), "sequence: a new image every 2 steps"),
        (cs.sequence(1).for_images(torch.rand(1, 5, 3, 4, 4)), "sequence of 5: a new image every 1 step"),
        (
            cs.mixture(cs.flash(1), cs.sustained(), weights=(3, 1)),
            "mixture: 75 % flash: image for 1 step, then nothing; 25 % sustained",
        ),
    ],
)
def test_a_presentation_as_text(presentation, words):
    assert str(presentation) == words


def test_the_picture_has_a_titled_box_for_each_time():
    drawn = cs.masked(duration=2, soa=4)._repr_html_()
    assert drawn.count("<rect") == 10
    assert [drawn.count(f": {what}</title>") for what in ("image", "mask", "nothing")] == [2, 6, 2]


def test_the_picture_of_a_mixture_has_a_row_for_each_component():
    assert EVERY["mixture"]._repr_html_().count("<rect") == 20


def test_the_timeline_of_a_mixture_has_a_line_for_each_component():
    assert shown(EVERY["mixture"]) == "■······\n■··▒▒▒▒"


# --- as a value ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("presentation", EVERY.values(), ids=EVERY)
def test_a_presentation_comes_back_from_json(presentation):
    assert from_dict(json.loads(json.dumps(presentation.to_dict()))) == presentation


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_mixture_of_any_weights_comes_back_from_json(weights):
    mixed = cs.mixture(*(cs.flash(k + 1) for k in range(len(weights))), weights=weights)
    assert from_dict(json.loads(json.dumps(mixed.to_dict()))) == mixed
    assert sum(mixed.weights) == pytest.approx(1)


def test_numpys_numbers_are_numbers_of_steps():
    assert cs.masked(np.int64(1), np.int64(2), mask_duration=np.int32(3)) == cs.masked(1, 2, mask_duration=3)
    assert json.dumps(cs.flash(np.int64(2)).to_dict()) == json.dumps(cs.flash(2).to_dict())


def test_the_same_presentation_twice_in_a_mixture_is_one_of_twice_the_weight():
    assert cs.mixture(cs.flash(1), cs.flash(1), cs.sustained()) == cs.mixture(
        cs.flash(1), cs.sustained(), weights=(2, 1)
    )


def test_a_mixture_within_a_mixture_is_flattened():
    inner = cs.mixture(cs.flash(1), cs.flash(2))
    assert cs.mixture(inner, cs.sustained()).weights == (0.25, 0.25, 0.5)


def test_a_mixture_contains_its_components_and_itself():
    mixed = EVERY["mixture"]
    assert mixed.contains(mixed)
    assert mixed.contains(cs.flash(1))
    assert not mixed.contains(cs.flash(2))
    assert cs.flash(1).contains(cs.flash(1))
    assert not cs.flash(1).contains(mixed)


# --- laid out ------------------------------------------------------------------------------------------------------


def seen(presentation, images, until, **options):
    """What each stimulus is shown at each time, shape (time, stimulus, 3, y, x); NaN is nothing."""
    frames = presentation.frames(images, until, **options)
    nothing = torch.full_like(frames.images[:1], float("nan"))
    return torch.cat([frames.images, nothing])[frames.lookup]


@pytest.mark.parametrize("presentation", [p for name, p in EVERY.items() if name not in ("sequence", "mixture")])
def test_every_stimulus_sees_what_the_presentation_says(presentation, pictures):
    for time, screen in enumerate(seen(presentation, pictures, 6)):
        match presentation.shown(time):
            case "image":
                assert torch.equal(screen, pictures)
            case "nothing":
                assert bool(screen.isnan().all())
            case "mask":
                assert bool(screen.isfinite().all())
                assert not torch.equal(screen, pictures)


def test_a_mask_stays_the_same_while_it_is_shown(pictures):
    screens = seen(cs.masked(1, 2), pictures, 5)
    assert torch.equal(screens[2], screens[5])


def test_no_mask_is_made_when_none_is_shown_in_time(pictures):
    assert len(cs.masked(1, 4).frames(pictures, 3).images) == len(pictures)


def test_the_frames_of_a_movie_come_in_their_order():
    movies = torch.rand((2, 3, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    screens = seen(cs.sequence(2), movies, 6)
    for time in range(6):
        assert torch.equal(screens[time], movies[:, time // 2])
    assert bool(screens[6].isnan().all())


def test_bytes_are_shown_as_numbers_from_0_to_1():
    images = torch.full((2, 3, 8, 8), 51, dtype=torch.uint8)
    torch.testing.assert_close(cs.flash().frames(images, 1).images, torch.full((2, 3, 8, 8), 0.2))


@pytest.mark.parametrize("mask", ["noise", "phase-scrambled", "pixel-shuffled", "texture", "image", "target"])
def test_what_a_stimulus_sees_does_not_depend_on_its_batch_or_its_place_in_it(mask, pictures):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask), cs.masked(2, 3, mask))
    whole = seen(mixed, pictures, 4, seed=3)
    index = torch.tensor([4, 0, 5])
    part = seen(mixed, pictures[index], 4, seed=3, index=index, others=pictures)
    torch.testing.assert_close(part, whole[:, index], rtol=0, atol=1e-9, equal_nan=True)


def test_a_mixture_draws_by_seed_and_stimulus():
    index = torch.arange(300)
    mixed = EVERY["mixture"]
    assert torch.equal(mixed.draw(1, index)[7:9], mixed.draw(1, index[7:9]))
    assert not torch.equal(mixed.draw(1, index), mixed.draw(2, index))


def test_a_mixture_draws_its_components_by_their_weights():
    mixed = cs.mixture(cs.flash(1), cs.flash(2), cs.flash(3), weights=(1, 2, 7))
    shares = torch.bincount(mixed.draw(0, torch.arange(20_000)), minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.2, 0.7]), rtol=0, atol=0.015)


def test_stimuli_see_the_component_that_was_drawn_for_them(pictures):
    mixed = cs.mixture(cs.flash(1), cs.flash(3))
    steps = (mixed.frames(pictures, 5, seed=1).lookup >= 0).sum(0)
    assert torch.equal(steps, torch.tensor([1, 3])[mixed.draw(1, torch.arange(6))])
    assert set(steps.tolist()) == {1, 3}


def test_a_movie_is_no_number_of_steps():
    with pytest.raises(ValueError, match="whole number of steps, at least 1, got a value of type Tensor"):
        cs.sequence(torch.rand(1, 2, 3, 4, 4))


def test_a_list_is_no_presentation():
    with pytest.raises(TypeError, match=r"a presentation is made by .* got 'list'"):
        cs.mixture([cs.flash(1), cs.sustained()])


def test_the_energy_is_the_variance_times_the_area_times_the_steps_shown(pictures):
    target, mask = cs.masked(2, 3, "noise", mask_duration=4).frames(pictures, 9).energies()
    once = pictures.var((-2, -1), correction=0).mean(1) * 8 * 8
    torch.testing.assert_close(target, 2 * once, rtol=1e-9, atol=0)
    # the mask's contrast is matched after clipping, to about a grey of 8 bits
    torch.testing.assert_close(mask, 4 * once, rtol=0.02, atol=0)


def test_only_what_is_shown_before_the_end_has_energy(pictures):
    once = pictures.var((-2, -1), correction=0).mean(1) * 8 * 8
    target, mask = cs.masked(1, 3, "target").frames(pictures, 4).energies()
    torch.testing.assert_close(mask, 2 * target, rtol=1e-9, atol=0)
    torch.testing.assert_close(target, once, rtol=1e-9, atol=0)
    assert not bool(cs.masked(1, 5).frames(pictures, 4).energies()[1].any())


def test_a_mask_at_the_onset_of_the_target_is_refused():
    with pytest.raises(ValueError, match="soa must be a whole number of steps, at least 1, got 0"):
        cs.masked(soa=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("banana",), "unknown kind of presentation 'banana'"),
        (("masked", 3, 1, "noise"), "the mask cannot come before the target ends: SOA 1 is shorter than duration 3"),
        (("masked", 1, 3, "noize"), "unknown mask 'noize': .* did you mean 'noise'"),
        (("sustained", 1), "a sustained presentation has no duration, got 1"),
        (("flash", 1, 2), "a flash presentation has no soa, got 2"),
        (("masked", 1, None, "noise"), "soa must be a whole number of steps, at least 1, got None"),
    ],
)
def test_a_presentation_that_makes_no_sense_cannot_be_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.Presentation(*arguments)


@pytest.mark.parametrize("weights", [3, "ab", [1, "x"], [1, None], [1, float("nan")], torch.tensor(2)])
def test_weights_that_are_not_numbers_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights must be 2 positive numbers, got "):
        cs.mixture(cs.flash(1), cs.sustained(), weights=weights)
