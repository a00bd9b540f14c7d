"""A run of verified searches keeps both orders, and what they took."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import RunError
from eval.measures import ranking
from eval.runs.document import RankedProduct, RunAnswer, RunDocument, VerifiedWindow, falling, read_run, write_run
from eval.runs.runner import Verifying, repeating, run_suite
from eval.suites.suite import Suite
from indexer.settings import RerankSettings, Settings
from service.rerank.seam import Usage
from service.rerank.verdicts import Mark
from tests.eval.worlds import fake_bench, verifying
from tests.service.rerank.witnesses import Witness


def asked(suite: Suite, shop: Settings, by: Verifying | None, *, verify: bool) -> RunDocument:
    with fake_bench(shop, verifying=by) as bench:
        return run_suite(suite, bench, shop.search, verify=verify, watch=lambda done, total: None)


@pytest.fixture
def witness() -> Witness:
    """Swears by one product that no query wants first, and by no other."""
    return Witness(said={"mug-green": Mark.YES}, otherwise=Mark.NO, usage=Usage(2, 1, 500, 10, 0.002))


def test_both_orders_are_kept(suite: Suite, shop: Settings, witness: Witness) -> None:
    plain = asked(suite, shop, None, verify=False)
    both = asked(suite, shop, verifying(witness, top_n=4), verify=True)
    assert {one: ranking(found) for one, found in both.unverified_scores.items()} == {
        one: ranking(found) for one, found in plain.scores.items()
    }
    window = both.answers["red-mug"].window
    assert window is not None
    before = ranking(plain.scores["red-mug"])
    assert [one.id for one in window.unverified] == before[:4]
    assert ranking(both.scores["red-mug"]).index("mug-green") < before.index("mug-green") < 4


def test_scores_without_verification_are_those_of_the_search(suite: Suite, shop: Settings, witness: Witness) -> None:
    """What is measured by scores, such as AbsentAUC, needs the very ones."""
    plain = asked(suite, shop, None, verify=False)
    both = asked(suite, shop, verifying(witness), verify=True)
    for query, scores in plain.scores.items():
        first = next(iter(scores))
        assert both.unverified_scores[query][first] == scores[first]


def test_what_it_took_and_how_it_was_set_up_is_kept(suite: Suite, shop: Settings, witness: Witness) -> None:
    both = asked(suite, shop, verifying(witness, top_n=4), verify=True)
    window = both.answers["sku"].window
    assert window is not None
    assert (window.by, window.calls, window.cached, window.tokens_in) == (("zero_shot",), 2, 1, 500)
    assert (window.tokens_out, window.dollars) == (10, 0.002)
    assert both.rerank is not None
    assert both.rerank.top_n == 4
    answer = both.answers["sku"]
    spent, less = answer.timings_ms, answer.unverified.timings_ms
    assert less["whole"] == pytest.approx(spent["whole"] - spent["rerank"], abs=1e-3)


def test_reasons_for_what_was_left_out_are_kept(suite: Suite, shop: Settings) -> None:
    tired = Witness(skipped=("verification: out of patience",))
    assert asked(suite, shop, verifying(tired), verify=True).answers["sku"].degraded == tired.skipped


def test_a_run_names_neither_key_nor_address_and_is_repeated_with_the_present_ones(
    suite: Suite, shop: Settings, tmp_path: Path
) -> None:
    by = verifying(Witness(), api_key="sk-secret", base_url="https://me:secret@models.example/v1", top_n=5)
    write_run(asked(suite, shop, by, verify=True), tmp_path / "run.json")
    assert "secret" not in (tmp_path / "run.json").read_text()
    read = read_run(tmp_path / "run.json")
    present = RerankSettings(base_url="http://127.0.0.1:9/v1", top_n=20)
    again = repeating(shop.model_copy(update={"rerank": present}), read).rerank
    assert (again.base_url, again.top_n, again.backend) == ("http://127.0.0.1:9/v1", 5, "openai")


def test_a_run_of_before_there_was_verification_reads_as_it_did(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    plain = asked(suite, shop, None, verify=False)
    row = json.loads(plain.model_dump_json())
    del row["rerank"]
    for answer in row["answers"].values():
        del answer["window"], answer["degraded"]
    (tmp_path / "old.json").write_text(json.dumps(row))
    old = read_run(tmp_path / "old.json")
    assert old.scores == old.unverified_scores == plain.scores
    assert repeating(shop, old) == shop


def test_nobody_to_verify_with_is_refused(suite: Suite, shop: Settings) -> None:
    with pytest.raises(RunError, match=r"rerank\.backend is none"):
        asked(suite, shop, None, verify=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.data())
def test_whatever_verification_moved_goes_back(scores: list[float], data: st.DataObject) -> None:
    found = falling(RankedProduct(id=str(place), score=score) for place, score in enumerate(scores))
    looked_at = found[: data.draw(st.integers(0, len(found)))]
    shown = falling([*data.draw(st.permutations(looked_at)), *found[len(looked_at) :]])
    answer = RunAnswer(ranked=shown, timings_ms={}, window=VerifiedWindow(by=(), unverified=looked_at))
    assert [one.id for one in answer.unverified.ranked] == [one.id for one in found]
    assert answer.unverified.ranked[: len(looked_at)] == looked_at
