"""Growth as figures and as plots."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from eval.benchmarks.figures import Figure, Missing
from eval.benchmarks.growth_figures import grown
from eval.benchmarks.machine import Machine
from eval.benchmarks.plots import PLOTS, write_plots
from eval.benchmarks.report import Figures, Gap, Report
from eval.benchmarks.trial import Answers, Memory
from eval.benchmarks.truth import CASES

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

    words = found["growth.edge.words.10000"]
    assert words.ratio == pytest.approx(2.0)
    assert (words.beside, words.beside_baseline) == ({"recall@10": 0.99}, {"recall@10": 1.0})
    assert found["growth.edge.memory.10000"].ours.median == pytest.approx(1.0), "MB"
    assert found["growth.edge.disk.10000"].ours.median == pytest.approx(40.0), "MB"
    assert {one.name for one in grown(report) if isinstance(one, Missing)} == {"growth.edge.100000"}


def test_every_cost_is_a_plot_that_needs_no_style_sheet(report: Report, tmp_path: Path) -> None:
    written = write_plots(report, tmp_path / "images")

    assert [path.name for path in written] == [f"performance-{name}.svg" for name in PLOTS]
    for path in written:
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find("{http://www.w3.org/2000/svg}style") is not None
        names = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
        assert "edge" in names
        assert "faiss-flat" in names


def test_one_size_is_no_growth_and_gives_no_plot(report: Report, tmp_path: Path) -> None:
    one = report.model_copy(update={"figures": report.figures[:1]})

    assert write_plots(one, tmp_path) == []
    assert [figure for figure in grown(one) if isinstance(figure, Figure)] == []
