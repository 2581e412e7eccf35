"""Competitors that take turns in one process, A B A B, so that a disturbance affects both."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import Setting
from cortexsim._support.percentages import percent


@dataclass(frozen=True)
class Side:
    """A competitor.

    Parameters
    ----------
    name : str
    run : callable
        Does the work once.
    flops : float, optional
        Operations of its convolutions, counted on paper.
    """

    name: str
    run: Callable[[], Any]
    flops: float | None = None


def compare(
    setting: Setting, sides: Sequence[Side], peak: float | None = None, clock: Callable[[], float] | None = None
) -> list[dict[str, Any]]:
    """Run the sides in turns, and return a row for each; all are compared with the first.

    Parameters
    ----------
    setting : Setting
    sides : sequence of Side
    peak : float, optional
        The machine's best convolution, in FLOP/s.
    clock : callable, optional
        Returns seconds, in place of the setting's clock.

    Returns
    -------
    list of dict
        `side`, `ms` (median) with `ms_low` and `ms_high` (the range), `ratio` (median over rounds of its time by the
        first side's in the same round) with `ratio_low` and `ratio_high`, `n` rounds; if FLOPs are known, `gflop_s`
        and `speed` (FLOP/s by the first side's); if the peak is, `of_peak`.
    """
    clock = clock or setting.clock
    taken: dict[str, list[float]] = {side.name: [] for side in sides}
    # the first round fills caches, and prepares kernels and memory
    n_thrown_away = 0 if setting.quick else 1
    for round_ in range(n_thrown_away + setting.n_rounds):
        for side in sides:
            # garbage of one side must not be collected during another
            gc.collect()
            start = clock()
            side.run()
            seconds = clock() - start
            if round_ >= n_thrown_away:
                taken[side.name].append(max(seconds, 1e-9))
    first = sides[0]
    rows = []
    for side in sides:
        ratios = [one / other for one, other in zip(taken[side.name], taken[first.name], strict=True)]
        row: dict[str, Any] = {"side": side.name, "n": setting.n_rounds}
        row |= _spread("ms", [1e3 * seconds for seconds in taken[side.name]]) | _spread("ratio", ratios)
        if side.flops is not None:
            flop_s = side.flops / statistics.median(taken[side.name])
            row["gflop_s"] = flop_s / 1e9
            if first.flops is not None:
                row["speed"] = side.flops / first.flops / row["ratio"]
            if peak is not None:
                row["of_peak"] = flop_s / peak
        rows.append(row)
    return rows


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: statistics.median(values), f"{name}_low": min(values), f"{name}_high": max(values)}


def print_rows(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print a table: times, and their ratio to the time of the first side."""
    width = max([len(title), *(len(str(row["side"])) for row in rows)])
    print(
        f"\n{title:<{width}}  {'ms':>9} {'range':>19}  {'times the first':>22}  {'FLOP/s by first':>15}  {'of peak':>7}"
    )
    for row in rows:
        if "ms" not in row:
            print(f"{row['side']:<{width}}  {row['note']}")
            continue
        span = f"{row['ms_low']:,.1f} – {row['ms_high']:,.1f}"
        ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f} – {row['ratio_high']:.2f})"
        speed = f"{row['speed']:.2f}" if "speed" in row else ""
        of_peak = percent(row["of_peak"]) if "of_peak" in row else ""
        print(f"{row['side']:<{width}}  {row['ms']:>9,.1f} {span:>19}  {ratio:>22}  {speed:>15}  {of_peak:>7}")
