"""Measure what returns to V1 after a flash, in every network of the study, and write data/results/lesions/feedback.nc.

uv run python tools/measure_feedback.py --work FOLDER

A network that was measured before is read from FOLDER; the criteria are in `cortexsim/protocols/feedback.py`.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.percentages import percent
from cortexsim.paper.experiments.result import commit, machine
from cortexsim.protocols import feedback

RESULT = Path(__file__).resolve().parents[1] / "data" / "results" / "lesions" / "feedback.nc"


def model_of(network: feedback.Network, seed: int, work: Path) -> cs.Cortex:
    """Load the network, or train the small one, unless it was trained before."""
    if network.model:
        return feedback.network_of(network.title, seed)
    path = work / f"small-seed{seed}.safetensors"
    if not path.is_file():
        torch.manual_seed(seed)
        model = feedback.small_network()
        images = cs.datasets.digits(feedback.SMALL_N, size=network.size, occlusion="none", seed=seed)
        started = time.perf_counter()
        print(f"small, seed {seed}: {cs.fit(model, images, feedback.small_recipe(seed))}", flush=True)
        print(f"trained for {time.perf_counter() - started:.0f} s", flush=True)
        cs.save(model, path)
    return cs.load(path)


def measured(network: feedback.Network, seed: int, work: Path) -> xr.Dataset:
    """Measure a network, unless it was measured before."""
    path = work / f"{network.title.replace(', ', '-').replace(' ', '-')}-seed{seed}.nc"
    if not path.is_file():
        model = model_of(network, seed, work)
        found = feedback.measure(
            network, model, lambda share, what: print(f"{network.title} {seed}: {percent(share)} {what}", flush=True)
        )
        found.to_netcdf(path, engine="h5netcdf")
    return xr.load_dataset(path, engine="h5netcdf")


def main() -> None:
    """Measure all networks and write one labelled result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="where parts are kept")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    parts = [
        measured(network, seed, options.work).expand_dims(network=[network.title], seed=[seed])
        for network in feedback.NETWORKS.values()
        for seed in range(network.seeds)
    ]
    chance = {str(part["network"].item()): part.attrs["chance"] for part in parts}
    whole = xr.merge(parts, join="outer", compat="no_conflicts", combine_attrs="drop_conflicts")
    cuts = list(dict.fromkeys(cut for part in parts for cut in part["cut"].values.tolist()))
    whole = whole.reindex(network=list(feedback.NETWORKS), cut=cuts)
    whole = whole.assign(chance=("network", [chance[name] for name in feedback.NETWORKS], {"units": "1"}))
    whole.attrs |= {
        "title": "What returns to V1 after a flash",
        "question": "V1 after a flash of one step: what can be decoded from it, and through which connection?",
        "data": f"{feedback.N} test stimuli and {feedback.N_CALIBRATION} training images of each network's own data",
        "hardware": machine("cpu", 1),
        "commit": commit(),
        "version": cs.__version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": "uv run python tools/measure_feedback.py --work FOLDER",
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    whole.to_netcdf(RESULT, engine="h5netcdf", encoding={name: {"zlib": True} for name in whole.data_vars})
    print(feedback.verdicts(whole))


if __name__ == "__main__":
    main()
