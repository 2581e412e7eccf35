"""The tests that need a GPU (`pytest -m gpu`), without any plug-in of pytest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.device.work import Work

ROOT = Path(__file__).parents[2]
TESTS = "tests/test_gpu.py"


class _Outcomes:
    """A plug-in that writes the outcome of each test as soon as it is known."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tests: dict[str, dict[str, object]] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        yield
        if self.work.seconds_left < 0:
            item.session.shouldstop = "the time is over"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("::")[2]
        if report.when == "call" or report.outcome != "passed":
            self.tests[name] = {"outcome": report.outcome, "seconds": round(report.duration, 2)}
            if report.failed or report.skipped:
                self.tests[name]["why"] = str(report.longrepr)[-2000:]
            self.work.write(tests=self.tests)


def run(work: Work) -> str:
    """Run the tests on the device; return what failed."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.chdir(ROOT)
    outcomes = _Outcomes(work)
    # the settings of the project name plug-ins that may be missing
    own = ["-c", os.devnull, "--rootdir", str(ROOT), "--import-mode=importlib", "-p", "no:cacheprovider", "-q"]
    own += ["-o", "markers=gpu: needs a CUDA device"]
    code = pytest.main([*own, "--device", work.device, TESTS], plugins=[outcomes])
    failed = [name for name, test in outcomes.tests.items() if test["outcome"] == "failed"]
    if failed:
        return f"{len(failed)} of {len(outcomes.tests)} tests failed: {', '.join(failed)}"
    return "" if outcomes.tests else f"pytest ran no test (exit code {int(code)})"
