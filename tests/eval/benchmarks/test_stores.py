"""The benchmark of stores: what it measures, in what shape, and that exact stores find everything."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from eval.benchmarks.report import Report, per_tenfold
from eval.benchmarks.stores import main, measure
from eval.benchmarks.synthetic import Shop
from eval.benchmarks.truth import CASES, K, exact_answers, recall
from indexer.domain import WordsQuery
from indexer.errors import SettingsError
from indexer.stores.memory import MemoryStore

POINTS = 500


def test_exact_stores_are_written_opened_and_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = tmp_path / "stores.json"
    asked = ["--sizes", str(POINTS), "--stores", "memory,faiss-flat,faiss-ivf-pq", "--dim", "32", "--questions", "25"]

    with pytest.raises(SystemExit) as ended:
        main([*asked, "--json", str(printed)])

    report = Report.model_validate(json.loads(printed.read_text("utf-8")))
    memory, flat = report.figures
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert [(one.store, one.points, one.products) for one in report.figures] == [
        ("memory", POINTS, POINTS // 2),
        ("faiss-flat", POINTS, POINTS // 2),
    ]
    for one in report.figures:
        assert [answers.case for answers in one.answers] == list(CASES)
        assert [answers.recall for answers in one.answers] == [1.0] * len(CASES)
        assert all(0 < answers.p50 <= answers.p95 for answers in one.answers)
        assert one.points_per_second > 0 < one.open_seconds
    assert memory.disk_bytes_per_product is None
    assert flat.disk_bytes_per_product is not None
    assert flat.disk_bytes_per_product > 2 * 2 * 32 * 4, "two photos' vectors at the least"
    assert [(gap.store, gap.failed) for gap in report.gaps] == [("faiss-ivf-pq", False)]
    assert str(report.machine.cores) in out
    assert "cannot be learnt" in out


def test_a_store_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="no store 'files'"):
        measure([POINTS], ["files"], 32, 10)


def test_a_qdrant_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QDRANT_URL", raising=False)

    with pytest.raises(SettingsError, match="QDRANT_URL"):
        measure([POINTS], ["qdrant"], 32, 10)


def test_the_exact_answers_are_those_of_the_reference_store() -> None:
    shop = Shop(POINTS, 32)
    store = MemoryStore(shop.layout())
    for block in shop.blocks():
        store.upsert(shop.points(block))
    questions = shop.questions(10)
    right = exact_answers(shop, questions)

    for case in CASES:
        for query, expected in zip(questions[case.asked], right[case], strict=True):
            assert {hit.point_id for hit in store.search(query, K, case.where)} <= expected
    assert store.search(WordsQuery("SKU00000007"), 1)[0].product_id == "SKU00000007"


def test_recall_is_the_share_of_the_first_ten() -> None:
    ids = [UUID(int=number) for number in range(20)]

    assert recall(ids[:10], frozenset(ids[:10])) == 1.0
    assert recall(ids[2:12], frozenset(ids[:10])) == 0.8
    assert recall(ids[1:11], frozenset(ids[:11])) == 1.0, "the eleventh ties with the tenth"
    assert recall(ids[:3], frozenset(ids[:4])) == 0.75
    assert recall(ids[10:], frozenset(ids[:10])) == 0.0


def test_growth_is_quoted_per_tenfold_catalogue() -> None:
    assert per_tenfold(2.0, 30.0, 10) == pytest.approx(15.0)
    assert per_tenfold(1.0, 4.0, 4) == pytest.approx(10.0)
    assert per_tenfold(1.0, 1.0, 100) == pytest.approx(1.0)
    assert per_tenfold(None, 1.0, 10) is None
