"""The cards of the models that ship: complete, labelled, and true on stimuli that are drawn again."""

import json

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim import cards
from cortexsim.performance import predictions
from cortexsim.presentation import from_dict
from cortexsim.shipped import data_folder


def test_every_model_of_the_ventral_stream_has_a_card_and_no_card_lacks_its_model():
    shipped = {name for name in cs.zoo.pretrained() if name.startswith("ventral-stream")}
    assert shipped
    assert set(cards.names()) == shipped


def drawn(test: dict, n: int) -> xr.Dataset:
    """Draw the first of the stimuli of a test again, by the names that its record gives them."""
    if test["data"] == "half_occluded_digits":
        free = cs.datasets.digits(n - n // 2, part="test", seed=0, occlusion="none")
        occluded = cs.datasets.digits(n // 2, part="test", seed=1, occlusion=(0.05, 0.5))
        return xr.concat([free, occluded], "stimulus", combine_attrs="override")
    return getattr(cs.datasets, test["data"])(n, part="test", size=32, seed=0)


@pytest.mark.parametrize("name", cards.names())
def test_a_card_is_complete(name):
    card, model = cs.zoo.card(name), cs.zoo.load(name)
    assert card["seed"].values[0] == 0
    assert card.attrs["parameters"] == model.n_parameters(model.readout_time, cs.sustained())
    for text in ("command", "machine", "date", "data", "factor"):
        assert card.attrs[text]
    assert (card["minutes"] > 0).all()
    assert card["loss"].notnull().any("record").all()
    for presentation in model.about["recipe"]["presentation"]["components"]:
        shown = from_dict(presentation)
        accuracy = card["accuracy"].sel(presentation=cards.short(shown))
        until = model.about["recipe"]["calibrate_until"]
        # what is brief is tested half as long
        until = until if shown.kind == "sustained" else until // 2
        known = accuracy["time"].values[accuracy.notnull().all("seed")].tolist()
        assert known == model.readable(shown, until)
    assert (card["confusion"].sum("named") > 0).all()
    assert card["validation"].notnull().any("time").all()


@pytest.mark.parametrize("name", cards.names())
def test_bins_of_a_card_average_to_its_accuracy(name):
    card = cs.zoo.card(name)
    share = card["n_by_bin"] / card["n_by_bin"].sum("bin")
    mean = (card["accuracy_by_bin"] * share).sum("bin", skipna=False)
    known = card["accuracy"].notnull()
    np.testing.assert_allclose(mean.where(known), card["accuracy"].where(known), atol=1e-3)


@pytest.mark.parametrize("name", [name for name in cards.names() if "cifar10" not in name])  # its images do not ship
def test_a_model_does_what_its_card_says(name):
    # the first of the stimuli on which the card was measured; so many are enough to miss a wrong set of statistics
    n = 100
    record = json.loads((data_folder() / "models" / "runs" / f"{name}-seed0.json").read_text(encoding="utf-8"))
    model, card = cs.zoo.load(name), cs.zoo.card(name)
    data = drawn(record["test"], n)
    images, labels = torch.from_numpy(data["image"].values), torch.from_numpy(data["label"].values)
    times = [3, model.readout_time]
    right = (predictions(model, images, times, cs.sustained()) == labels).float().mean(1)
    said = card["accuracy"].sel(seed=0, presentation="sustained", time=times)
    # three standard errors of a proportion over n stimuli
    error = 3 * np.sqrt(np.maximum(said * (1 - said), 0.01) / n)
    assert (np.abs(right.numpy() - said) < error).all()


def test_recurrence_pays_with_time_and_more_for_longer_curves():
    recurrent = cs.zoo.card("ventral-stream")["accuracy_by_bin"].sel(presentation="sustained")
    forward = cs.zoo.card("ventral-stream-contours-feedforward")["accuracy_by_bin"].sel(presentation="sustained")
    gain = recurrent.sel(time=8) - recurrent.sel(time=3)
    assert (gain > 0).all()
    assert (gain.isel(bin=-1) > gain.isel(bin=0)).all()
    assert float(abs(forward.sel(time=8) - forward.sel(time=3)).max()) < 0.01


def test_digits_do_not_need_time_and_a_feedforward_sibling_is_no_worse():
    recurrent, forward = (
        cs.zoo.card(name)["accuracy"].sel(seed=0, presentation="sustained")
        for name in ("ventral-stream-digits", "ventral-stream-digits-feedforward")
    )
    assert float((recurrent - recurrent.sel(time=3)).max()) < 0.01
    assert float(forward.sel(time=5)) >= float(recurrent.sel(time=5))
    free = cs.zoo.card("ventral-stream-digits")["accuracy_by_bin"].sel(seed=0, presentation="sustained").isel(bin=-1)
    assert free.sel(time=slice(3, 5)).min() >= 0.97


def test_a_card_as_text_gives_every_presentation_in_percent():
    card = cs.zoo.card("ventral-stream")
    text = cards.as_text(card)
    for name in card["presentation"].values:
        assert any(line.startswith(name + " ") for line in text.splitlines())
    mean = 100 * float(card["accuracy"].sel(presentation="sustained", time=8).mean())
    assert f"{mean:.0f}" in text
    assert card.attrs["command"] in text


def test_an_unknown_card_names_those_that_exist():
    with pytest.raises(ValueError, match="no card of 'digits-tiny': those with a card are ventral-stream-cifar10-jpeg"):
        cs.zoo.card("digits-tiny")
