"""Many models, seeds and presentations in one study, on this machine or on any dask cluster."""

from cortexsim.sweep.running import sweep

__all__ = ["sweep"]
