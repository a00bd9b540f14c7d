"""Charts are valid drawings that say what they show, in colours that the page chooses."""

import re
from math import nan
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from eval.report.charts import heatmap, histogram, interval_chart, line_chart
from tests.pages import HOSTILE


def drawn(chart: Markup) -> ElementTree.Element:
    assert isinstance(chart, Markup)
    return ElementTree.fromstring(str(chart))


def words(chart: Markup) -> list[str]:
    return [one.text or "" for one in drawn(chart).iter("text")]


def of_kind(chart: Markup, tag: str, kind: str) -> list[ElementTree.Element]:
    return [one for one in drawn(chart).iter(tag) if kind in (one.get("class") or "").split()]


LINES = {"a": [(1.0, 0.2), (2.0, 0.4)], "b": [(1.0, 0.3), (2.0, 0.1)]}
LINE = line_chart(LINES, title="T", x_label="k", y_label="v", bands={"a": [(0.1, 0.3), (0.3, 0.5)]}, marks={2.0: "now"})
HEAT = heatmap(
    ["0", "1"], ["x", "y"], [[0.1, nan], [0.3, 0.9]], title="T", row_label="r", column_label="c", best=(1, 1)
)
DOTS = interval_chart([("a", 0.1, -0.1, 0.3), ("b", -0.2, nan, nan)], title="T", zero=True)
BARS = histogram([0.1, 0.2, 0.2, 0.9, nan], title="T", x_label="score", zero=True)


@pytest.mark.parametrize("chart", [LINE, HEAT, DOTS, BARS])
def test_every_chart_is_named_for_those_who_cannot_see_it(chart: Markup) -> None:
    root = drawn(chart)
    assert root.get("role") == "img"
    assert [one.text for one in root if one.tag == "title"] == ["T"]


@pytest.mark.parametrize("chart", [LINE, HEAT, DOTS, BARS])
def test_no_colour_is_fixed(chart: Markup) -> None:
    assert not re.search(r"#[0-9a-fA-F]{3}|rgb|black|white|fill=|stroke=|style=", str(chart))


@pytest.mark.parametrize("chart", [LINE, HEAT, DOTS, BARS])
def test_nothing_is_drawn_outside_of_the_frame(chart: Markup) -> None:
    _, _, width, height = map(float, (drawn(chart).get("viewBox") or "").split())
    for one in drawn(chart).iter():
        for name, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(one.get(name, 0)) <= most


def test_lines_have_a_legend_bands_marks_and_axis_names() -> None:
    assert len(of_kind(LINE, "polyline", "line")) == 2
    assert len(of_kind(LINE, "polygon", "band")) == 1
    assert len(of_kind(LINE, "line", "mark")) == 1
    assert {"a", "b", "k", "v", "now"} <= set(words(LINE))
    higher = {"1": [(1.0, 5.0)], "2": [(1.0, 10.0)]}
    low, high = of_kind(line_chart(higher, title="T", x_label="", y_label=""), "circle", "dot")
    assert float(high.get("cy", 0)) < float(low.get("cy", 0))


def test_the_best_cell_is_framed_the_highest_darkest_and_an_unknown_one_empty() -> None:
    cells = of_kind(HEAT, "rect", "heat")
    assert len(cells) == 3
    assert [one.findtext("title") for one in of_kind(HEAT, "rect", "best")] == ["r 1, c y: 0.9000"]
    assert max(cells, key=lambda one: float(one.get("fill-opacity", 0))).findtext("title") == "r 1, c y: 0.9000"
    assert "–" in words(HEAT)


def test_intervals_have_whiskers_where_they_are_known_and_a_line_at_zero() -> None:
    assert len(of_kind(DOTS, "line", "whisker")) == 3
    assert len(of_kind(DOTS, "circle", "dot")) == 2
    assert len(of_kind(DOTS, "line", "zero")) == 1
    assert {"+.100 [−.100, +.300]", "−.200"} <= set(words(DOTS))
    assert not of_kind(interval_chart([("a", 0.1, 0.0, 0.3)], title="T"), "line", "zero")


def test_a_histogram_counts_every_number_once() -> None:
    titles = [one.findtext("title") or "" for one in of_kind(BARS, "rect", "bar")]
    assert sum(int(title.rpartition(" ")[2]) for title in titles) == 4


def test_charts_of_nothing_are_drawn_too() -> None:
    for chart in (
        line_chart({}, title="T", x_label="", y_label=""),
        line_chart({"a": [(1.0, nan)]}, title="T", x_label="", y_label=""),
        heatmap([], [], [], title="T", row_label="", column_label=""),
        interval_chart([], title="T"),
        histogram([], title="T", x_label=""),
    ):
        assert drawn(chart).tag == "svg"


def test_names_from_outside_stay_words() -> None:
    for chart in (
        line_chart({HOSTILE: [(0, 1)], "b": [(0, 1)]}, title=HOSTILE, x_label=HOSTILE, y_label=HOSTILE),
        heatmap([HOSTILE], [HOSTILE], [[1.0]], title=HOSTILE, row_label=HOSTILE, column_label=HOSTILE),
        interval_chart([(HOSTILE, 0.1, 0.0, 0.2)], title=HOSTILE),
        histogram([1.0], title=HOSTILE, x_label=HOSTILE),
    ):
        assert HOSTILE in words(chart)
        assert not list(drawn(chart).iter("script"))
