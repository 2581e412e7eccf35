"""Movies of digits, and what is asked of them when."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.paper.experiments.sequences import N_FRAMES, UNTIL, movies


@pytest.mark.parametrize("lag", [1, 2])
def test_many_to_many_asks_for_the_digit_shown_so_many_steps_ago(lag):
    made = movies(40, kind="many-to-many", lag=lag, part="train", size=16)
    labels = made["label"].values
    assert made["image"].shape == (40, N_FRAMES, 3, 16, 16)
    drawn = cs.datasets.digits(40 * N_FRAMES, debris="none", occlusion="none", size=16)
    known = {
        image.tobytes(): int(label) for image, label in zip(drawn["image"].values, drawn["label"].values, strict=True)
    }
    shown = np.array([[known[frame.tobytes()] for frame in movie] for movie in made["image"].values])
    for time in range(UNTIL + 1):
        asked = lag <= time < N_FRAMES + lag
        np.testing.assert_array_equal(labels[:, time], shown[:, time - lag] if asked else -1)


def test_many_to_one_asks_once_for_the_last_frame():
    many = movies(10, kind="many-to-many", lag=2, part="train", size=16)["label"].values
    one = movies(10, kind="many-to-one", lag=2, part="train", size=16)["label"].values
    assert (one >= 0).sum(1).tolist() == [1] * 10
    np.testing.assert_array_equal(one[:, N_FRAMES + 1], many[:, N_FRAMES + 1])


def test_one_to_many_asks_for_the_same_digit_at_every_time():
    labels = movies(10, kind="one-to-many", lag=1, part="train", size=16)["label"].values
    assert (labels[:, 0] == -1).all()
    assert (labels[:, 1:] == labels[:, 1:2]).all()
