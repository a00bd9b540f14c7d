"""One suite asked in several ways, and how often nothing is said to be close, over the small shop."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from eval.relevance.emptiness import absent_questions, emptiness_of_photos, emptiness_of_words
from eval.relevance.measuring import Figure, Part, Way, measure_part, measure_verified, routes_alone
from eval.runs.runner import Bench
from eval.suites.suite import Suite
from indexer.domain import Channel, Closeness, QueryKind
from indexer.settings import SearchSettings, Settings
from tests.eval.worlds import fake_bench, small_suite, verifying
from tests.service.rerank.witnesses import Witness

LEXICAL = Way("words alone", {"weights.text": {"lexical": 1.0}})
WORDLESS = Way("without the words", wordless=True)


@pytest.fixture(scope="module")
def asked(memory: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Suite, Bench]]:
    with fake_bench(memory) as bench:
        yield small_suite(tmp_path_factory.mktemp("relevance")), bench


@pytest.fixture(scope="module")
def figures(asked: tuple[Suite, Bench]) -> list[Figure]:
    suite, bench = asked
    part = Part("small", suite, ("nDCG@10", "Success@1"), (LEXICAL, WORDLESS))
    return measure_part(part, bench, SearchSettings())


def test_every_way_is_measured_beside_the_search_as_it_is_set(figures: list[Figure]) -> None:
    ways = ["as set", "words alone", "without the words"]
    assert [(one.measure, one.way) for one in figures] == [
        (measure, way) for measure in ("nDCG@10", "Success@1") for way in ways
    ]
    assert {one.queries for one in figures} == {6}


def test_the_gain_is_what_the_search_as_set_has_over_the_way(figures: list[Figure]) -> None:
    as_set, lexical, wordless = figures[:3]
    assert as_set.gain is None
    for way in (lexical, wordless):
        assert way.gain is not None
        assert way.gain[0] == pytest.approx(as_set.value[0] - way.value[0])
        assert way.value[0] != as_set.value[0]


def test_one_verified_run_is_measured_in_both_orders(asked: tuple[Suite, Bench]) -> None:
    suite, bench = asked
    part = Part("small", suite, ("Success@1", "Success@10"), ())
    before, after = (
        measure_verified(part, replace(bench, verifying=verifying(Witness(refuting=wrong))), SearchSettings())
        for wrong in (frozenset[str](), frozenset({"mug-red"}))
    )
    assert [(one.measure, one.way) for one in after] == [
        (measure, way) for measure in ("Success@1", "Success@10") for way in ("verified by zero_shot", "not verified")
    ]
    assert before[0].value == before[1].value == after[1].value
    assert after[0].value[0] < after[1].value[0]
    gain = after[1].gain
    assert gain is not None
    assert gain[0] == pytest.approx(after[0].value[0] - after[1].value[0])


def test_every_route_is_gone_alone_but_the_one_that_never_is() -> None:
    ways = routes_alone(SearchSettings())
    assert [way.name for way in ways] == [
        f"route {one} alone" for one in ("arithmetic", "identity", "recolour", "caption")
    ]
    for way in ways:
        assert [*way.changes.values()].count(1.0) == 1
        assert [*way.changes.values()].count(0.0) == 4


def judged(bench: Bench, kind: QueryKind, channel: Channel, least: float) -> Bench:
    """The bench, its build with that measure of closeness."""
    manifest = bench.index.manifest.model_copy(update={"closeness": {kind: Closeness(least={channel: least})}})
    return replace(bench, index=replace(bench.index, manifest=manifest))


def test_only_what_the_catalogue_does_not_mention_is_flagged(asked: tuple[Suite, Bench]) -> None:
    bench = judged(asked[1], QueryKind.TEXT, Channel.TEXT, 0.99)
    absent = [*absent_questions(bench)]
    assert "do you have a stapler?" in absent
    assert emptiness_of_words("absent", absent, bench, SearchSettings()).value[0] == 1
    assert emptiness_of_words("present", ["red mug", "XK-4711"], bench, SearchSettings()).value[0] == 0


@pytest.mark.parametrize(("least", "flagged"), [(1.5, 1.0), (-1.0, 0.0)])
def test_photos_are_flagged_by_their_nearest_one(asked: tuple[Suite, Bench], least: float, flagged: float) -> None:
    suite, bench = asked
    found = emptiness_of_photos("photos", suite, judged(bench, QueryKind.PHOTO, Channel.IMAGE, least), SearchSettings())
    assert (found.queries, found.value[0]) == (1, flagged)
