"""Growth as figures and as plots."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from eval.benchmarks.drawing import BOTTOM, LEFT, RIGHT, TOP, plot
from eval.benchmarks.figures import Figure, Missing
from eval.benchmarks.growth_figures import asked_for, grown
from eval.benchmarks.machine import Machine
from eval.benchmarks.plots import PLOTS, drawings, write_plots
from eval.benchmarks.report import Figures, Gap, Report
from eval.benchmarks.trial import Answers, Memory
from eval.benchmarks.truth import CASES

SVG = "{http://www.w3.org/2000/svg}"
MACHINE = Machine(system="Linux x86_64", cores=2, memory=None, load=0.1, python="3.11", packages={})


def figures(store: str, points: int, milliseconds: float, recall: float) -> Figures:
    return Figures(
        store=store,
        points=points,
        products=points // 2,
        points_per_second=5_000.0,
        finish_seconds=1.0,
        open_seconds=0.1,
        disk_bytes_per_product=8_000.0,
        memory=Memory(own=10 * points, mapped=90 * points),
        answers=tuple(Answers(case=case, p50=milliseconds, p95=2 * milliseconds, recall=recall) for case in CASES),
    )


@pytest.fixture
def report() -> Report:
    return Report(
        machine=MACHINE,
        dim=32,
        questions=10,
        figures=(
            figures("edge", 1_000, 0.5, 1.0),
            figures("edge", 10_000, 1.0, 0.99),
            figures("faiss-flat", 1_000, 0.1, 1.0),
            figures("faiss-flat", 10_000, 1.0, 1.0),
        ),
        growth=(),
        gaps=(
            Gap(store="edge", points=100_000, why="it died", failed=True),
            Gap(store="memory", points=100_000, why="it is for fewer", failed=False),
        ),
        choices={},
    )


def test_a_cost_stands_beside_that_at_the_size_before_with_its_recall(report: Report) -> None:
    found = {one.name: one for one in grown(report) if isinstance(one, Figure)}

    words = found["growth.edge.words.1000-10000"]
    assert words.ratio == pytest.approx(2.0)
    assert (words.beside, words.beside_baseline) == ({"recall@10": 0.99}, {"recall@10": 1.0})
    assert found["growth.edge.memory.1000-10000"].ours.median == pytest.approx(1.0), "MB"
    assert found["growth.edge.disk.1000-10000"].ours.median == pytest.approx(40.0), "MB"
    assert [(one.name, one.failed) for one in grown(report) if isinstance(one, Missing)] == [
        *((f"growth.edge.{cost}.10000-100000", True) for cost in ("words", "memory", "disk")),
        ("growth.memory.100000", False),
    ]


def test_a_stored_figure_is_missed_only_where_its_sizes_were_asked_for(report: Report) -> None:
    stored = next(one for one in grown(report) if isinstance(one, Figure))

    assert asked_for(stored, [1_000, 10_000, 100_000])
    assert not asked_for(stored, [1_000, 100_000])
    assert asked_for(Figure.of("stores.edge.words.10-percent", "", [1.0]), [1_000])


def test_every_cost_is_a_plot_that_needs_no_style_sheet(report: Report, tmp_path: Path) -> None:
    written = write_plots(report, tmp_path / "images")

    assert [path.name for path in written] == [f"performance-{name}.svg" for name in PLOTS]
    for path in written:
        root = ElementTree.parse(path).getroot()
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}style") is not None
        words = [text.text for text in root.iter(f"{SVG}text")]
        assert {"edge", "faiss-flat", "1k", "10k", "points"} <= set(words)


def test_equal_factors_are_equally_far_apart() -> None:
    lines = {"edge": [(1_000, 0.5), (10_000, 5.0), (100_000, 50.0)]}
    root = ElementTree.fromstring(plot(lines, "Searching", "ms"))
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in root.iter(f"{SVG}circle")]

    (first, second, third) = dots
    assert second[0] - first[0] == pytest.approx(third[0] - second[0], abs=0.2)
    assert first[1] - second[1] == pytest.approx(second[1] - third[1], abs=0.2)
    assert first[1] > second[1], "dearer is higher"
    assert [dot.findtext(f"{SVG}title") for dot in root.iter(f"{SVG}circle")] == [
        "edge, 1k: 0.5",
        "edge, 10k: 5",
        "edge, 100k: 50",
    ]


@pytest.mark.parametrize(
    ("costs", "labels"),
    [
        ((0.3, 40.0), ["0.1", "1", "10", "100"]),
        ((3.0, 9.0), ["2", "5", "10"]),
        ((1_500.0, 1_500.0), ["1,000", "2,000"]),
    ],
)
def test_costs_are_plain_numbers_around_what_was_measured(costs: tuple[float, float], labels: list[str]) -> None:
    assert value_labels(plot({"edge": [(1_000, costs[0]), (10_000, costs[1])]}, "", "ms")) == labels


def test_shares_end_at_one() -> None:
    drawing = plot({"edge": [(1_000, 1.0), (1_000_000, 0.97)]}, "", "recall@10", share=True)

    assert value_labels(drawing) == ["0.9", "0.92", "0.94", "0.96", "0.98", "1"]
    assert "1M" in [text.text for text in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def test_nothing_is_drawn_outside_of_the_frame(report: Report) -> None:
    for _, drawing in drawings(report):
        for dot in ElementTree.fromstring(drawing).iter(f"{SVG}circle"):
            assert LEFT <= float(dot.get("cx", "")) <= RIGHT
            assert TOP <= float(dot.get("cy", "")) <= BOTTOM


def value_labels(drawing: str) -> list[str]:
    texts = ElementTree.fromstring(drawing).iter(f"{SVG}text")
    return [text.text or "" for text in texts if text.get("class") == "q e"]


def test_one_size_is_no_growth_and_gives_no_plot(report: Report, tmp_path: Path) -> None:
    one = report.model_copy(update={"figures": report.figures[:1]})

    assert write_plots(one, tmp_path) == []
    assert [figure for figure in grown(one) if isinstance(figure, Figure)] == []
