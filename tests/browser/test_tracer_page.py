"""The tracer's own code in chromium gives torch's numbers."""

import json

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.explore.tracer.code import CODE, WORKER
from cortexsim.explore.tracer.networks import COLOURS, described, shipped_content

SIZE = 24


def made(kind="BRCx1", sharing="time", until=12):
    """Make a model that was not trained, with scales, shifts and a bias that differ from one and zero."""
    graph = cs.CortexGraph([cs.State("V1", 16, SIZE, SIZE)], [cs.Transition("V1", "V1", kind)])
    generator = torch.Generator().manual_seed(3)
    settings = {"normalization": "channel", "post_net": "map", "initialization": "torch", "input_gain": 2.0}
    model = cs.Cortex(graph, 2, until, sharing=sharing, generator=generator, **settings)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return model.eval()


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "code.html"
    page.write_text(f"<!doctype html><meta charset='utf-8'><script>{WORKER}\n{CODE}</script>", encoding="utf-8")
    return page.as_uri()


RUN = """([size, n, times]) => {
  const drawn = [[], [], []];
  const until = Math.max(...times);
  for (let seed = 0; seed < n; seed++) {
    const board = new Board(size);
    if (!drawCurves(board, 6 + (seed % 9), 2, randomNumbers(seed))) throw new Error("not placed");
    const entering = net.look(board.frame(colours), size);
    let state = entering;
    const read = [];
    for (let time = 0; time <= until; time++) {
      if (time > 0) state = net.step(state, net.sustained ? entering : null, size, time);
      if (times.includes(time)) read.push(Array.from(net.read(state, size)));
    }
    drawn[0].push(Array.from(board.lines));
    drawn[1].push(board.dot);
    drawn[2].push(read);
  }
  return drawn;
}"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("model", "presentation", "n", "times"),
    [
        (made(), cs.sustained(), 200, [0, 1, 5, 24]),
        (made(sharing="none"), cs.sustained(), 20, [1, 12]),
        (made("BRCx2+I", "none"), cs.flash(1), 20, [12]),
    ],
    ids=["recurrent", "unshared", "feedforward"],
)
def test_drawings_get_the_logits_of_torch(page, code, model, presentation, n, times):
    page.goto(code)
    sustained = presentation == cs.sustained()
    page.evaluate(f"window.net = networkFrom({json.dumps(described(model, sustained=sustained))})")
    page.evaluate(f"window.colours = {json.dumps(COLOURS)}")
    lines, dots, logits = page.evaluate(RUN, [SIZE, n, times])
    shown = np.zeros((n, SIZE * SIZE, 3), np.float32)
    shown[np.array(lines, bool)] = COLOURS["line"]
    shown[np.arange(n), dots] = COLOURS["dot"]
    images = torch.from_numpy(shown).reshape(n, SIZE, SIZE, 3).permute(0, 3, 1, 2)
    with torch.no_grad():
        by_class = model.readouts(images, times=times, presentation=presentation)
    expected = (by_class[:, :, 1] - by_class[:, :, 0]).transpose(0, 1).flatten(2).numpy()
    np.testing.assert_allclose(np.array(logits), expected, atol=1e-4)


@pytest.mark.browser
def test_a_random_drawing_has_curves_that_never_touch_and_distances_along_the_dots_curve(page, code):
    page.goto(code)
    lines, dot, distances = page.evaluate(
        """() => {
          const board = new Board(32);
          drawCurves(board, 20, 3, randomNumbers(4));
          return [Array.from(board.lines), board.dot, Array.from(board.distances())];
        }"""
    )
    distances = np.array(distances)
    assert sum(lines) == 60
    assert sorted(distances[distances >= 0]) == list(range(20))
    assert distances[dot] == 0


# the worker's messages arrive late, as on a busy machine
LATE = """([content, worker]) => {
  window.Worker = class extends Worker {
    set onmessage(act) { super.onmessage = (event) => setTimeout(() => act(event), 1500); }
  };
  const root = document.body.appendChild(document.createElement("div"));
  window.view = new TracerView(root, content, worker);
  view.begin({}, 58);
  const finishedBefore = view.isFinished;
  view.questions.answer();
  view.questions.answer();
  return finishedBefore;
}"""


@pytest.mark.browser
def test_an_answer_before_the_run_has_finished_counts_once_and_adds_one_drawing(page, code):
    page.goto(code)
    assert page.evaluate(LATE, [shipped_content("nine-pixels"), WORKER]) is False
    page.wait_for_function("() => view.questions.answers.length > 0", timeout=60_000)
    page.wait_for_timeout(200)
    assert page.evaluate("() => [view.questions.answers.length, view.charts.steps.drawn.length]") == [1, 1]


def test_a_model_of_another_kind_is_refused(small_model):
    with pytest.raises(ValueError, match=r'lacks: one state, .*the normalization "channel"'):
        described(small_model)
