"""Studies on dask: each point is written as soon as it is computed, and never computed again."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from cortexsim._support.checks import truth, whole
from cortexsim._support.extras import check_extra
from cortexsim._support.files import as_path
from cortexsim._support.memory import available
from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report, duration, silent
from cortexsim._support.renamed import formerly
from cortexsim.sweeps.ahead import impossible
from cortexsim.sweeps.folder import SweepFolder
from cortexsim.sweeps.point import PointFailedError, measure
from cortexsim.sweeps.study import Point, Study, read_study

if TYPE_CHECKING:
    from distributed import Client, Future

# more points than this are run only with `yes`
MANY = 10_000
# points submitted at once: enough for any cluster, without a list of a million
WAITING = 1000
SECONDS_TO_CONNECT = 10.0
# dask gives up a worker that died and does not start again within 15 s, which is too little on a busy machine; with no
# worker left, the sweep would wait for ever
PATIENCE = {
    "distributed.deploy.lost-worker-timeout": "5 minutes",
    "distributed.scheduler.no-workers-timeout": "10 minutes",
}
MEMORY_OF_A_WORKER = 1.2e9
GONE = "the dask scheduler is gone; finished points are kept, and resume=True (--resume) continues"

Outcome = xr.Dataset | str | None
"""What is known of a point: its result, the reason why it failed, or nothing yet, because it has just been started."""


@formerly(told="report")
def sweep(
    study: str | Path | Mapping[str, object] | Study,
    *,
    to: str | Path,
    scheduler: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    yes: bool = False,
    retries: int = 0,
    report: Report = silent,
    watch: Callable[[Point, Outcome], None] | None = None,
) -> xr.Dataset:
    """Simulate many models, seeds and presentations, one after the other or in parallel, and combine the accuracies.

    Parameters
    ----------
    study : path, mapping or Study
        A .toml file or a mapping: `models`, `data` and `until`, and as needed `n`, `seeds`, `presentations`, `noise`,
        `silence`, `calibrate_on`, `record`, `dtype`, `batch_size`; see `cortexsim.sweeps.study.Study`.
    to : path
        The folder of the study: the study, a small file for each finished point, result.nc, and recordings if the study
        asks for them (the workers write them, so they must see this folder).
    scheduler : str, optional
        Address of a dask scheduler, such as "tcp://login:8786". Without it, processes on this machine.
    workers : int, optional
        Processes on this machine; 0 computes in this one, a point after the other and without dask. By default as many
        as cores and free memory allow.
    resume : bool
        Continue a study in an existing folder: finished points are not repeated. The study may have been extended
        since.
    yes : bool
        Run a grid of more than 10,000 points.
    retries : int
        Number of times that a point that fails is tried again before it counts as failed.
    report : callable, optional
        Called with the fraction of the points that are done and a message. An exception from it stops the sweep;
        finished points are kept.
    watch : callable, optional
        Called with each point and its result, or the reason why it failed; of points that were finished before, first.
        With `workers=0` also when a point starts, with None in place of a result. An exception stops the sweep, too.

    Returns
    -------
    Dataset
        `accuracy` (model, seed, presentation, noise, silence, time) with `low` and `high`, NaN where a point is not
        done; `status` of each point. `attrs["failed"]` is the number of points that failed; failures.json in the folder
        has their settings and errors. They do not stop the others, and the next `resume` tries them again.

    Raises
    ------
    ValueError
        If the study is not allowed (the message says in which line), has no points, or too many without `yes`; if no
        point with one of its models, presentations or silences can run, which is found out before the first; if the
        folder belongs to another study, or a finished point is damaged.
    FileExistsError
        If the folder exists and `resume` is False.
    BlockingIOError
        If another process is running a study there.
    ConnectionError
        If no scheduler answers, or it is gone before all is done.
    RuntimeError
        If no process can be started on this machine.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> study = {"models": ["ventral-stream"], "data": "contours", "n": 20, "until": 4, "presentations": ["flash:1"]}
    >>> result = cs.sweep(study, to=Path(tempfile.mkdtemp()) / "study", workers=0)
    >>> dict(result["accuracy"].sizes)
    {'model': 1, 'seed': 1, 'presentation': 1, 'noise': 1, 'silence': 1, 'time': 5}
    """
    workers = None if workers is None else whole(workers, "workers", 0)
    retries = whole(retries, "retries", 0)
    if workers is not None and scheduler is not None:
        raise ValueError("workers are processes on this machine, and a scheduler has its own: give one of the two")
    planned = read_study(study)
    resume, yes = truth(resume, "resume"), truth(yes, "yes")
    if planned.n_points > MANY and not yes:
        sides = " x ".join(f"{len(values):,} {axis}s" for axis, values in planned.axes.items() if len(values) > 1)
        raise ValueError(
            f"the grid has {planned.n_points:,} points ({sides}), more than {MANY:,}; to run them all, give "
            "yes=True (--yes)"
        )
    refused = impossible(planned)
    with SweepFolder(as_path(to, "to"), planned, resume=resume) as folder:
        finished = folder.finished(planned)
        if finished:
            n = planned.n_points
            report(len(finished) / n, f"{len(finished):,} of {n:,} points are already done")
        failures: dict[str, str] = {}
        watch = watch or (lambda point, outcome: None)
        try:
            left = []
            for point in planned.points():
                if point.key in finished:
                    watch(point, finished[point.key])
                elif point.place in refused:
                    failures[point.key] = refused[point.place]
                    watch(point, refused[point.place])
                else:
                    left.append(point)
            if failures:
                first = next(point for point in planned.points() if point.key in failures)
                report(
                    (len(finished) + len(failures)) / planned.n_points,
                    f"{len(failures):,} of {planned.n_points:,} points cannot run, such as {first}: "
                    f"{failures[first.key]}",
                )
            if left and workers == 0:
                _take(_computed_here(left, folder, retries), len(left), folder, finished, failures, report, watch)
            elif left:
                with connected(scheduler, workers, len(left), report) as client:
                    computed = _computed_by(client, left, folder, retries)
                    _take(computed, len(left), folder, finished, failures, report, watch)
        finally:
            # however it ends, the finished points are combined
            result = folder.combine(planned, finished, failures)
        return result


def _take(
    computed: Generator[tuple[Point, Outcome]],
    n_left: int,
    folder: SweepFolder,
    finished: dict[str, xr.Dataset],
    failures: dict[str, str],
    report: Report,
    watch: Callable[[Point, Outcome], None],
) -> None:
    """Write each point as soon as it is computed, and report it."""
    before, started = len(finished) + len(failures), time.perf_counter()
    n = before + n_left
    with closing(computed):
        for point, outcome in computed:
            if isinstance(outcome, str):
                failures[point.key] = outcome
                said = f"FAILED: {outcome}"
            elif outcome is not None:
                finished[point.key] = outcome
                folder.keep_point(point, outcome)
                said = _said(outcome["accuracy"].isel(time=-1))
            watch(point, outcome)
            if outcome is None:
                continue
            count = len(finished) + len(failures)
            seconds = (time.perf_counter() - started) / (count - before) * (n - count)
            about = f"about {duration(seconds)} left" if count < n else "done"
            report(count / n, f"{count:,}/{n:,} {point}: {said}; {about}")


def _said(last: xr.DataArray) -> str:
    """Return the accuracy at the last time in words; that of an empty readout is NaN."""
    what = f"accuracy {percent(float(last), 1)}" if last.notnull() else "nothing to read out"
    return f"{what} at t = {int(last['time'])}"


def _computed_here(left: Sequence[Point], folder: SweepFolder, retries: int) -> Generator[tuple[Point, Outcome]]:
    """Compute one point after the other in this process; yield each when it starts, and with its outcome."""
    for point in left:
        yield point, None
        outcome: Outcome = ""
        for _ in range(retries + 1):
            try:
                outcome = measure(point, Path.cwd(), _recording(folder, point))
                break
            except PointFailedError as error:
                outcome = str(error)
        yield point, outcome


def _computed_by(
    client: Client, left: Sequence[Point], folder: SweepFolder, retries: int
) -> Generator[tuple[Point, Outcome]]:
    """Compute the points on a cluster; yield each with its outcome as soon as it is done."""
    from concurrent.futures import CancelledError

    from distributed import as_completed
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError

    run, waiting, base = uuid.uuid4().hex[:8], iter(left), Path.cwd()
    running: dict[Future[Any], Point] = {}

    def submit(points: Iterator[Point]) -> list[Future[Any]]:
        futures = []
        for point in points:
            # a unique name for each run: the cluster may remember that the point failed before
            name = f"cortexsim-{run}-{point.key}"
            recording = _recording(folder, point)
            future = client.submit(measure, point, base, recording, key=name, pure=False, retries=retries)
            running[future] = point
            futures.append(future)
        return futures

    try:
        done = as_completed(submit(islice(waiting, WAITING)), loop=client.loop, raise_errors=False)
        for future in done:
            point = running.pop(future)
            outcome = _error(future) or future.result()
            future.release()
            yield point, outcome
            for another in submit(islice(waiting, 1)):
                done.add(another)
    except (CancelledError, ClosedClientError, CommClosedError) as error:
        # the scheduler disappeared while a result was fetched or a point was sent
        raise ConnectionError(GONE) from error
    finally:
        client.cancel(list(running))


def _recording(folder: SweepFolder, point: Point) -> Path | None:
    return folder.recording(point) if point.settings["record"] else None


def _error(future: Future[Any]) -> str:
    """Return why a point failed; "" if it did not."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return ""
    error = None if future.cancelled() else future.exception()
    if error is None:
        raise ConnectionError(GONE)
    if isinstance(error, PointFailedError):
        return str(error)
    if isinstance(error, KilledWorker):
        # dask has tried it on several workers
        return "it killed the worker each time that it was tried (too little memory?)"
    return f"the worker could not start it: {type(error).__name__}: {' '.join(str(error).split())}"


