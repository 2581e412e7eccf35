"""Figures as files: size, paper and refusals."""

import re
import sys
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from PIL import Image
from plotly.subplots import make_subplots

import cortexsim as cs
from cortexsim.plot._save import (
    AXIS_PX,
    CHARACTER_EM,
    COLUMN_MM,
    LOWEST_PLOT_PX,
    PX_PER_MM,
    _break_lines,
    _fit,
    _for_paper,
)


@pytest.fixture
def figure():
    return go.Figure(
        go.Scatter(x=[0, 1], y=[1, 0]), go.Layout(font={"color": "#7A7A7A"}, paper_bgcolor="rgba(0,0,0,0)")
    )


def test_an_svg_has_the_width_of_the_column_and_a_white_background(figure, tmp_path):
    text = cs.plot.save(figure, tmp_path / "f.svg", columns=2).read_text()
    width, height = (float(re.search(rf'{what}="([\d.]+)"', text)[1]) for what in ("width", "height"))
    assert width == pytest.approx(175 / 25.4 * 96, abs=1)
    assert height == pytest.approx(width * 2 / 3, abs=1)
    assert "rgb(255, 255, 255)" in text


def test_a_png_has_300_dots_an_inch(figure, tmp_path):
    with Image.open(cs.plot.save(figure, tmp_path / "f.png", width_mm=25.4, height_mm=50.8)) as drawn:
        assert drawn.size == (300, 600)


def test_a_pdf_embeds_its_fonts(figure, tmp_path):
    figure.update_layout(title="a title")
    assert b"/FontFile" in cs.plot.save(figure, tmp_path / "f.pdf").read_bytes()


def test_the_figure_itself_is_unchanged(figure, tmp_path):
    before = figure.to_dict()
    cs.plot.save(figure, tmp_path / "f.html")
    assert figure.to_dict() == before


def test_a_page_needs_no_network(figure, tmp_path):
    text = cs.plot.save(figure, tmp_path / "f.html").read_text()
    assert not re.search(r"<script[^>]+src=", text)


