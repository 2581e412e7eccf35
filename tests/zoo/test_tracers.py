"""The model that traces and its control models, untrained: what they see, and that all learn by the same call."""

import pytest
import torch

import cortexsim as cs
from cortexsim.paper.experiments.tracing import recipe_of, training_images
from cortexsim.zoo.tracers import TRACERS, tracer


@pytest.mark.parametrize("name", TRACERS)
def test_every_model_learns_by_the_same_call_and_is_read_from_its_file(name, tmp_path):
    one = tracer(name)
    model = one.build(seed=1)
    before = model.checksum()
    last = cs.fit(model, training_images(one, 64), recipe_of(one, 1, epochs=1))
    assert last.steps == 2
    assert model.checksum() != before
    cs.save(model, tmp_path / "m.safetensors")
    assert cs.load(tmp_path / "m.safetensors").checksum() == model.eval().checksum()


def test_the_same_seed_gives_the_same_weights():
    one = tracer("tracer-u-shaped")
    assert one.build(2).checksum() == one.build(2).checksum() != one.build(3).checksum()


def reach(name, size=129):
    """Return how far from a pixel the answer at it depends on the image, px."""
    one = tracer(name)
    model = one.build().at_size(size).eval()
    image = torch.rand(1, 3, size, size, requires_grad=True, generator=torch.Generator().manual_seed(0))
    middle = size // 2
    model.readouts(image, [one.readout_time], one.presentation)[0, 0, 1, middle, middle].backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()[:, 0]
    return middle - int(rows.min())


def test_the_dilated_and_the_u_shaped_control_see_further_than_the_curves_they_are_trained_on():
    # one step reaches one pixel, and the pre-net one more
    assert reach("tracer", 65) == 13
    assert reach("tracer-dilated") == 1 + 3 * (1 + 2 + 4 + 8) + 1
    assert reach("tracer-u-shaped") >= 20


def test_a_u_net_takes_images_whose_side_is_odd():
    model = tracer("tracer-u-shaped").build().at_size(43)
    assert model.readouts(torch.rand(1, 3, 43, 43), [1], cs.flash(1)).shape == (1, 1, 2, 43, 43)


def test_an_unknown_tracer_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'tracer-dilated'"):
        tracer("tracer-dilatd")
