"""Every panel in a window of 1280 x 800: it runs, and can be read before a run, after the first and after the third."""

import pytest

from tests.support.jupyter import EXECUTE, lab, open_notebook, run_all, write_notebook
from tests.support.layout import below_the_window, cut, overlapping, small

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

# each panel that runs, and the choices of its second and third run
STUDIES = {
    "longer": ("Longer(question='longer')", {}, {}),
    "drift": ("Drift('contours', question='passes')", {"area": "V4"}, {"area": "V2"}),
    "how_long": ("HowLong('contours', n=8, question='pooled')", {"until": 24}, {"presentation": "flash"}),
    "interruption": ("Interruption(question='too-early')", {"mask": "noise"}, {"decision": "unlatched"}),
    "masking": ("Masking('contours', n=4, question='earliest')", {"shortcut": "0.25"}, {"readout_time": 6}),
    "changes": ("Changes('digits', n=60, question='generalizes')", {"quantity": "state"}, {"state": "V2"}),
    "returning": ("Returning(question='returns')", {}, {}),
    "lesions": ("Lesions('contours', n=8, question='lateral')", {"strength": 0.5}, {"window": (3, 6)}),
    "each": ("EachLesion('contours', n=8, question='robust')", {"presentation": "flash"}, {}),
    "sequences": ("Sequences('digits', n=8, question='second')", {"place": 1}, {"place": 3}),
    "brains": ("Brains('digits', question='best')", {"method": "pearson"}, {"metric": "euclidean"}),
    "folding": ("Folding(question='difference')", {"steps": 6}, {"weights": "of its own at each step"}),
    "sweep": ("Sweep(question='axis')", {"grid": "lesions", "n": 30}, {"time": 5}),
    "recorder": ("Recorder('contours', question='smaller')", {}, {}),
}
OTHERS = {
    "tracer": "Tracer()",
    "tour": "Tour('contours', question='arrival', presentation=cs.flash(1))",
    "anatomy": "Anatomy('adjacent', question='arrival')",
    "training": "Training('tracer', question='twenty')",
    "trials": "MaskingTrials()",
    "slopes": "Experiment('weight-sharing', figures=['parameters'])",
    "equal": "Experiment('equivalence')",
    "matrices": "Experiment('generalization', figures=['trained-tested'])",
    "streams": "Experiment('sequences', figures=['time'])",
    "areas": "Experiment('more-states', figures=['parameters'])",
}
# of which more than the first button and the first picture lies in the window
WHOLE = {
    "changes": [".cs-bar", ".cs-movie", ".cortexsim-one-view .js-plotly-plot"],
    "training": ["button.mod-primary", ".js-plotly-plot"],
    "trials": ["canvas", "button"],
    "lesions": ["button.mod-primary", ".js-plotly-plot"],
    "slopes": [".js-plotly-plot"],
    "matrices": [".js-plotly-plot"],
    "streams": [".js-plotly-plot"],
}
PROJECTED = ("longer", "lesions", "each")
# the start of every panel, an answer, a run, and an error that is shown
ANSWER = "{0}.ask.answer = {0}.ask.asked.offered({0}.ask.about)[1]"
WAIT = "{0}.wait(); print({0}.error or '', {0}.notice.value)"
RUN = "{0}.choose(**{1!r}); {0}.run(); {0}.wait(); print({0}.error or '', {0}.notice.value)"
ALERT = """from cortexsim.explore.panel.notice import alert
{0}.notice.value = alert("This could not be measured", ValueError("an error of one line"), "Change the choices.")"""
# how many figures of a panel have something to draw
DRAWN = """panel => [...panel.querySelectorAll('.js-plotly-plot')]
    .filter(plot => (plot.data ?? []).some(trace => (trace.x ?? trace.z ?? []).length)).length"""
HANDLES = "panel => [...panel.querySelectorAll('.noUi-handle')].map(one => getComputedStyle(one).backgroundColor)"
# where the points at the threshold are circled
CIRCLES = """panel => JSON.stringify([...panel.querySelectorAll('.js-plotly-plot')].at(-1).layout.shapes
    .map(shape => [shape.xanchor, shape.yanchor]))"""


