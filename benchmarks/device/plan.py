"""The plan: steps in order of priority, each in a separate process, within a given number of minutes."""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.device.work import Work, process_context
from cortexsim.model.devices import checked_device


@dataclass(frozen=True)
class Step:
    """A step of the plan.

    Parameters
    ----------
    name : str
        The module `benchmarks.device.NAME` with the function `run(work)`.
    least_s : float
        Least number of seconds left for which it is started.
    most_s : float
        Seconds after which it is ended; its output so far is kept.
    needs_data : bool
        It shows CIFAR-10 (JPEG).
    """

    name: str
    least_s: float
    most_s: float
    needs_data: bool = False


# in order of priority, but for the paper's trainings, which are last because they take all the time that is left
STEPS = (
    Step("checks", 20, 90),
    Step("speed", 30, 130),
    Step("cifar10", 45, 160, needs_data=True),
    Step("tracer", 30, 60),
    Step("kernels", 30, 80),
    Step("states", 45, 3600, needs_data=True),
)
# time that a process gets to end
GRACE_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan; return 0 if every step that was started succeeded."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks device", description=__doc__)
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"of {', '.join(names)}; by default all, in this order"
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="a file for each step is written there"
    )
    parser.add_argument("--minutes", type=float, default=8.0, metavar="N", help="time for all steps; default: 8")
    parser.add_argument("--device", default="cuda", help="default: cuda; cpu rehearses the plan")
    parser.add_argument("--data", type=Path, metavar="ARCHIVE", help="CIFAR-10 (JPEG): a .zip, .tar.xz, .npz or folder")
    parser.add_argument("--quick", action="store_true", help="tiny models, to see that everything runs")
    options = parser.parse_args(arguments)
    for name in options.steps:
        if name not in names:
            parser.error(f"there is no step {name!r}: the steps are {names}")
    if options.minutes <= 0:
        parser.error(f"--minutes must be positive, got {options.minutes:g}")
    if options.data is not None and not options.data.exists():
        parser.error(f"there is no {options.data}")
    try:
        device = checked_device(options.device).type
    except ValueError as error:
        parser.error(str(error))
    options.to.mkdir(parents=True, exist_ok=True)
    deadline = time.time() + 60 * options.minutes
    chosen = [step for step in STEPS if step.name in (options.steps or names)]
    return run_plan(chosen, Work("plan", device, options.to, deadline, options.quick, options.data))


def run_plan(steps: Sequence[Step], plan: Work) -> int:
    """Run steps one after the other, and write `plan.json` with the outcome of each.

    Parameters
    ----------
    steps : sequence of Step
    plan : Work
        Of the whole plan.

    Returns
    -------
    int
        0 if every step that was started succeeded, else 1.
    """
    context = process_context()
    outcomes: dict[str, dict[str, object]] = {}
    for step in steps:
        # a rehearsal may take longer, on a slow machine
        end = plan.deadline if plan.quick else min(plan.deadline, time.time() + step.most_s)
        work = replace(plan, step=step.name, deadline=end)
        started = time.time()
        why = _not_started(step, plan)
        if why:
            work.write(status="skipped", why=why)
        else:
            _run(context, work)
        found = work.read()
        outcomes[step.name] = {
            "status": found["status"],
            "why": found.get("why", ""),
            "seconds": round(time.time() - started, 1),
        }
        plan.write(steps=outcomes)
        print(f"{step.name}: {json.dumps(outcomes[step.name])}", flush=True)
    return int(any(outcome["status"] == "failed" for outcome in outcomes.values()))


def _not_started(step: Step, plan: Work) -> str:
    """Say why a step is not started; nothing if it is."""
    if step.needs_data and plan.data is None and not plan.quick:
        return "it needs CIFAR-10 (JPEG): give --data"
    if not plan.quick and plan.seconds_left < step.least_s:
        return f"{max(plan.seconds_left, 0):.0f} s are left, and it takes at least {step.least_s:.0f}"
    return ""


def _run(context: multiprocessing.context.BaseContext, work: Work) -> None:
    """Run a step in a separate process, so that an error of the device affects this step only."""
    work.write(status="running", date=time.strftime("%Y-%m-%d %H:%M:%S"))
    process = context.Process(target=do, args=(work,))  # type: ignore[attr-defined]
    process.start()
    try:
        process.join(max(work.seconds_left, 0) + GRACE_S)
        if process.is_alive():
            process.terminate()
            process.join(GRACE_S)
            work.write(status="stopped", why="its time was over")
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    if work.read()["status"] == "running":
        work.write(status="failed", why=f"its process ended with {process.exitcode}")


def do(work: Work) -> None:
    """Do a step, and write its outcome."""
    try:
        import torch

        torch.set_num_threads(1)
        work.write(machine=work.setting().describe())
        problem = importlib.import_module(f"benchmarks.device.{work.step}").run(work)
        work.write(status="failed" if problem else "done", why=problem or "")
    except Exception as error:
        work.write(status="failed", why=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
