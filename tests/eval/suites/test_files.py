"""Suites on disk: what is written is read, and what is wrong is named with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eval.errors import EmptySuite, SuiteError
from eval.suites.files import CARD, QRELS, QUERIES, read_suite, write_suite
from eval.suites.suite import Suite


def test_a_suite_reads_back_as_it_was_written(suite: Suite) -> None:
    assert read_suite(suite.directory) == suite


def test_writing_again_changes_no_byte(suite: Suite) -> None:
    before = {name: (suite.directory / name).read_bytes() for name in (CARD, QUERIES, QRELS)}
    write_suite(read_suite(suite.directory), suite.directory)
    assert {name: (suite.directory / name).read_bytes() for name in before} == before


def test_files_are_beir_like(suite: Suite) -> None:
    assert (suite.directory / QRELS).read_text().startswith("query-id\tcorpus-id\tscore\nred-mug\tmug-red\t2\n")
    assert (suite.directory / QUERIES).read_text().startswith('{"_id": "red-mug", "text": "red mug"')


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        text = (directory / name).read_text()
        assert old in text
        (directory / name).write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_replace(QRELS, "mug-red\t2", "mug-red\ttwo"), r"qrels.tsv:2: expected .* got 'red-mug\\tmug-red\\ttwo'"),
        (_replace(QRELS, "mug-red\t2", "mug-red\t-2"), "qrels.tsv:2: expected"),
        (_replace(QRELS, "mug-sketch", "mug-red"), "qrels.tsv:3: product mug-red is judged twice for query red-mug"),
        (_replace(QRELS, "red-mug\t", "pink-mug\t"), "judgements for 'pink-mug', which is no query"),
        (_replace(QRELS, "XK-4711\t1", "XK-4711\t0"), "query sku has no relevant product"),
        (_replace(QRELS, "red-mug\tmug-sketch", "no-such-thing\tmug-sketch"), "query no-such-thing is absent, yet"),
        (_replace(QUERIES, '"_id": "sku"', '"_id": "photo"'), "queries.jsonl:4: query photo comes twice"),
        (_replace(QUERIES, '"_id": "sku"', '"id": "sku"'), "queries.jsonl:3: not a JSON object with an _id"),
        (_replace(QUERIES, '"text": "XK-4711"', '"txet": "XK-4711"'), "queries.jsonl:3: txet: "),
        (_replace(QUERIES, "photos/red.png", "../secret.png"), "queries.jsonl:4: photo '../secret.png' is not inside"),
        (_replace(QUERIES, "photos/red.png", "/etc/passwd"), "queries.jsonl:4: photo '/etc/passwd' is not inside"),
        (_replace(CARD, '"licence"', '"license"'), "suite.json: "),
        (lambda directory: (directory / QRELS).unlink(), "a suite is a directory with suite.json"),
        (lambda directory: (directory / QUERIES).write_bytes(b'{"_id": "\xff"}'), "not UTF-8 at byte 9"),
    ],
)
def test_what_is_wrong_is_named(suite: Suite, change: Callable[[Path], None], message: str) -> None:
    change(suite.directory)
    with pytest.raises(SuiteError, match=message):
        read_suite(suite.directory)


def test_an_empty_suite_is_refused(suite: Suite) -> None:
    (suite.directory / QUERIES).write_text("\n")
    with pytest.raises(EmptySuite):
        read_suite(suite.directory)