def test_a_file_that_exists_is_replaced_only_when_asked(figure, tmp_path):
    path = tmp_path / "f.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        cs.plot.save(figure, path)
    assert path.read_text() == "mine"
    cs.plot.save(figure, path, overwrite=True)
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "f.jpg"}, r"saved as \.svg, \.pdf, \.png, \.html, \.gif, \.webp, got 'f\.jpg'"),
        ({"path": "f.svg", "columns": 3}, "columns must be 1 or 2, got 3"),
        ({"path": "f.svg", "columns": []}, r"columns must be 1 or 2, got \[\]"),
        ({"path": "f.svg", "width_mm": "wide"}, "width_mm must be above 0 and at most 1000 mm, got 'wide'"),
        ({"path": "f.svg", "height_mm": [1, 2]}, "height_mm must be above 0"),
        ({"path": "f.svg", "width_mm": 0}, "width_mm must be above 0 and at most 1000 mm, got 0"),
        ({"path": "f.svg", "height_mm": float("nan")}, "height_mm must be above 0"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_anything_is_drawn(figure, given, message):
    with pytest.raises(ValueError, match=message):
        cs.plot.save(figure, **given)


def test_only_plotly_figures_can_be_saved(tmp_path):
    with pytest.raises(TypeError, match="must be a plotly figure"):
        cs.plot.save([1, 2], tmp_path / "f.svg")


def test_without_kaleido_it_says_what_to_install(figure, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ImportError, match=r'pip install "cortexsim\[figures\]"'):
        cs.plot.save(figure, tmp_path / "f.svg")
    assert list(tmp_path.iterdir()) == []


def test_captions_are_broken_into_lines_of_the_width_and_make_room(figure):
    words = " ".join(f"word{k}" for k in range(30))
    long = go.Figure(figure).update_layout(title={"text": "one", "subtitle": {"text": words}}, margin_t=60)
    added = _break_lines(long, COLUMN_MM[1] * PX_PER_MM)
    lines = long.layout.title.subtitle.text.split("<br>")
    assert " ".join(lines) == words
    assert max(map(len, lines)) <= (321 - 16) / (CHARACTER_EM * 12)
    assert long.layout.title.text == "one"
    assert added == 16 * (len(lines) - 1) > 0
    assert long.layout.margin.t == 60 + added
    short = go.Figure(long)
    assert _break_lines(short, COLUMN_MM[1] * PX_PER_MM) == 0
    assert short == long


def test_a_title_of_several_lines_starts_below_the_edge(figure):
    long = go.Figure(figure).update_layout(title={"text": "a title of many words " * 6, "pad": {"t": 10}}, margin_t=60)
    added = _break_lines(long, COLUMN_MM[1] * PX_PER_MM)
    more = long.layout.title.text.count("<br>")
    assert more >= 2
    assert long.layout.title.pad.t == 10 + 8 * more
    assert added == (17 + 8) * more


WIDTH_PX = COLUMN_MM[1] * PX_PER_MM


def test_labels_at_the_ends_of_a_single_axis_have_room():
    bars = cs.plot.parameters(cs.experiments.shipped("weight-sharing"))
    assert (
        min(_for_paper(bars).layout.margin.l, _for_paper(bars).layout.margin.r) >= len("100%") * CHARACTER_EM * 12 / 2
    )
    both = cs.plot.error_by_epoch(cs.experiments.shipped("weight-sharing"))
    assert _for_paper(both).layout.margin.l == 8


def test_labels_above_bars_are_broken_into_lines_and_their_rows_make_room():
    names = [f"a network with a name that is too long for a line: {k} parameters" for k in range(4)]
    bars = go.Figure([go.Bar(x=[0.5], y=[k], orientation="h", showlegend=False) for k in range(4)])
    for k, name in enumerate(names):
        bars.add_annotation(x=0, y=k, text=name, name="label", font={"size": 14}, showarrow=False)
    added = _fit(bars, WIDTH_PX, 214)
    lines = [one.text.split("<br>") for one in bars.layout.annotations]
    assert [" ".join(line) for line in lines] == names
    assert max(len(line) for parts in lines for line in parts) * CHARACTER_EM * 14 <= WIDTH_PX
    assert added >= 4 * max(map(len, lines)) * 1.3 * 14 + 4 * 20 - 214


def test_the_papers_error_is_written_in_lines_above_the_label_of_the_first_bar():
    figure = _for_paper(cs.plot.parameters(cs.experiments.shipped("more-states")))
    before = figure.layout.margin.t
    _fit(figure, WIDTH_PX, 214)
    (text,) = figure.select_annotations({"name": "paper"})
    (mark,) = figure.select_shapes({"name": "paper"})
    assert text.text.count("<br>") == 1
    assert max(map(len, text.text.split("<br>"))) * CHARACTER_EM * 12 <= WIDTH_PX
    assert (text.y, text.yanchor) == (1, "bottom")
    assert mark.ysizemode == "pixel"
    assert mark.y0 > 0
    assert figure.layout.margin.t > before


def test_a_wide_legend_goes_below_the_plot_which_keeps_its_height(figure):
    names = [f"a model with a name that is too long for a line, seed {k}" for k in range(4)]
    wide = go.Figure([go.Scatter(x=[0, 1], y=[k, 0], name=name) for k, name in enumerate(names)])
    added = _fit(wide, WIDTH_PX, 214)
    assert (wide.layout.legend.yref, wide.layout.legend.y, wide.layout.legend.yanchor) == ("container", 0, "bottom")
    lines = [line for trace in wide.data for line in trace.name.split("<br>")]
    assert [trace.name.replace("<br>", " ") for trace in wide.data] == names
    assert max(map(len, lines)) * CHARACTER_EM * 12 <= WIDTH_PX
    assert added >= 1.3 * 12 * len(lines)
    short = go.Figure([go.Scatter(x=[0, 1], y=[k, 0], name=str(k)) for k in range(2)])
    assert _fit(short, WIDTH_PX, 214) == 0
    assert short.layout.legend.y is None


def test_axis_titles_and_those_above_plots_are_no_longer_than_their_axes():
    titles = ["the first of these plots", "the second of these plots"]
    two = go.Figure().set_subplots(1, 2, subplot_titles=titles)
    two.update_xaxes(title_text="stimulus-onset asynchrony minus length divided by speed (steps)")
    two.update_yaxes(title_text="percentage of the maps with every pixel correct at the last time", col=1)
    added = _fit(two, WIDTH_PX, 214)
    half = WIDTH_PX / 2
    for axis in two.select_xaxes():
        assert max(map(len, axis.title.text.split("<br>"))) * CHARACTER_EM * 12 < half
    assert max(map(len, two.layout.yaxis.title.text.split("<br>"))) * CHARACTER_EM * 12 < 214
    for one, title in zip(two.layout.annotations, titles, strict=True):
        assert one.text.replace("<br>", " ") == title
        assert max(map(len, one.text.split("<br>"))) * CHARACTER_EM * one.font.size < half
    assert added > 0


def test_the_caption_of_an_experiment_is_for_the_text_and_not_in_the_picture(tmp_path):
    figure = cs.plot.latency_by_distance(cs.experiments.shipped("extrapolation"))
    text = cs.plot.caption(figure)
    assert "Mean over curves of 40 px" in text
    printed = _for_paper(figure)
    assert cs.plot.caption(printed) == ""
    assert cs.plot.caption(figure) == text
    drawn = cs.plot.save(figure, tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "Mean over curves of 40 px" not in drawn
    assert drawn.count('class="legendtext"') == len([trace for trace in figure.data if trace.showlegend is not False])


def test_plots_below_a_high_heading_are_made_no_lower_than_can_be_read(figure):
    figure.update_layout(margin={"t": 150})
    height_px = 200
    added = _fit(figure, COLUMN_MM[1] * PX_PER_MM, height_px)
    assert height_px + added - 150 - AXIS_PX == LOWEST_PLOT_PX


def grid(rows, columns, **given):
    titles = [f"{row}, {column}" for row in range(rows) for column in range(columns)]
    figure = make_subplots(rows, columns, subplot_titles=titles, **given)
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            figure.add_heatmap(z=[[0, 1]], showscale=False, row=row, col=column)
    return figure.update_xaxes(title_text="time").update_yaxes(title_text="brain time", col=1)


def domains(figure):
    pairs = zip(figure.select_xaxes(), figure.select_yaxes(), strict=True)
    return [(x.domain, y.domain) for x, y in pairs]


def test_plots_that_are_too_narrow_side_by_side_stand_under_each_other():
    figure = grid(2, 4)
    added = _fit(figure, COLUMN_MM[1] * PX_PER_MM, 200)
    across, up = zip(*domains(figure), strict=True)
    assert set(across) == {(0.0, 1.0)}
    # row by row, and none over another
    assert list(up) == sorted(up, reverse=True)
    assert all(one[0] > other[1] for one, other in pairwise(up))
    plot_px = (up[0][1] - up[0][0]) * (200 + added - AXIS_PX - (figure.layout.margin.t or 0))
    assert plot_px >= LOWEST_PLOT_PX - 1
    assert [axis.title.text for axis in figure.select_yaxes()] == ["brain time"] * 8
    assert [axis.title.text for axis in figure.select_xaxes()] == [""] * 7 + ["time"]
    assert {(one.x, one.y) for one in figure.layout.annotations} == {(0.5, span[1]) for span in up}


def test_a_strip_stays_next_to_the_first_plot_of_its_row():
    figure = grid(1, 4, column_widths=[0.06, 0.3, 0.3, 0.3])
    _fit(figure, COLUMN_MM[1] * PX_PER_MM, 200)
    (strip, first, *others) = domains(figure)
    assert strip[1] == first[1]
    assert strip[0][1] < first[0][0] == others[0][0][0]
    assert figure.layout.annotations[0].textangle == -90


def test_plots_with_room_side_by_side_stay_there():
    figure = grid(1, 2)
    before = domains(figure)
    _fit(figure, COLUMN_MM[2] * PX_PER_MM, 300)
    assert domains(figure) == before


def test_plots_that_are_too_narrow_all_the_same_are_warned_of(tmp_path):
    with pytest.warns(UserWarning, match=r"about \d+ mm wide, .*columns=2"):
        cs.plot.save(grid(1, 2, column_widths=[0.1, 0.9]), tmp_path / "narrow.svg", width_mm=24)
