"""What a CUDA device must give; these run only where there is one."""

import pytest
import torch

import cortexsim as cs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
MIXTURE = cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2))


@pytest.fixture
def model() -> cs.Cortex:
    torch.manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 8, "IT": 8}, size=8, self_transitions=False), 3, readout_time=4)


def test_a_gpu_records_what_the_cpu_records(model):
    images = torch.rand((20, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model.double()
    cs.calibrate(model, images, MIXTURE, until=6)
    cpu = cs.simulate(model, images, MIXTURE, until=6, dtype="float64")
    gpu = cs.simulate(model, images, MIXTURE, until=6, dtype="float64", device="cuda")
    for name in cpu.children:
        variable = "logits" if name == "readout" else "activation"
        one, other = cpu[name][variable].values, gpu[name][variable].values
        torch.testing.assert_close(torch.from_numpy(one), torch.from_numpy(other), rtol=1e-9, atol=1e-9, equal_nan=True)
    assert next(model.parameters()).device.type == "cpu"


def test_a_deterministic_recording_is_the_same_twice(model):
    images = torch.rand(20, 3, 8, 8)
    cs.calibrate(model, images, until=6)
    first, second = (cs.simulate(model, images, until=6, device="cuda", deterministic=True) for _ in range(2))
    assert first["readout"]["logits"].equals(second["readout"]["logits"])


def test_training_on_a_gpu_ends_calibrated(model):
    images, labels = torch.rand(64, 3, 8, 8), torch.arange(64) % 3
    recipe = cs.Recipe(epochs=2, batch_size=16, presentation=MIXTURE, validation=0.25, calibration_images=40)
    *_, last = cs.train(model.cuda(), (images, labels), recipe)
    assert last.done
    assert set(last.validation) == {2, 4, 6, 8}
