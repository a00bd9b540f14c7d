"""Over the small shop, where "blue" finds the plain mug by its photo and by no word of it."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path

import pytest

from eval.errors import MeasureError, SuiteError
from eval.runs.runner import Bench
from eval.statistics import difference
from eval.suites.files import write_suite
from eval.suites.suite import Qrels, Split, Suite, SuiteQuery
from eval.tuning.report import as_row, fragment_of, page
from eval.tuning.sweeps import Sweep
from eval.tuning.trials import Half, halves, products_looked_at
from eval.tuning.tune import Tuning, tune
from indexer.domain import Channel, QueryKind
from indexer.errors import BadFilter
from indexer.settings import SearchSettings, Settings
from tests.eval.worlds import CARD, fake_bench
from tests.service.worlds import Command

IMAGE, TEXT, LEXICAL = Channel
BY_WORDS = SearchSettings(weights={QueryKind.TEXT: {TEXT: 1.0}})
BLUES = {"mug-blue": 1, "shoe-blue": 1, "mug-plain": 1}
WEIGHTS = Sweep("weights.text")
IMAGE_TOO = Sweep("weights.text.image", (0.0, 1.0))
IMAGE_MOSTLY = Sweep("weights.text.image", (5.0,))
TUNED, REPORTED = Split.TUNE, Split.REPORT


def asked(*groups: tuple[Split, int, str, Mapping[str, int]]) -> Suite:
    """So many queries of the half, all with these words and right answers."""
    queries: list[SuiteQuery] = []
    qrels: dict[str, Mapping[str, int]] = {}
    for split, number, text, right in groups:
        names = [f"q{len(queries) + place}" for place in range(number)]
        queries += [SuiteQuery(id=name, text=text, split=split) for name in names]
        qrels |= dict.fromkeys(names, right)
    return Suite(CARD, tuple(queries), qrels)


HELPED = asked(
    (TUNED, 20, "blue", BLUES), (TUNED, 10, "red shoe", {"shoe-red": 1}),
    (REPORTED, 25, "blue", BLUES), (REPORTED, 5, "red shoe", {"shoe-red": 1}),
)  # fmt: skip
FEW = asked(
    (TUNED, 4, "blue", BLUES), (TUNED, 2, "red shoe", {"shoe-red": 1}),
    (REPORTED, 4, "blue", BLUES), (REPORTED, 2, "red shoe", {"shoe-red": 1}),
)  # fmt: skip
"""Too few to recommend anything."""


@pytest.fixture(scope="module")
def bench(memory: Settings) -> Iterator[Bench]:
    with fake_bench(memory) as opened:
        yield opened


def tuned(
    suite: Suite,
    bench: Bench,
    sweeps: Sequence[Sweep] = (IMAGE_TOO,),
    present: SearchSettings = BY_WORDS,
    measure: str = "nDCG@10",
) -> Tuning:
    kind, choosing, reporting = halves(suite, None)
    both = Half(choosing, bench, measure, remember=True), Half(reporting, bench, measure, remember=False)
    return tune(kind, both, present, sweeps, lambda setting, done, total: None)


def test_settings_that_help_on_the_other_half_too_are_recommended_with_their_worth(bench: Bench) -> None:
    tuning = tuned(HELPED, bench)
    assert tuning.verdict.recommended
    assert tuning.chosen.weights[QueryKind.TEXT] == {IMAGE: 1.0, TEXT: 1.0}
    assert tuning.difference.queries == tuning.report_queries == 30
    assert tuning.difference.interval.low > 0
    assert tuning.verdict.words.startswith("Recommended: nDCG@10 changes by +")
    assert "30 questions of the report half" in tuning.verdict.words
    assert list(tomllib.loads(fragment_of(tuning, HELPED))["search"]) == ["weights"]
    assert fragment_of(tuning, HELPED).startswith("# nDCG@10 of text queries: +")


def test_what_only_helps_the_half_it_was_chosen_on_is_not_recommended(bench: Bench) -> None:
    suite = asked((TUNED, 20, "blue", BLUES), (REPORTED, 20, "blue", BLUES), (REPORTED, 2, "house", {"mug-plain": 1}))
    tuning = tuned(suite, bench, [IMAGE_MOSTLY])
    assert tuning.tuned.shown
    assert tuning.difference.interval.crosses_zero
    assert not tuning.verdict.recommended
    assert tuning.verdict.words.startswith("No recommendation: nDCG@10 differs by ")
    more = re.search(
        r"try more questions \(a gain of this size would show on about (\d+) of them\)\.$", tuning.verdict.words
    )
    assert more is not None
    assert int(more[1]) == ceil(22 * (tuning.difference.interval.half / tuning.difference.interval.mean) ** 2)
    with pytest.raises(ValueError, match="No recommendation"):
        fragment_of(tuning, suite)


def test_what_is_worse_on_the_other_half_is_said_to_be(bench: Bench) -> None:
    suite = asked((TUNED, 20, "blue", BLUES), (REPORTED, 20, "house", {"mug-plain": 1}))
    tuning = tuned(suite, bench, [IMAGE_MOSTLY])
    assert tuning.difference.interval.high < 0
    assert tuning.verdict.words.startswith("No recommendation: nDCG@10 is worse, by −")


def test_where_nothing_does_better_the_present_settings_stay(bench: Bench) -> None:
    """Of many settings that are as good, the present ones are nearest to themselves."""
    suite = asked((TUNED, 20, "red shoe", {"shoe-red": 1}), (REPORTED, 20, "blue shoe", {"shoe-blue": 1}))
    tuning = tuned(suite, bench, [IMAGE_TOO, Sweep("depth", (50, 400)), Sweep("diversity", (0.0, 0.1))])
    assert tuning.chosen == tuning.present == BY_WORDS
    assert "none did better than the present ones on the 20 questions" in tuning.verdict.words


def test_too_few_queries_give_no_recommendation(bench: Bench) -> None:
    suite = asked((TUNED, 19, "blue", BLUES), (REPORTED, 40, "blue", BLUES))
    tuning = tuned(suite, bench)
    assert tuning.difference.interval.low > 0
    assert not tuning.verdict.recommended
    assert "19 and 40 questions, and each needs 20 at least; try more questions" in tuning.verdict.words


def test_a_lower_figure_is_the_better_one_where_the_measure_says_so(bench: Bench) -> None:
    suite = asked((TUNED, 20, "blue", BLUES), (REPORTED, 20, "blue", BLUES))
    kinder = tuned(suite, bench, measure="Unjudged@3")
    assert kinder.tuned.interval.mean < 0
    assert kinder.verdict.recommended


def test_each_setting_is_swept_at_the_best_of_those_before_it(bench: Bench) -> None:
    tuning = tuned(
        HELPED, bench, [IMAGE_TOO, Sweep("boosts.brand=orbit", (0.0, -9.0)), Sweep("fusion", ("raw", "rrf"))]
    )
    weights, boost, fusion = tuning.stages
    assert boost.tried[0].trial is weights.best.trial
    assert fusion.tried[0].trial is boost.best.trial
    assert fusion.best.trial.search == tuning.chosen
    assert all(one.trial.search.weights == tuning.chosen.weights for one in fusion.tried)


def test_what_belongs_to_a_method_is_swept_with_that_method_only(bench: Bench) -> None:
    constant = Sweep("rrf_k", (1, 10), only_with="rrf")
    assert [stage.name for stage in tuned(HELPED, bench, [constant]).stages] == []
    by_ranks = BY_WORDS.model_copy(update={"fusion": "rrf"})
    assert [stage.name for stage in tuned(HELPED, bench, [constant], by_ranks).stages] == ["rrf_k"]


def test_three_weights_are_searched_coarsely_and_then_around_the_best(bench: Bench) -> None:
    kind, choosing, reporting = halves(FEW, None)
    both = Half(choosing, bench, "nDCG@10", remember=True), Half(reporting, bench, "nDCG@10", remember=True)
    seen: list[tuple[str, int, int]] = []
    tuning = tune(kind, both, BY_WORDS, [WEIGHTS], lambda *step: seen.append(step))
    assert seen[:21] == [("weights.text", number, 21) for number in range(1, 22)]
    assert 21 < len(seen) < 35
    full = tune(kind, both, BY_WORDS, [WEIGHTS], lambda *step: None, full=True)
    assert len(full.stages[0].tried) == 67
    assert full.stages[0].best.trial.mean >= tuning.stages[0].best.trial.mean


def test_remembering_changes_no_figure(bench: Bench) -> None:
    _, part, _ = halves(FEW, None)
    remembering, plain = (Half(part, bench, "nDCG@10", remember=remember) for remember in (True, False))
    for changes in ({}, {"fusion": "rrf"}, {"weights": {"text": {"image": 1, "lexical": 1}}}, {"diversity": 0.5}):
        search = SearchSettings.model_validate(changes)
        assert remembering.ask(search).values == plain.ask(search).values


def test_questions_that_both_halves_share_are_noted(bench: Bench) -> None:
    assert tuned(HELPED, bench, []).notes == ("2 queries are in both halves, word for word.",)
    queries = [SuiteQuery(id=f"p{n}", text=f"blue {n}", paraphrases="blue", split=s) for n, s in enumerate(Split)]
    apart = Suite(CARD, tuple(queries), {query.id: BLUES for query in queries})
    with pytest.raises(MeasureError, match="nDCG@10 has 1 values"):
        tuned(apart, bench, [])


def test_every_value_that_was_tried_is_in_the_row(bench: Bench) -> None:
    tuning = tuned(HELPED, bench, [IMAGE_TOO, Sweep("fusion", ("raw", "rrf", "dbsf"))])
    row = json.loads(json.dumps(as_row(tuning, HELPED, bench.index.manifest), allow_nan=False))
    weights, fusion = row["stages"]
    assert [one["value"] for one in fusion["tried"]] == ["calibrated", "raw", "rrf", "dbsf"]
    assert [one["value"] for one in weights["tried"]] == [None, 0.0, 1.0]
    assert row["settings_tried"] == 3 + 3
    assert row["tune"]["queries"] == row["report"]["queries"] == 30
    assert row["report"]["difference"]["mean"] == pytest.approx(row["report"]["chosen"] - row["report"]["present"])
    assert row["recommended"] is True
    assert row["fragment"] == fragment_of(tuning, HELPED)
    values = list(tuning.before.values.values()), list(tuning.after.values.values())
    assert row["report"]["difference"]["p_value"] == difference(*values).p_value


def test_the_page_shows_a_drawing_per_setting_and_needs_nothing_from_outside(bench: Bench) -> None:
    suite = asked((TUNED, 20, "blue", BLUES), (REPORTED, 20, "blue", BLUES))
    sweeps = [WEIGHTS, Sweep("fusion", ("raw", "rrf")), Sweep("diversity", (0.0, 0.9)), Sweep("depth", (50,))]
    tuning = tuned(suite, bench, sweeps)
    html = page(tuning, suite, bench.index.manifest)
    for text in (tuning.verdict.words, "nDCG@10 over the weights", "change from fusion = calibrated", "over diversity"):
        assert text in html.replace("&#43;", "+")
    assert "Every value gives the same nDCG@10." in html
    assert "[search.weights.text]" in html
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html


def test_the_kind_must_be_named_where_there_are_several() -> None:
    queries = (SuiteQuery(id="a", text="mug", split=TUNED), SuiteQuery(id="b", like="mug-red", split=TUNED))
    qrels: Qrels = {"a": {"mug-red": 1}, "b": {"mug-blue": 1}}
    suite = Suite(CARD, queries, qrels)
    with pytest.raises(SuiteError, match=r"text \(1 queries\), similar \(1 queries\); choose one with --kind"):
        halves(suite, None)
    with pytest.raises(SuiteError, match="no photo queries; it has text"):
        halves(suite, QueryKind.PHOTO)
    with pytest.raises(SuiteError, match="no text queries in its report half"):
        halves(suite, QueryKind.TEXT)


def test_as_many_products_are_asked_for_as_the_measure_looks_at() -> None:
    suite = Suite(CARD, (SuiteQuery(id="a", like="mug-red", exclude=("mug-red", "mug-blue")),), {"a": {"mug-plain": 1}})
    assert products_looked_at("nDCG@10", suite) == 12
    assert products_looked_at("Oracle(nDCG@20)", suite) == 22
    assert products_looked_at("RR", HELPED) == 100


def test_a_boost_on_a_field_that_is_not_there_stops_the_tuning(bench: Bench) -> None:
    with pytest.raises(BadFilter, match="'size=3' cannot be used"):
        tuned(HELPED, bench, [Sweep("boosts.size=3", (0.5,))])


def test_the_command_prints_one_document_and_writes_nothing_it_does_not_recommend(
    vitrine: Command, tmp_path: Path
) -> None:
    suite = asked((TUNED, 3, "blue", BLUES), (REPORTED, 3, "red mug", {"mug-red": 1}))
    write_suite(suite, tmp_path / "suite")
    wanted = ["--sweep", "depth=50,200", "--sweep", "weights.text.image=0,1", "--measure", "RR@10"]
    ran = vitrine("eval", "tune", "suite", *wanted, "--out", "new.toml", "--html", "page.html", "--json")
    assert ran.code == 0, ran.error
    row = json.loads(ran.out)
    assert (row["recommended"], row["fragment"], row["written"]) == (False, None, None)
    assert not (tmp_path / "new.toml").exists()
    assert "No other settings are recommended" in (tmp_path / "page.html").read_text("utf-8")
    table = vitrine("eval", "tune", "suite", *wanted)
    assert table.code == 0
    assert "No recommendation: " in table.out


def test_a_mistake_is_one_sentence(vitrine: Command, tmp_path: Path) -> None:
    write_suite(asked((TUNED, 3, "blue", BLUES)), tmp_path / "suite")
    empty = vitrine("eval", "tune", "suite")
    assert (empty.code, empty.out) == (2, "")
    assert "no text queries in its report half" in empty.error
    write_suite(HELPED, tmp_path / "suite")
    wrong = vitrine("eval", "tune", "suite", "--sweep", "dept=5")
    assert wrong.code == 2
    assert "search.dept" in wrong.error
