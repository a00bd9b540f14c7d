"""Figures of a benchmark: what their ratios mean, when they are reached, and when one has become worse."""

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from eval.benchmarks.figures import Figure, Given, Kind, Missing, Wanted, alternate
from eval.benchmarks.kept import LAST, lines_of, merged, read_lines, worsened, write_lines
from eval.benchmarks.machine import Machine
from eval.benchmarks.running import DOCUMENT, GROUPS, confirmed, main, measured, run
from eval.benchmarks.tables import BEGIN, END, markdown, terminal, written_into

MACHINE = Machine(system="Linux x86_64", cores=2, memory=None, load=0.1, python="3.11", packages={"numpy": "2.3"})
TODAY = date(2026, 11, 22)


def figure(name: str, ratio: float, kind: Kind = "cost") -> Figure:
    ours, baseline = (1.0, ratio) if kind == "speedup" else (ratio, 1.0)
    return Figure.of(name, "a thing", [ours], kind=kind, against="another", baseline=[baseline])


def varying(name: str, *ratios: float) -> Figure:
    return Figure.of(name, "a thing", ratios, against="another", baseline=[1.0] * len(ratios))


def within(name: str, spent: float, wanted: float = 2.0) -> Figure:
    """A figure that nothing stands beside."""
    return Figure.of(name, "a thing", [spent], unit="s", wanted=Wanted(within=wanted))


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
    assert (paired.spread, apart.spread) == (0.0, 0.0)
    assert varying("a.b", 1.0, 2.0, 3.0, 4.0, 5.0).spread == 2.0


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
    assert [str(worse) for worse in worsened(stored, [figure("a.b", 1.3)], ["a"])] == [
        "a.b: the ratio is 1.30 and was 1.00, 30% worse"
    ]


def test_a_ratio_is_not_worse_while_it_may_be_that_of_before() -> None:
    stored = [varying("a.b", 0.9, 1.0, 1.1)]

    assert list(worsened(stored, [varying("a.b", 0.7, 1.3, 1.9)], ["a"])) == [], "1.0 to 1.6 touches .95 to 1.05"
    (worse,) = worsened(stored, [varying("a.b", 1.2, 1.3, 1.4)], ["a"])
    assert str(worse) == "a.b: the ratio is 1.30 and was 1.00, 30% worse"


def test_a_ratio_below_a_hundredth_is_told_with_digits_that_count() -> None:
    (worse,) = worsened([figure("a.b", 0.0021)], [figure("a.b", 0.0042)], ["a"])

    assert str(worse) == "a.b: the ratio is 0.0042 and was 0.0021, 100% worse"


def test_a_figure_without_a_ratio_is_held_against_nothing_but_its_target() -> None:
    stored = [within("a.b", 0.5)]

    assert list(worsened(stored, [within("a.b", 1.9)], ["a"])) == []
    (worse,) = worsened(stored, [within("a.b", 2.1)], ["a"])
    assert str(worse) == "a.b: 2.10 s, where ≤ 2 is wanted and was reached"
    assert list(worsened([within("a.b", 3.0)], [within("a.b", 4.0)], ["a"])) == [], "it was not reached before"


def test_a_stored_figure_that_is_gone_is_worse_unless_its_group_was_not_asked_for() -> None:
    stored = [figure("a.b", 1.0), figure("c.d", 1.0)]
    gap = Missing(name="a", why="failed: no such file")

    (worse,) = worsened(stored, [gap], ["a"])

    assert str(worse) == "a.b: stored, and not measured this time"


def test_what_a_machine_is_free_not_to_have_is_not_gone() -> None:
    stored = [figure("peers.other", 1.0), figure("peers.others", 1.0)]
    gap = Missing(name="peers.other", why="not installed here", failed=False)

    assert [str(worse) for worse in worsened(stored, [gap], ["peers"])] == [
        "peers.others: stored, and not measured this time"
    ]


