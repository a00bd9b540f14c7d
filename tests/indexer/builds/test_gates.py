"""Gates are asked of every finished build; what they refuse stays unpublished, and usable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import ValidationError

from indexer.builds.gates import Candidate, Gate, gate_of, installed_gates
from indexer.builds.listing import list_builds
from indexer.builds.live import published_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport
from indexer.builds.verdict import GateVerdict
from indexer.catalog.engine import Database
from indexer.errors import BuildInProgress, PublishRefused
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Row, Shop, catalogue

HATS: list[Row] = [{"id": "hat", "title": "Straw hat"}, {"id": "scarf", "title": "Woollen scarf"}]
SILK: list[Row] = [HATS[0], {"id": "scarf", "title": "Silk scarf"}]
REASON = "nDCG@10 on suite text went from .91 to .72"


@dataclass
class Watchman:
    """A gate that says what it is told to and remembers what it was asked."""

    refuses: bool = False
    asked: list[tuple[str, int, str | None]] = field(default_factory=list)

    def __call__(self, candidate: Candidate) -> GateVerdict:
        self.asked.append((candidate.manifest.build, candidate.index.store.count(), candidate.published))
        if self.refuses:
            return GateVerdict(gate="watchman", passed=False, reasons=(REASON, "Nor is it Tuesday."))
        return GateVerdict(gate="watchman", passed=True, figures={"recall@10": 0.99})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Products without photos: their builds need no decoder."""
    shop = Shop.at(tmp_path)
    shop.write(HATS)
    return shop


@pytest.fixture
def database(shop: Shop) -> Iterator[Database]:
    with catalogue(shop.settings) as opened:
        yield opened


def build(shop: Shop, database: Database, gates: Mapping[str, Gate], *, skip: bool = False) -> BuildReport:
    pipeline = Pipeline(database, shop.settings, FakeEncoder(), gates)
    return pipeline.run(open_source(shop.file), "shop", lambda _: None, skip_gates=skip)


def refused(shop: Shop, database: Database, gate: Gate) -> str:
    with pytest.raises(PublishRefused) as error:
        build(shop, database, {"watchman": gate})
    return str(error.value)


def test_a_gate_is_asked_of_the_written_build_and_told_what_it_would_replace(shop: Shop, database: Database) -> None:
    watchman = Watchman()
    first = build(shop, database, {"watchman": watchman})
    shop.write(SILK)
    second = build(shop, database, {"watchman": watchman})

    assert watchman.asked == [(first.build, 2, None), (second.build, 2, first.build)]
    assert [(one.gate, one.figures) for one in second.verdicts] == [("watchman", {"recall@10": 0.99})]
    assert not second.gates_skipped


def test_a_refused_build_leaves_the_published_one_and_says_what_was_lost(shop: Shop, database: Database) -> None:
    standing = build(shop, database, {})
    shop.write(SILK)
    watchman = Watchman(refuses=True)

    told = refused(shop, database, watchman)

    newest = watchman.asked[0][0]
    assert f"Build {newest} of catalog shop is finished, and refused. Build {standing.build} stays published." in told
    assert f"- watchman: {REASON}\n- watchman: Nor is it Tuesday." in told
    assert f"vitrine builds publish {newest} --skip-gates" in told
    assert published_build(database, "shop")[1] == standing.build
    rows = {row["build"]: (row["state"], row["error"]) for row in list_builds(database, "shop")}
    assert rows == {newest: ("ready", told), standing.build: ("published", None)}


def test_the_first_build_can_be_refused_too(shop: Shop, database: Database) -> None:
    assert "Nothing is published." in refused(shop, database, Watchman(refuses=True))


def test_what_was_refused_is_not_unchanged_the_next_time(shop: Shop, database: Database) -> None:
    """The ledger has its rows already, so the next reading finds no change."""
    build(shop, database, {})
    shop.write(SILK)
    watchman = Watchman(refuses=True)
    refused(shop, database, watchman)

    refused(shop, database, watchman)
    assert len({asked for asked, _, _ in watchman.asked}) == 2

    watchman.refuses = False
    assert build(shop, database, {"watchman": watchman}).state == "published"
    assert build(shop, database, {"watchman": watchman}).state == "unchanged"
    assert len(watchman.asked) == 3, "a build that changes nothing is not asked about"


def test_a_catalogue_that_is_put_right_after_a_refusal_is_published(shop: Shop, database: Database) -> None:
    build(shop, database, {})
    shop.write(SILK)
    refused(shop, database, Watchman(refuses=True))
    shop.write(HATS)

    assert build(shop, database, {"watchman": Watchman()}).state == "published"
    assert shop.called("woollen") == ["scarf"]
    assert shop.called("silk") == []


def test_whoever_skips_the_gates_publishes_unasked_and_the_report_says_so(shop: Shop, database: Database) -> None:
    watchman = Watchman(refuses=True)
    refused(shop, database, watchman)

    report = build(shop, database, {"watchman": watchman}, skip=True)

    assert (report.state, report.gates_skipped, report.verdicts) == ("published", True, ())
    assert len(watchman.asked) == 1
    assert published_build(database, "shop")[1] == report.build
    unchanged = build(shop, database, {"watchman": watchman}, skip=True)
    assert (unchanged.state, unchanged.gates_skipped) == ("unchanged", False)


def test_all_gates_are_asked_and_one_refusal_is_enough(shop: Shop, database: Database) -> None:
    first, last = Watchman(refuses=True), Watchman()
    with pytest.raises(PublishRefused):
        build(shop, database, {"first": first, "last": last})
    assert (len(first.asked), len(last.asked)) == (1, 1)


def breaks(candidate: Candidate) -> GateVerdict:
    raise ZeroDivisionError("division by zero")


def forgets(candidate: Candidate) -> GateVerdict:
    return None  # type: ignore[return-value]


@pytest.mark.parametrize(("gate", "named"), [(breaks, "ZeroDivisionError: division by zero"), (forgets, "GateVerdict")])
def test_a_gate_that_breaks_refuses_by_its_error(gate: Gate, named: str, shop: Shop, database: Database) -> None:
    told = refused(shop, database, gate)
    assert "- watchman: The gate broke" in told
    assert named in told


def test_a_gate_that_cannot_be_imported_refuses(shop: Shop, database: Database) -> None:
    told = refused(shop, database, gate_of(EntryPoint("lost", "no.such.module:gate", "vitrine.gates")))
    assert "ModuleNotFoundError: No module named 'no'" in told


def test_a_build_that_was_taken_over_meanwhile_is_no_verdict(shop: Shop, database: Database) -> None:
    def slow(candidate: Candidate) -> GateVerdict:
        raise BuildInProgress("taken over")

    with pytest.raises(BuildInProgress, match="taken over"):
        build(shop, database, {"slow": slow})


def test_a_verdict_has_reasons_when_it_refuses_and_only_then() -> None:
    for passed, reasons in ((False, ()), (True, ("why",))):
        with pytest.raises(ValidationError, match="a refusal gives its reasons and a pass has none"):
            GateVerdict(gate="watchman", passed=passed, reasons=reasons)


def test_measuring_is_installed_as_a_gate() -> None:
    assert "evaluation" in installed_gates()
