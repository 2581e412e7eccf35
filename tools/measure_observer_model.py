"""Measure the masking curve that `MaskingTrials` draws next to an observer's, and write it to data/results/masking.

uv run python tools/measure_observer_model.py
"""

import argparse
from pathlib import Path

from cortexsim._support.netcdf import save_dataset
from cortexsim._support.percentages import percent
from cortexsim.explore.masking_trials import model_curve

RESULT = Path(__file__).resolve().parents[1] / "data" / "results" / "masking" / "observer_model.nc"

if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    save_dataset(model_curve.measured(lambda fraction, message, /: print(f"{percent(fraction)} {message}")), RESULT)