@contextmanager
def connected(scheduler: str | None, workers: int | None, n_points: int, report: Report) -> Iterator[Client]:
    """Offer a dask client of a cluster, or of processes on this machine that end with it.

    Raises
    ------
    ConnectionError
        If no scheduler answers.
    RuntimeError
        If no process can be started, or distributed is missing.
    """
    check_extra("sweep", "studies")
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"no dask scheduler answers at {scheduler!r} within {SECONDS_TO_CONNECT:.0f} s ({error}); start one "
                "with `dask scheduler` and give the address that it prints, or leave it out to use this machine"
            ) from error
        with client:
            if not client.nthreads():
                report(0.0, f"{scheduler} has no worker yet; waiting for one")
            yield client
        return
    _refuse_to_begin_in_a_child()
    n = _fitting(n_points) if workers is None else min(workers, n_points)
    # any free port for dask's dashboard: another cluster may use its usual one
    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    # a point that fails is reported here; dask would log it, too, with its traceback
    options["silence_logs"] = logging.CRITICAL
    with dask.config.set(PATIENCE):
        try:
            cluster = LocalCluster(n_workers=n, **options)
        except RuntimeError as error:
            raise RuntimeError(
                f"no process could be started on this machine ({error}); a script must call this under "
                "`if __name__ == '__main__':`, or with workers=0, which computes in this process"
            ) from error
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


def _refuse_to_begin_in_a_child() -> None:
    """Refuse to sweep in a worker that is being started and runs the script of its parent."""
    import multiprocessing

    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError(
            "a script must call sweep under `if __name__ == '__main__':`, since its workers import it, too"
        )


def _fitting(n_points: int) -> int:
    """Return the number of workers that the points, the cores and the free memory allow; at least one."""
    return int(max(1, min(n_points, os.cpu_count() or 1, available() // MEMORY_OF_A_WORKER)))
