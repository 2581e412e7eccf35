"""Time temporal generalization next to MNE-Python's `GeneralizingEstimator`: the same data, folds and decoder.

MNE is not needed otherwise, so each side runs in its own environment, with one thread:

    python -m venv mne && mne/bin/pip install mne scikit-learn
    OMP_NUM_THREADS=1 mne/bin/python tests/analyse/time_mne_generalization.py mne
    OMP_NUM_THREADS=1 uv run python tests/analyse/time_mne_generalization.py cortexsim
"""

import sys
import time
import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold

N, UNITS, TIMES = 200, 1024, 12


def main(side: str) -> None:
    label = np.arange(N) % 4
    values = np.random.default_rng(0).standard_normal((N, UNITS, TIMES))
    values[np.arange(N), label] += 2
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(values, label))
    run = {"mne": of_mne, "cortexsim": of_cortexsim}[side](values, label, folds)
    run()
    for _ in range(3):
        began = time.process_time()
        scores = run()
        print(f"{side}: {time.process_time() - began:.2f} s of processor time, mean accuracy {scores.mean():.3f}")


def of_mne(values, label, folds):
    from mne.decoding import GeneralizingEstimator, cross_val_multiscore
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")
    reader = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    decoder = make_pipeline(StandardScaler(), PCA(50), reader)

    def run():
        estimator = GeneralizingEstimator(decoder, scoring="accuracy", n_jobs=1, verbose=False)
        return cross_val_multiscore(estimator, values, label, cv=folds, n_jobs=1, verbose=False).mean(0)

    return run


def of_cortexsim(values, label, folds):
    import xarray as xr

    import cortexsim as cs

    node = xr.DataArray(values.transpose(0, 2, 1), {"label": ("stimulus", label)}, ("stimulus", "time", "channel"))
    return lambda: cs.analyse.temporal_generalization(node, cv=folds).values


if __name__ == "__main__":
    main(sys.argv[1])
