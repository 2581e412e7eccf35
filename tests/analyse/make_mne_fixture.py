"""Make `mne_generalization.npz`: what MNE-Python says about temporal generalization.

The suite does not need MNE; the numbers in the file are its own. To make them again, in an environment apart:

    python -m venv mne && mne/bin/pip install mne scikit-learn
    mne/bin/python tests/analyse/make_mne_fixture.py

The data are 40 patterns of 6 units at 5 times; what tells the three classes apart moves from unit to unit, so that
decoders generalize to some times and not to others.
"""

from pathlib import Path

import mne
import numpy as np
import sklearn
from mne.decoding import GeneralizingEstimator, cross_val_multiscore
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PATH = Path(__file__).with_name("mne_generalization.npz")


def main() -> None:
    rng = np.random.default_rng(7)
    label = rng.permutation(np.arange(40) % 3)
    patterns = rng.standard_normal((40, 6, 5))
    for time in range(5):
        patterns[:, time // 2, time] += 1.5 * label
        patterns[:, 3, time] += 0.5 * label
    folds = list(StratifiedKFold(4, shuffle=True, random_state=3).split(patterns, label))
    decoder = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    estimator = GeneralizingEstimator(decoder, scoring="accuracy", n_jobs=1, verbose=False)
    scores = cross_val_multiscore(estimator, patterns, label, cv=folds, n_jobs=1, verbose=False)
    tested = np.zeros(40, int)
    for k, (_, test) in enumerate(folds):
        tested[test] = k
    versions = np.array([f"mne {mne.__version__}", f"scikit-learn {sklearn.__version__}"])
    np.savez_compressed(PATH, patterns=patterns, label=label, fold=tested, scores=scores, versions=versions)
    print(PATH, scores.mean(0).round(2), sep="\n")


if __name__ == "__main__":
    main()
