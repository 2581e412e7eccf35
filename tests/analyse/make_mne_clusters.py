"""Make `mne_clusters.npz`: what MNE-Python says about cluster permutation tests.

The suite does not need MNE; the numbers in the file are its own. To make them again, in an environment apart:

    python -m venv mne && mne/bin/pip install mne scikit-learn
    mne/bin/python tests/analyse/make_mne_clusters.py

Eight observations of 24 times, and of 10 x 12 training and testing times: few enough that all flips of signs are tried,
so that nothing depends on how they are drawn.
"""

from pathlib import Path

import mne
import numpy as np

PATH = Path(__file__).with_name("mne_clusters.npz")


def tested(values: np.ndarray, tail: int) -> tuple[np.ndarray, np.ndarray]:
    """Return t, and at each place the p of its cluster (1 outside of clusters)."""
    t, clusters, of_clusters, _ = mne.stats.permutation_cluster_1samp_test(
        values, n_permutations="all", tail=tail, out_type="mask", verbose=False
    )
    p = np.ones(values.shape[1:])
    for where, one in zip(clusters, of_clusters, strict=True):
        p[where] = one
    return t, p


def main() -> None:
    rng = np.random.default_rng(11)
    course = rng.standard_normal((8, 24)) + 1.2 * np.exp(-((np.arange(24) - 9) ** 2) / 12) - 0.8 * (np.arange(24) > 18)
    matrix = rng.standard_normal((8, 10, 12)) + 1.5 * (abs(np.arange(10)[:, None] - np.arange(12)) < 2)
    saved = {"course": course, "matrix": matrix}
    for name, values in (("course", course), ("matrix", matrix)):
        for tail in (0, 1, -1):
            saved[f"{name}_t_{tail}"], saved[f"{name}_p_{tail}"] = tested(values, tail)
    for name, p in (("fdr_p", np.sort(rng.uniform(size=15)) ** 3),):
        saved[name], saved["fdr_corrected"] = p, mne.stats.fdr_correction(p)[1]
    np.savez_compressed(PATH, **saved, versions=np.array([f"mne {mne.__version__}"]))
    for name, values in saved.items():
        print(name, values.round(3).tolist() if "_p" in name and values.ndim == 1 else values.shape)


if __name__ == "__main__":
    main()
