"""The cards of the models that trace say what the bundled result says."""

import json

import pytest

import cortexsim as cs
from cortexsim.zoo import tracer_cards


def test_each_model_that_traces_has_a_card():
    assert tracer_cards.names() == sorted(cs.zoo.TRACERS)


@pytest.mark.parametrize("name", list(cs.zoo.TRACERS))
def test_a_card_has_the_numbers_of_the_result_and_nothing_that_is_empty(name):
    card, result = cs.zoo.card(name), cs.experiments.shipped("extrapolation").sel(model=name)
    by, prefix = ("cells", "maze_") if "mazes" in name else ("length", "")
    assert {"cells", "length"} & set(card.dims) == {by}
    for variable in ("exact_end", "yes_no_end"):
        expected = result[prefix + variable].sel(seed=card["seed"])
        assert card[variable].dims == ("seed", by)
        assert (card[variable] == expected).all()
    assert not any(values.isnull().all() for values in card.values())
    assert card.sizes["time"] == 1 + int(card["until"].max())


def test_a_card_has_the_recipe_of_its_model():
    recipes = {name: json.loads(cs.zoo.card(name).attrs["recipe"]) for name in ("tracer", "tracer-mazes")}
    assert [recipe["epochs"] for recipe in recipes.values()] == [4, 5]
    assert all(recipe["progressive"] == [0.5, 24] and recipe["batch_size"] == 32 for recipe in recipes.values())


def test_the_text_of_a_card_has_a_row_for_each_length_and_the_range_of_the_seeds():
    card = cs.zoo.card("tracer")
    text = tracer_cards.as_text(card)
    low, mean, high = (100 * float(getattr(card["exact_end"].sel(length=60), how)()) for how in ("min", "mean", "max"))
    row = next(line for line in text.splitlines() if line.startswith("60 px"))
    assert f"{mean:.1f} ({low:.1f}-{high:.1f})" in row
    assert [line.split(" px")[0] for line in text.splitlines() if " px (" in line] == ["10", "20", "30", "40", "60"]
    assert "for each pixel of the curve" not in tracer_cards.as_text(cs.zoo.card("tracer-unshared"))


def test_a_name_without_a_card_is_refused():
    with pytest.raises(ValueError, match=r"unknown model that traces 'tracer-deeep'.*'tracer-deep'"):
        tracer_cards.card("tracer-deeep")