def opened(page, lab_address, lab_folder, name, panels, first="import cortexsim as cs"):
    """Open a notebook with these panels, and return the page."""
    cells = [first, *(f"{one} = cs.explore.{made}\n{one}" for one, made in panels.items())]
    write_notebook(lab_folder / "notebooks" / f"{name}.ipynb", *cells)
    open_notebook(page, lab_address, f"{name}.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    return page


def panel_of(page, panels, name):
    """Return the panel once it is drawn."""
    panel = page.locator(".jp-Cell").nth(1 + list(panels).index(name)).locator(".cortexsim-panel").first
    panel.wait_for(timeout=120_000)
    panel.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    return panel


def faults(panel, when, *, measured=True, whole=(), least_px=14):
    """List what a reader would stumble over, and how far button and picture reach below the window."""
    below = below_the_window(panel) + (below_the_window(panel, *whole) if whole else []) if measured else []
    found = [f"{px} px below the window" for px in below]
    kinds = {"small": small(panel, least_px), "overlapping": overlapping(panel), "cut": cut(panel)}
    return [f"{when}: {one}" for one in found + [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]]


@pytest.fixture(scope="module")
def studies(lab_address, page, lab_folder):
    """Open all panels that run in one notebook."""
    return opened(page, lab_address, lab_folder, "stage-studies", {name: made for name, (made, *_) in STUDIES.items()})


@pytest.mark.parametrize("name", STUDIES)
def test_texts_are_legible_and_the_picture_is_in_the_window_after_each_run(name, studies, looks, left_this_machine):
    panel = panel_of(studies, STUDIES, name)
    found = faults(panel, "before a run", measured=False)
    assert panel.locator(".cs-choice input").count() > 1, "there is nothing to answer"
    studies.evaluate(EXECUTE, ANSWER.format(name))
    panel.locator("button.mod-primary").first.focus()
    studies.keyboard.press("Enter")
    for k, run in enumerate([WAIT.format(name), *(RUN.format(name, choices) for choices in STUDIES[name][1:])], 1):
        assert studies.evaluate(EXECUTE, run).strip() == ""
        studies.wait_for_timeout(1500)
        found += faults(panel, f"run {k}", whole=WHOLE.get(name, ()))
        assert panel.evaluate(DRAWN), "nothing is drawn"
        # the answer that was given stays visible
        panel.locator(".cs-choice input:checked").wait_for(timeout=10_000)
        assert "rgb(255, 255, 255)" not in panel.evaluate(HANDLES), "a slider is white in every theme"
        said = panel.locator("[role=status]").all_text_contents()
        assert "".join(said).strip(), "the finding is not said"
    looks(f"stage-{name}", panel)
    assert left_this_machine() == []
    studies.evaluate(EXECUTE, ALERT.format(name))
    studies.wait_for_timeout(500)
    found += faults(panel, "after an alert")
    assert found == [], "\n".join(found)


def test_a_figure_out_of_view_follows_once_it_is_seen(studies):
    panel = panel_of(studies, STUDIES, "lesions")
    assert studies.evaluate(EXECUTE, RUN.format("lesions", {})).strip() == ""
    panel.get_by_text("more figures").click()
    slider = panel.locator(".widget-slider", has_text="decision at a confidence of").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    slider.focus()
    before = panel.evaluate(CIRCLES)
    studies.keyboard.press("Home")
    studies.wait_for_timeout(2000)
    assert panel.evaluate(CIRCLES) == before
    panel.locator(".js-plotly-plot").last.scroll_into_view_if_needed()
    both = [panel.element_handle(), before]
    studies.wait_for_function(f"([panel, before]) => ({CIRCLES})(panel) !== before", arg=both)
    # a run while these figures are open, which replaces all of them
    said = []
    studies.on("console", lambda message: said.append(message.text))
    assert studies.evaluate(EXECUTE, RUN.format("lesions", {"strength": 0.5})).strip() == ""
    studies.wait_for_timeout(1500)
    assert [text for text in said if "child view" in text or "processLuminoMessage" in text] == []


@pytest.fixture(scope="module")
def others(lab_address, page, lab_folder):
    """Open the other panels in one notebook."""
    return opened(page, lab_address, lab_folder, "stage-others", OTHERS)


@pytest.mark.parametrize("name", OTHERS)
def test_texts_of_panels_that_act_at_once_are_legible_and_their_picture_is_in_the_window(name, others, looks):
    panel = panel_of(others, OTHERS, name)
    looks(f"stage-{name}", panel)
    found = faults(panel, "opened", whole=WHOLE.get(name, ()))
    assert found == [], "\n".join(found)


# a lesson of three steps, whose run shows all that a long one does
LESSON = """import cortexsim as cs
from cortexsim.explore.training.tracing import tracing_lesson
recipe = cs.Recipe.tracing(epochs=1, batch_size=16)
lesson = tracing_lesson(n=56, n_held_out=8, recipe=recipe, tests_every=1, title="three steps")"""


def test_the_training_panel_lies_in_the_window_after_a_run_with_curves_and_with_kernels(
    page, lab_address, lab_folder, looks
):
    made = {"trained": "Training(lesson, question='twenty')"}
    panel = panel_of(opened(page, lab_address, lab_folder, "stage-trained", made, LESSON), made, "trained")
    panel.locator(".cs-choice input").nth(2).check()
    panel.get_by_role("button", name="start", exact=True).click()
    panel.locator(".cs-outcome").wait_for(timeout=240_000)
    shown = ("button", "select", ".js-plotly-plot")
    panel.get_by_role("button", name="show kernels").wait_for()
    found = faults(panel, "after a run", whole=shown)
    panel.get_by_role("button", name="show kernels").click()
    page.wait_for_timeout(1500)
    found += faults(panel, "with kernels", whole=shown)
    looks("stage-trained", panel)
    assert found == [], "\n".join(found)


@pytest.fixture(scope="module")
def projected(page, tmp_path_factory):
    """Open some of the panels in a JupyterLab of their own, which is started with `--projector`."""
    folder = tmp_path_factory.mktemp("projector")
    made = {name: STUDIES[name][0] for name in PROJECTED}
    with lab(folder, options=["--projector"]) as address:
        yield opened(page, address, folder, "stage-projected", made)
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


@pytest.mark.parametrize("name", PROJECTED)
def test_for_a_projector_all_text_is_18_px_and_nothing_is_cut(name, projected, looks):
    panel = panel_of(projected, PROJECTED, name)
    projected.evaluate(EXECUTE, ANSWER.format(name))
    assert projected.evaluate(EXECUTE, RUN.format(name, {})).strip() == ""
    projected.wait_for_timeout(1500)
    looks(f"stage-projected-{name}", panel)
    found = faults(panel, "after a run", measured=False, least_px=17.9)
    assert found == [], "\n".join(found)
