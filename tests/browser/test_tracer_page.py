"""The tracer's own code in chromium gives torch's numbers."""

import json

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.explore.tracer.code import CODE, WORKER
from cortexsim.explore.tracer.networks import COLOURS, described

SIZE, N, TIMES = 24, 200, (0, 1, 5, 24)


@pytest.fixture(scope="module")
def model():
    """A tracer that was not trained, with scales, shifts and a bias that differ from one and zero."""
    graph = cs.CortexGraph([cs.State("V1", 16, SIZE, SIZE)], [cs.Transition("V1", "V1", "BRCx1")])
    generator = torch.Generator().manual_seed(3)
    made = cs.Cortex(graph, 2, 12, normalization="channel", post_net="map", initialization="torch", generator=generator)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return made.eval()


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "code.html"
    page.write_text(f"<!doctype html><meta charset='utf-8'><script>{WORKER}\n{CODE}</script>", encoding="utf-8")
    return page.as_uri()


@pytest.mark.browser
def test_200_drawings_get_the_logits_of_torch(page, code, model):
    page.goto(code)
    page.evaluate(f"window.net = networkFrom({json.dumps(described(model))})")
    page.evaluate(f"window.colours = {json.dumps(COLOURS)}")
    lines, dots, logits = page.evaluate(
        """([size, n, times]) => {
          const drawn = [[], [], []];
          const until = Math.max(...times);
          for (let seed = 0; seed < n; seed++) {
            const board = new Board(size);
            if (!drawCurves(board, 6 + (seed % 9), 2, randomNumbers(seed))) throw new Error("not placed");
            const entering = net.look(board.frame(colours), size);
            let state = entering;
            const read = [];
            for (let time = 0; time <= until; time++) {
              if (time > 0) state = net.step(state, entering, size, time);
              if (times.includes(time)) read.push(Array.from(net.read(state, size)));
            }
            drawn[0].push(Array.from(board.lines));
            drawn[1].push(board.dot);
            drawn[2].push(read);
          }
          return drawn;
        }""",
        [SIZE, N, list(TIMES)],
    )
    shown = np.zeros((N, SIZE * SIZE, 3), np.float32)
    shown[np.array(lines, bool)] = COLOURS["line"]
    shown[np.arange(N), dots] = COLOURS["dot"]
    images = torch.from_numpy(shown).reshape(N, SIZE, SIZE, 3).permute(0, 3, 1, 2)
    with torch.no_grad():
        by_class = model.readouts(images, times=list(TIMES), presentation=cs.sustained())
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


def test_a_model_of_another_kind_is_refused(small_model):
    with pytest.raises(ValueError, match=r'lacks: one state, .*the normalization "channel"'):
        described(small_model)