def test_what_is_worse_is_measured_once_more_before_it_is_said() -> None:
    stored = [figure("a.busy", 1.0), figure("a.slow", 1.0), figure("b.c", 1.0), figure("c.gone", 1.0)]
    found = [figure("a.busy", 1.5), figure("a.slow", 1.5), figure("b.c", 1.0)]
    repeated: list[str] = []

    def again(groups: Sequence[str]) -> list[Figure]:
        repeated.extend(groups)
        return [figure("a.busy", 1.1), figure("a.slow", 1.6)]

    worse = confirmed(stored, found, ["a", "b", "c"], again)

    assert [one.before.name for one in worse] == ["a.slow", "c.gone"]
    assert repeated == ["a"], "what is gone will not come back"


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

    assert [line.name for line in merged(before, now, {"a"}, ["b", "a"])] == ["b.c", "a.new"]


def test_of_a_group_that_failed_what_it_did_not_come_to_stays_stored() -> None:
    before = lines_of([figure("a.one", 1.0), figure("a.two", 1.0)], MACHINE, TODAY)
    now = lines_of([figure("a.one", 2.0)], MACHINE, TODAY)

    kept = merged(before, now, set(), ["a"])

    assert [(line.name, line.ratio) for line in kept] == [("a.one", 2.0), ("a.two", 1.0)]


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
        "| 1.00 ms (recall@10 1.000) | 1.40 ± 0.05 | ≤ 1.3 × | **no** |"
    )


def test_groups_that_were_measured_apart_say_under_what_load_each() -> None:
    busy = MACHINE.model_copy(update={"load": 3.0})
    lines = [
        *lines_of([figure("a.one", 1.0), figure("a.two", 1.0), figure("b.one", 1.0)], MACHINE, TODAY),
        *lines_of([figure("c.one", 1.0)], busy, TODAY),
    ]

    assert markdown(lines).splitlines()[:5] == [
        "Runs of 2026-11-22.",
        "",
        "- a, b: Linux x86_64, 2 cores, load 0.1, Python 3.11, numpy 2.3",
        "- c: Linux x86_64, 2 cores, load 3.0, Python 3.11, numpy 2.3",
        "",
    ]


def test_in_the_terminal_no_name_is_cut_off_and_recall_stands_below_its_latency() -> None:
    one = Figure.of("stores.edge.words.10-percent", "", [1.3, 1.5], baseline=[1.0, 1.0], beside={"recall@10": 1.0})
    console = Console(width=100)

    with console.capture() as printed:
        console.print(terminal([one]))

    head, row, below = (" ".join(line.split()) for line in printed.get().splitlines())
    assert head == "figure ours beside it ratio wanted reached"
    assert row == "stores.edge.words.10-percent 1.40 ± 0.05 ms 1.00 ms 1.40 ± 0.05 –"
    assert below == "(recall@10 1.000)"


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
    assert gap.failed
    assert "nothing_figures" in gap.why


def test_a_group_that_breaks_off_keeps_what_it_measured_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def figures(given: Given) -> Iterator[Figure]:
        yield figure("broken.first", 1.0)
        raise OSError(f"nothing in {given.work.name}")

    group = ModuleType("eval.benchmarks.broken_figures")
    vars(group)["figures"] = figures
    monkeypatch.setitem(sys.modules, group.__name__, group)

    first, gap = measured("broken", Given(tmp_path))

    assert first.name == "broken.first"
    assert gap == Missing(name="broken", why=f"failed: nothing in {tmp_path.name}")


def test_a_run_of_a_group_that_fails_ends_with_1_and_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "showroom").touch()  # where the group wants a directory

    with pytest.raises(SystemExit) as ended:
        main(["--only", "starting", "--work", str(work), "--json", str(tmp_path / "bench.jsonl")])

    assert ended.value.code == 1
    assert "starting: failed: " in capsys.readouterr().out


def test_every_group_can_be_asked_for_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "decoding,everything"])

    assert ended.value.code == 2
    assert f"no group 'everything'; there are {', '.join(GROUPS)}" in capsys.readouterr().err
