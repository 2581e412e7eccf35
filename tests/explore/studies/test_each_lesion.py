"""The panel with all connections in one table: the numbers of the protocol, and which cuts are robust."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.explore.studies.each_lesion import acute_only, robust


@pytest.fixture(scope="module")
def measured():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=16, shortcut=0.5), 2, 3)
    data = cs.datasets.contours(20, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.sustained(), until=3)
    panel = cs.explore.EachLesion(model=model, data=data, n=20)
    panel.compute()
    return panel


def test_the_table_is_that_of_the_protocol(measured):
    who, result = measured.who, measured.result
    expected = cs.protocols.each_lesion(
        who.model, who.images, until=3, calibrate_on=who.training(200), presentation=cs.sustained()
    )
    np.testing.assert_array_equal(result["accuracy_difference"], expected["accuracy_difference"])
    assert result["connection"].values.tolist() == list(who.model.graph.transition_names)
    assert measured.figures["table"].data[0].y == tuple(who.model.graph.transition_names)


def test_another_time_is_drawn_at_once(measured):
    before = measured.figures["table"].data[0].text
    measured.choose(time=1)
    assert measured.figures["table"].data[0].text != before
    measured.choose(time=3)


def test_a_robust_cut_costs_something_in_every_version(measured):
    result = measured.result.copy(deep=True)
    result["accuracy_difference_high"][:] = 0.1
    assert robust(result) == acute_only(result) == []
    result["accuracy_difference_high"].loc[{"connection": "V1->V1", "time": 3}] = -0.1
    result["accuracy_difference_high"].loc[{"connection": "V2->V2", "time": 3, "version": "acute"}] = -0.1
    assert robust(result) == ["V1->V1"]
    assert acute_only(result) == ["V2->V2"]
