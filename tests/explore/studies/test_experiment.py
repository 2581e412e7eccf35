"""The panel of an experiment: the bundled result is drawn, a run replaces it and can be cancelled, errors are shown."""

import threading

import pytest

from cortexsim.cli import main
from cortexsim.explore import Experiment, reopen
from cortexsim.explore.widgets.figure import Live
from cortexsim.paper import experiments


def drawn(panel):
    return [child for child in panel.place.children if isinstance(child, Live)]


def test_a_bundled_result_is_drawn_at_once():
    panel = Experiment("equivalence")
    assert panel.source == "ships"
    assert len(drawn(panel)) == 1
    assert panel.result.attrs["experiment"] == "equivalence"
    assert "This result is bundled with cortexsim: CIFAR-10 (JPEG)" in panel.finding.value


def test_a_run_replaces_what_is_drawn_and_reports_progress(monkeypatch):
    shares, made = [], experiments.shipped("equivalence").assign_attrs(scale="smoke")

    def run(name, scale, report):
        report(0.5, "3/4 a model: step 0")
        shares.append((name, scale, panel.bar.value, panel.words.value))
        return made

    panel = Experiment("equivalence")
    monkeypatch.setattr(experiments, "run", run)
    panel.choose(scale="smoke")
    panel.button.click()
    panel.wait(20)
    name, scale, share, words = shares[0]
    assert (name, scale, share) == ("equivalence", "smoke", 0.5)
    assert words.startswith("3/4 a model: step 0")
    assert panel.source == "run here"
    assert not panel.busy
    # and back
    panel.choose(scale="ships")
    panel.button.click()
    panel.wait(20)
    assert panel.source == "ships"
    assert "This result is bundled with cortexsim: CIFAR-10 (JPEG)" in panel.finding.value


def test_an_error_in_a_run_is_shown_in_the_panel(monkeypatch):
    panel = Experiment("equivalence")
    before = panel.result

    def run(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(experiments, "run", run)
    panel.choose(scale="smoke")
    panel.run()
    panel.wait(20)
    assert "no space left" in panel.notice.value
    assert panel.result is before
    assert not panel.button.disabled


def test_a_cancelled_run_ends_at_its_next_line(monkeypatch):
    panel, started, resume = Experiment("equivalence"), threading.Event(), threading.Event()
    run, lines = experiments.run, []

    def slow(*args, report, **kwargs):
        def told(fraction, line):
            lines.append(line)
            started.set()
            resume.wait(20)
            report(fraction, line)

        return run(*args, report=told, **kwargs)

    monkeypatch.setattr(experiments, "run", slow)
    panel.choose(scale="smoke")
    panel.run()
    assert started.wait(60)
    panel.cancel()
    resume.set()
    panel.wait(60)
    assert len(lines) == 1
    assert panel.source == "ships"
    assert panel.words.value == "cancelled"


def test_settings_reproduce_the_result_that_is_shown(tmp_path):
    panel = Experiment("equivalence")
    panel.save(tmp_path / "settings.json")
    assert main(["rerun", str(tmp_path / "settings.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert experiments.open_result(tmp_path / "again.nc").identical(panel.result)


def test_settings_open_the_same_experiment_and_figures():
    panel = Experiment("one-kernel", figures=["parameters"])
    again = reopen(panel.settings)
    assert again.settings == panel.settings
    assert again.about.name == "one-kernel"
    assert again.choices["figures"] == ("parameters",)


def test_without_a_bundled_result_there_is_nothing_to_draw_yet(monkeypatch):
    monkeypatch.setattr(experiments, "shipped_names", list)
    panel = Experiment("equivalence")
    assert panel.source == ""
    assert drawn(panel) == []
    assert "There is no bundled result of this experiment yet: run it." in panel.finding.value


def test_unknown_experiments_and_figures_are_refused():
    with pytest.raises(ValueError, match=r"unknown experiment 'equivalense'.*did you mean 'equivalence'"):
        Experiment("equivalense")
    with pytest.raises(ValueError, match=r"unknown figure of equivalence 'epoch'.*\['difference'\]"):
        Experiment("equivalence", figures=["epoch"])


def test_the_caption_is_text_below_the_figure_and_stays_in_the_figure_that_is_saved():
    panel = Experiment("weight-sharing", figures=["parameters"])
    live, below = panel.place.children
    saved = panel.figures["parameters"]
    (text,) = (one.text for one in saved.select_annotations({"name": "caption"}))
    assert text.split("<br>")[0][:40] in below.value
    assert [one for one in live.figure.select_annotations({"name": "caption"})] == []
    room = [one.layout.height - one.layout.margin.t - one.layout.margin.b for one in (saved, live.figure)]
    assert room[0] == room[1]
    assert live.figure.layout.height < saved.layout.height
