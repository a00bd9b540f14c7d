"""Figures of a benchmark: what their ratios mean, when they are reached, and when one has become worse."""

from datetime import date
from pathlib import Path

import pytest

from eval.benchmarks.figures import Figure, Given, Kind, Missing, Wanted, alternate
from eval.benchmarks.kept import LAST, lines_of, merged, read_lines, worsened, write_lines
from eval.benchmarks.machine import Machine
from eval.benchmarks.running import DOCUMENT, GROUPS, main, run
from eval.benchmarks.tables import BEGIN, END, markdown, written_into

MACHINE = Machine(system="Linux x86_64", cores=2, memory=None, load=0.1, python="3.11", packages={"numpy": "2.3"})
TODAY = date(2026, 11, 22)


def figure(name: str, ratio: float, kind: Kind = "cost") -> Figure:
    ours, baseline = (1.0, ratio) if kind == "speedup" else (ratio, 1.0)
    return Figure.of(name, "a thing", [ours], kind=kind, against="another", baseline=[baseline])


@pytest.mark.parametrize(("kind", "ratio"), [("speedup", 4.0), ("cost", 0.25), ("share", 0.25)])
def test_a_ratio_says_how_many_times_faster_dearer_or_what_share(kind: Kind, ratio: float) -> None:
    assert Figure.of("a.b", "", [2.0, 2.0], kind=kind, baseline=[8.0, 8.0]).ratio == pytest.approx(ratio)


def test_a_ratio_is_the_median_of_the_pairs_so_that_a_slow_moment_counts_for_both() -> None:
    paired = Figure.of("a.b", "", [1.0, 10.0, 2.0], kind="speedup", baseline=[3.0, 30.0, 6.0])
    apart = Figure.of("a.b", "", [1.0, 10.0, 2.0], kind="speedup", baseline=[6.0, 6.0])

    assert paired.ratio == pytest.approx(3.0)
    assert paired.ours.median == 2.0
    assert paired.ours.iqr == pytest.approx(4.5)
    assert apart.ratio == pytest.approx(3.0), "of the medians"


def test_an_allowance_is_taken_off_ours_before_the_ratio() -> None:
    assert Figure.of("a.b", "", [3.4], baseline=[2.0], allowed=1.0).ratio == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (None, None),
        (Wanted(at_least=2.0), True),
        (Wanted(at_least=2.1), False),
        (Wanted(at_most=2.0), True),
        (Wanted(at_most=1.9), False),
        (Wanted(within=4.0), True),
        (Wanted(within=3.9), False),
    ],
)
def test_what_is_wanted_is_of_the_ratio_or_within_of_ours(wanted: Wanted | None, reached: bool | None) -> None:
    assert Figure.of("a.b", "", [4.0], baseline=[2.0], wanted=wanted).reached is reached


def test_a_ratio_that_was_not_measured_does_not_reach_what_is_wanted() -> None:
    assert Figure.of("a.b", "", [4.0], wanted=Wanted(at_most=2.0)).reached is False


def test_ours_and_the_baseline_take_turns_and_who_is_first_changes() -> None:
    called: list[str] = []
    ours, baseline = alternate(
        lambda: called.append("A"), lambda: called.append("B"), 3, warm=1, between=lambda: called.append(".")
    )

    assert "".join(called) == ".A.B" + ".B.A" + ".A.B" + ".B.A" + "."
    assert (len(ours), len(baseline)) == (3, 3)
    assert min(*ours, *baseline) >= 0


@pytest.mark.parametrize("kind", ["speedup", "share"])
def test_more_than_a_fifth_less_is_worse(kind: Kind) -> None:
    stored = [figure("a.b", 6.0, kind)]

    assert list(worsened(stored, [figure("a.b", 5.1, kind)], ["a"])) == []
    assert list(worsened(stored, [figure("a.b", 60.0, kind)], ["a"])) == []
    (worse,) = worsened(stored, [figure("a.b", 4.9, kind)], ["a"])
    assert str(worse) == "a.b: the ratio is 4.90 and was 6.00, 22% worse"


def test_more_than_a_fifth_dearer_is_worse() -> None:
    stored = [figure("a.b", 1.0)]

    assert list(worsened(stored, [figure("a.b", 1.19)], ["a"])) == []
    assert [worse.times for worse in worsened(stored, [figure("a.b", 1.3)], ["a"])] == [pytest.approx(1.3)]


def test_a_stored_ratio_that_is_gone_is_worse_unless_its_group_was_not_asked_for() -> None:
    stored = [figure("a.b", 1.0), figure("c.d", 1.0), Figure.of("a.e", "without a ratio", [1.0])]

    (worse,) = worsened(stored, [], ["a"])

    assert str(worse) == "a.b: stored with a ratio of 1.00, and not measured this time"


def test_figures_are_kept_as_they_were_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.jsonl"
    figures = [
        Figure.of("a.b", "a thing", [1.0, 2.0], unit="s", wanted=Wanted(within=3.0), beside={"recall@10": 0.99}),
        figure("a.c", 2.0, "speedup"),
    ]
    lines = lines_of(figures, MACHINE, TODAY)
    write_lines(path, lines)

    assert read_lines(path) == lines
    assert len(path.read_text("utf-8").splitlines()) == 2
    assert read_lines(tmp_path / "none.jsonl") == []


def test_a_run_of_one_group_replaces_that_group_only() -> None:
    before = lines_of([figure("a.old", 1.0), figure("b.c", 1.0)], MACHINE, TODAY)
    now = lines_of([figure("a.new", 1.0)], MACHINE, TODAY)

    assert [line.name for line in merged(before, now, ["b", "a"])] == ["b.c", "a.new"]


def test_the_table_has_the_recall_beside_a_latency_and_what_was_not_reached() -> None:
    one = Figure.of(
        "stores.edge.words",
        "a search",
        [1.3, 1.5],
        against="the bare engine",
        baseline=[1.0, 1.0],
        wanted=Wanted(at_most=1.3),
        beside={"recall@10": 0.9981},
        beside_baseline={"recall@10": 1.0},
    )
    table = markdown(lines_of([one], MACHINE, TODAY))

    assert table.splitlines()[0] == "Run of 2026-11-22. Linux x86_64, 2 cores, load 0.1, Python 3.11, numpy 2.3."
    assert table.splitlines()[-1] == (
        "| `stores.edge.words` | a search; the bare engine | 1.40 ± 0.05 ms (recall@10 .998) "
        "| 1.00 ms (recall@10 1.000) | 1.40 | ≤ 1.3 × | **no** |"
    )


def test_the_table_is_written_between_its_marks() -> None:
    lines = lines_of([figure("a.b", 1.0)], MACHINE, TODAY)
    written = written_into(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n", lines)

    assert written == f"Before.\n{BEGIN}\n{markdown(lines)}\n{END}\nAfter.\n"
    assert written_into(written, lines) == written
    with pytest.raises(ValueError, match="no place for figures"):
        written_into("Before.", lines)


def test_the_documentation_shows_the_figures_that_were_stored() -> None:
    document = DOCUMENT.read_text("utf-8")

    assert written_into(document, read_lines(LAST)) == document


def test_a_group_that_fails_leaves_a_gap_that_says_why(tmp_path: Path) -> None:
    (gap,) = run(["nothing"], Given(tmp_path))

    assert isinstance(gap, Missing)
    assert gap.name == "nothing"
    assert "nothing_figures" in gap.why


def test_every_group_can_be_asked_for_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "decoding,everything"])

    assert ended.value.code == 2
    assert f"no group 'everything'; there are {', '.join(GROUPS)}" in capsys.readouterr().err
