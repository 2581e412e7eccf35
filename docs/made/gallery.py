"""What the gallery draws: figures of shipped models and results, each with the code that draws it."""

from __future__ import annotations

import ast
from typing import Any

import plotly.graph_objects as go

SHARED = """\
import cortexsim as cs

curves = cs.datasets.contours(100, part="test")
model = cs.zoo.load("ventral-stream")
recording = cs.simulate(model, curves, cs.sustained(), until=8)"""
"""Runs once, before the figures."""

FIGURES = {
    "A curve is traced": """\
paths = cs.datasets.paths(20, size=48, length=(40, 40), part="test")
tracer = cs.zoo.load("tracer").at_size(48)
traced = cs.simulate(tracer, paths, cs.sustained(), until=48, record=[])
cs.plot.film_strip(traced["readout"], paths)""",
    "Accuracy grows with the readout time": """\
accuracy = cs.analyse.accuracy(recording["readout"], by="curve_length", edges=[8, 14, 21, 28])
cs.plot.time_course(accuracy)""",
    "Activity of an area": """\
cs.plot.activity(recording, stimulus=0, time=4)""",
    "When each area is populated": """\
cs.plot.latencies(cs.plot.arrivals(recording))""",
    "Speed against accuracy": """\
decisions = cs.analyse.reaction_time(recording["readout"], threshold=0.9)
cs.plot.reaction_times(decisions)""",
    "Codes over time": """\
generalization = cs.analyse.temporal_generalization(recording["V4"], "label")
cs.plot.temporal_generalization(generalization)""",
    "Similarity of two areas over time": """\
alignment = cs.analyse.cka(recording["V4"], recording["IT"])
cs.plot.cka(alignment)""",
    "Dissimilarity of stimuli": """\
few = cs.simulate(model, curves.isel(stimulus=slice(0, 20)), cs.sustained(), until=8)
cs.plot.dissimilarity(cs.analyse.rdm(few["IT"]).sel(time=8))""",
    "Trajectories": """\
cs.plot.trajectory(cs.analyse.trajectory(recording["IT"]))""",
    "Running longer than trained": """\
extrapolation = cs.experiments.shipped("extrapolation")
cs.plot.over_time_by_length(extrapolation)""",
    "Control models on longer curves": """\
cs.plot.controls_by_length(extrapolation)""",
    "Steps needed": """\
cs.plot.steps_by_length(extrapolation)""",
    "A mask interrupts the wave": """\
cs.plot.collapse(extrapolation)""",
    "The predictions of the paper, judged": """\
cs.plot.verdicts(cs.predictions.check())""",
    "Mazes": """\
cs.plot.over_time_by_maze(extrapolation)""",
    "Readout times of the paper": """\
cs.plot.experiment(cs.experiments.shipped("readout-time"))["readout"]""",
    "Weights shared over time": """\
cs.plot.experiment(cs.experiments.shipped("weight-sharing"))["parameters"]""",
    "Unrolled and residual networks are equal": """\
cs.plot.experiment(cs.experiments.shipped("equivalence"))["difference"]""",
}
"""Title, and code whose last line is the figure."""


def drawn() -> dict[str, go.Figure]:
    """Run the code of all figures, in order, in one namespace.

    Returns
    -------
    dict of str to Figure
    """
    names: dict[str, Any] = {}
    exec(SHARED, names)
    made = {}
    for title, code in FIGURES.items():
        body = ast.parse(code)
        figure = body.body.pop()
        assert isinstance(figure, ast.Expr), title
        exec(compile(body, title, "exec"), names)
        made[title] = eval(compile(ast.Expression(figure.value), title, "eval"), names)
    return made
