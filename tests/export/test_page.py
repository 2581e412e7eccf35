"""A page for somebody who has nothing installed: all of it in one file, nothing asked of any network."""

import json
import re
from html.parser import HTMLParser

import pytest
import torch

import cortexsim as cs
from cortexsim._support.resources import notebooks_folder
from cortexsim.cli import main
from cortexsim.explore.widgets.movie import Movie
from cortexsim.explore.widgets.stage import Stage
from cortexsim.export.page import _from_metadata, export, exportable, open_source, widget_code


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16, shortcut=0.5), 2, 4)
    data = cs.datasets.contours(24, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.flash(1), until=4)
    return {"model": model, "data": data}


@pytest.fixture(scope="module")
def panel(given):
    panel = cs.explore.Changes(**given, n=24)
    panel.compute()
    return panel


class Page(HTMLParser):
    """What a page asks for, and what it holds."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.tags, self.content, self._in = [], [], "", ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        known = dict(attributes)
        self._in = known.get("id") or ""
        self.targets += [known[name] for name in ("src", "href", "action", "data", "poster") if known.get(name)]

    def handle_data(self, data):
        if self._in == "content":
            self.content += data


def test_a_page_has_no_target_outside_of_itself(panel, tmp_path):
    export(panel, tmp_path / "page.html")
    page = Page(tmp_path / "page.html")
    assert page.targets == ["data:,"]
    style = re.findall(r"<style>.*?</style>", (tmp_path / "page.html").read_text(encoding="utf-8"), re.DOTALL)
    assert not re.search(r"@import|url\(", "".join(style))
    assert "iframe" not in page.tags


def test_pages_can_share_one_plotly(panel, tmp_path):
    export(panel, tmp_path / "page.html", plotly="../plotly.min.js")
    assert Page(tmp_path / "page.html").targets == ["data:,", "../plotly.min.js"]
    assert (tmp_path / "page.html").stat().st_size < 1e6


def test_an_address_of_plotly_that_is_no_text_is_refused(panel, tmp_path):
    with pytest.raises(TypeError, match=r"plotly must be the address of plotly\.js as text, or None, got 1"):
        export(panel, tmp_path / "page.html", plotly=1)
    assert not (tmp_path / "page.html").exists()


def test_a_page_holds_the_films_and_figures_that_the_panel_shows(panel, tmp_path):
    export(panel, tmp_path / "page.html")
    content = json.loads(Page(tmp_path / "page.html").content)
    assert content["canvases"][0]["values"]["scene"] == panel.movie.scene
    assert len(content["figures"]) == len(panel.figures)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for said in (panel.say(panel.result), panel.subject.model.checksum(), cs.__version__, "24 stimuli at times 0 to 4"):
        assert said.replace("'", "&#x27;") in text


def test_text_like_the_end_of_a_script_does_not_end_it(panel, tmp_path):
    panel.movie.scene = {**panel.movie.scene, "quantity": "</script><b>"}
    export(panel, tmp_path / "page.html")
    assert (
        json.loads(Page(tmp_path / "page.html").content)["canvases"][0]["values"]["scene"]["quantity"] == "</script><b>"
    )
    assert "b" not in Page(tmp_path / "page.html").tags


def test_a_page_is_replaced_only_on_request(panel, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists already; choose another path, or pass --overwrite"):
        export(panel, path)
    assert path.read_text() == "mine"
    export(panel, path, overwrite=True)
    assert path.stat().st_size > 1_000_000
    assert list(tmp_path.iterdir()) == [path]


def test_another_suffix_is_refused(panel, tmp_path):
    with pytest.raises(ValueError, match=r"a page must end in .html, got '.*page.pdf'"):
        export(panel, tmp_path / "page.pdf")


def test_a_panel_that_measured_nothing_is_refused(given, tmp_path):
    with pytest.raises(ValueError, match="this Changes has measured nothing yet"):
        export(cs.explore.Changes(**given, n=24), tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_another_panel_is_refused(tmp_path):
    with pytest.raises(TypeError, match="a page can be made of a Tour and of panels that measure, got Anatomy"):
        export(cs.explore.Anatomy(), tmp_path / "page.html")


def test_the_metadata_of_a_notebook_say_which_panel_becomes_its_page():
    known = exportable()
    assert known["00_start_here.ipynb"] == {
        "panel": "Tour",
        "arguments": {"task": "contours", "presentation": {"kind": "flash", "duration": 1}},
    }
    assert known["06_what_changes.ipynb"]["panel"] == "Changes"
    assert known["06_what_changes.ipynb"]["choices"] == {"presentation": "sustained"}
    assert "01_build_a_cortex.ipynb" not in known


def test_the_page_of_a_notebook_shows_what_its_panel_opens_with():
    choices = exportable()["06_what_changes.ipynb"]["choices"]
    panel = _from_metadata(exportable()["06_what_changes.ipynb"])
    assert isinstance(panel, cs.explore.Changes)
    assert {name: panel.choices[name] for name in choices} == choices == {"presentation": "sustained"}
    assert isinstance(_from_metadata(exportable()["05_masking.ipynb"]), cs.explore.Masking)


def test_what_is_no_source_of_a_page_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"unknown lesson '{tmp_path}'"):
        open_source(tmp_path)
    with pytest.raises(TypeError, match="report must be a function of a fraction and a message, got int"):
        open_source("06", report=3)


def test_the_metadata_of_a_cell_name_the_panel_that_the_cell_opens():
    named = 0
    for path in notebooks_folder().glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "panel" in cell["metadata"].get("cortexsim", {}):
                named += 1
                metadata, code = cell["metadata"]["cortexsim"], "".join(cell["source"])
                assert f"cs.explore.{metadata['panel']}(" in code, path.name
                names = [value for value in metadata["arguments"].values() if isinstance(value, str)]
                assert all(f'"{name}"' in code for name in names), path.name
    assert named == len(exportable())


def test_metadata_that_name_no_panel_are_refused(tmp_path, monkeypatch):
    cell = {"cell_type": "code", "source": "", "metadata": {"cortexsim": {"panel": "Tour", "argument": {}}}}
    (tmp_path / "mine.ipynb").write_text(json.dumps({"cells": [cell]}))
    monkeypatch.setattr("cortexsim.export.page.notebooks_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"unknown setting 'argument': .* did you mean 'arguments'"):
        exportable()


def test_a_notebook_without_one_is_refused_with_those_that_have_one(tmp_path, capsys):
    assert main(["export", "01", "--to", str(tmp_path / "page.html")]) == 1
    told = capsys.readouterr().err
    assert "no panel of 01_build_a_cortex.ipynb can be exported" in told
    assert "'00_start_here.ipynb'" in told
    assert "Changes" in told


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there are no settings at"):
        open_source(str(tmp_path / "none.json"))
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        open_source(str(tmp_path / "broken.json"))
    (tmp_path / "other.json").write_text('{"panel": "Chnges"}')
    with pytest.raises(ValueError, match=r"panel 'Chnges'.*'Changes'"):
        open_source(str(tmp_path / "other.json"))


@pytest.mark.parametrize("panel_of", ["Tour", "Masking"])
def test_settings_of_other_panels_make_pages_too(panel_of, tmp_path, capsys):
    settings = tmp_path / "settings.json"
    if panel_of == "Tour":
        settings.write_text(json.dumps(cs.explore.Tour("digits-tiny", question="", until=4).settings))
    else:
        cs.explore.Masking("contours", n=2).save(settings)
    assert main(["export", str(settings), "--to", str(tmp_path / "page.html")]) == 0
    assert "saved" in capsys.readouterr().out
    content = json.loads(Page(tmp_path / "page.html").content)
    assert (len(content["canvases"]), len(content["figures"]) > 0) == ((1, False) if panel_of == "Tour" else (0, True))


def test_a_widgets_module_becomes_a_value_without_an_import():
    for widget in (Movie, Stage):
        code = widget_code(widget._esm)
        assert "const widget = following({" in code
        assert not re.search(r"^\s*(export|import)\b", code, re.MULTILINE)
    with pytest.raises(ValueError, match="must export its default alone"):
        widget_code("export const a = 1; export default { render() {} }")
