"""Files damaged at random, each opened as its user would open it, and the outcomes.

`cases` yields damaged files of every kind, `judge` opens one and returns the outcome. The rule: the same contents as
before, or an error in the project's own words.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cortexsim as cs

SLOW = 5.0  # seconds of processor time; reading these files takes a fraction of one
OUTCOMES = ("same", "refused", "different", "raw", "slow")
OWN = (ValueError, TypeError, FileNotFoundError, FileExistsError, PermissionError)


@dataclass(frozen=True)
class Case:
    """A damaged file.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    path : Path
    damage : str
        Description of the damage.
    """

    kind: str
    path: Path
    damage: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of opening a file.

    Parameters
    ----------
    what : str
        One of `OUTCOMES`: the same contents; refused in the project's own words; other contents without an error; a raw
        error; or too slow.
    text : str
        The error.
    """

    what: str
    text: str = ""


# --- the files, and what is in them


def make(folder: Path) -> dict[str, Path]:
    """Write one whole file of each kind, and return them by kind."""
    from rsatoolbox.rdm import RDMs
    from scipy.io import savemat

    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3)
    pictures = torch.rand((4, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    cs.calibrate(model, pictures, until=4)
    files = {kind: folder / f"whole{suffix}" for kind, suffix in SUFFIXES.items()}
    for kind in ("zarr", "nc"):
        cs.simulate(model, pictures, until=4, batch_size=2, to=files[kind]).close()
    cs.save(model, files["model"])
    cs.explore.Anatomy(question="").save(files["panel"])
    files["study"].write_text(
        'models = ["digits-tiny"]\ndata = "digits"\nuntil = 4\nn = 6\nseeds = [0, 1]\npresentations = ["flash:1"]\n'
    )
    rdm = np.random.default_rng(0).random((2, 5, 5))
    rdm = rdm + rdm.transpose(0, 2, 1)
    rdm[:, range(5), range(5)] = 0
    struct = np.zeros((1, 2, 1), dtype=[("RDM", object), ("name", object)])
    for subject in range(2):
        struct[0, subject, 0] = (rdm[subject], f"IT | S{subject} | Session: 1")
    savemat(files["mat"], {"RDMs": struct})
    RDMs(rdm, rdm_descriptors={"subject": ["a", "b"]}).save(str(files["h5"]), file_type="hdf5")
    np.savez(files["npz"], rdm=rdm, dims=np.array(["subject", "stimulus", "other_stimulus"]))
    return files


def _of_recording(path: Path) -> Any:
    cs.verify(path)
    with cs.open_recording(path) as recording:
        nodes = {name: node.to_dataset(inherit=False).load() for name, node in recording.children.items()}
        return {name: _by_name(node.to_dict()) for name, node in nodes.items()}, recording.cortex.settings


def _by_name(value: Any) -> Any:
    """Return nested mappings in the order of their names: a folder lists its files in any order."""
    return {name: _by_name(value[name]) for name in sorted(value)} if isinstance(value, dict) else value


def _of_model(path: Path) -> Any:
    model = cs.load(path)
    return model.checksum(), [str(one) for one in model.statistics.values()], model.classes


def _of_panel(path: Path) -> Any:
    from cortexsim.explore.panel.reopening import reopen

    return reopen(path).settings


def _of_study(path: Path) -> Any:
    from cortexsim.sweeps.study import read_study

    return read_study(path)


def _of_brains(path: Path) -> Any:
    return cs.brains.read(path).to_dict()


READERS: dict[str, Callable[[Path], Any]] = {
    "zarr": _of_recording,
    "nc": _of_recording,
    "model": _of_model,
    "panel": _of_panel,
    "study": _of_study,
    "mat": _of_brains,
    "h5": _of_brains,
    "npz": _of_brains,
}
KINDS = tuple(READERS)
SUFFIXES = {
    "zarr": ".zarr",
    "nc": ".nc",
    "model": ".safetensors",
    "panel": ".json",
    "study": ".toml",
    "mat": ".mat",
    "h5": ".h5",
    "npz": ".npz",
}
# a change in these is another valid text or number, which cannot be detected
UNCHECKED = ("panel", "study", "mat", "h5", "npz")


# --- damage


def cases(files: dict[str, Path], folder: Path, n: int, seed: int = 0) -> Iterator[Case]:
    """Yield damaged copies of whole files, `n` of each kind: bits, bytes and stretches changed, cut, or lost.

    Parameters
    ----------
    files : dict of str to Path
        By kind, as `make` returns them.
    folder : Path
        Folder of the copies; each is removed when the next one is requested.
    n, seed : int
    """
    for kind, whole in files.items():
        drawn = random.Random(f"{seed} {kind}")
        for number in range(n):
            path = folder / f"{number}{whole.suffix}"
            if whole.is_dir():
                shutil.copytree(whole, path)
            else:
                shutil.copy(whole, path)
            yield Case(kind, path, _damage(path, drawn))
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _damage(path: Path, drawn: random.Random) -> str:
    file = drawn.choice(sorted(one for one in path.rglob("*") if one.is_file())) if path.is_dir() else path
    held = bytearray(file.read_bytes())
    place = drawn.randrange(len(held))
    how = drawn.choices(("bit", "byte", "stretch", "cut", "gone"), (60, 20, 10, 8, 2))[0]
    if how == "bit":
        held[place] ^= 1 << drawn.randrange(8)
    elif how == "byte":
        held[place] = drawn.randrange(256)
    elif how == "stretch":
        held[place : place + 8] = drawn.randbytes(len(held[place : place + 8]))
    elif how == "cut":
        del held[place:]
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(held)
    return f"{how} at {place} of {file.relative_to(path.parent)}"


# --- outcomes


def judge(case: Case, expected: str) -> Outcome:
    """Open a damaged file, and return the outcome.

    Parameters
    ----------
    case : Case
    expected : str
        What `contents` returns for the whole file.
    """
    begun = time.process_time()
    try:
        with ended_after(SLOW * 12):
            found = contents(case.kind, case.path)
    except TimeoutError as error:
        return Outcome("slow", str(error))
    except Exception as error:
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        named = isinstance(error, OWN) and (case.path.name in str(error) or case.kind in UNCHECKED)
        return Outcome("refused" if named else "raw", text)
    if time.process_time() - begun > SLOW:
        return Outcome("slow", f"{time.process_time() - begun:.1f} s of processor time")
    return Outcome("same" if found == expected else "different")


def contents(kind: str, path: Path) -> str:
    """Open a file as its user would, and return all that is in it as one text."""
    read = READERS[kind](path)
    return repr(read).replace(path.name, "")


def count(n: int, folder: Path, seed: int = 0) -> tuple[dict[str, Counter[str]], list[str]]:
    """Damage and open `n` files of each kind; return the outcomes by kind, and the cases that break the rule."""
    files = make(folder)
    expected = {kind: contents(kind, path) for kind, path in files.items()}
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in files}
    broken = []
    for case in cases(files, folder, n, seed):
        outcome = judge(case, expected[case.kind])
        counts[case.kind][outcome.what] += 1
        if outcome.what in ("raw", "slow") or (outcome.what == "different" and case.kind not in UNCHECKED):
            broken.append(json.dumps([case.kind, case.damage, outcome.what, outcome.text]))
    return counts, broken


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in work that takes longer, if the system has alarms; C code in a loop is not interrupted."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ended(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
