"""Where a model runs, and deterministic algorithms."""

import torch

from cortexsim.model.devices import only_deterministic


def test_deterministic_algorithms_are_used_within_and_put_back_after():
    benchmark = torch.backends.cudnn.benchmark
    try:
        # the benchmark picks algorithms by how fast they just were
        torch.backends.cudnn.benchmark = True
        with only_deterministic(True):
            assert torch.are_deterministic_algorithms_enabled()
            assert not torch.backends.cudnn.benchmark
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.benchmark
        with only_deterministic(False):
            assert not torch.are_deterministic_algorithms_enabled()
            assert torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = benchmark
