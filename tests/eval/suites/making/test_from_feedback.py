"""Suites of what shoppers opened and did not mean, in the small shop."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.errors import EmptySuite, SuiteError
from eval.suites.files import read_suite
from eval.suites.making.from_feedback import suite_from_feedback
from indexer.bootstrap import open_catalogue
from indexer.catalog.engine import Database
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.records import Feedback
from indexer.catalog.states import FeedbackKind
from tests.service.worlds import CATALOG, Command, settings_of

CLICK, NOT_MEANT = FeedbackKind.CLICK, FeedbackKind.NOT_MEANT
RED: Mapping[str, object] = {"text": "red mug"}


@pytest.fixture
def database(home: Path, tmp_path: Path) -> Database:
    return open_catalogue(settings_of(shutil.copytree(home, tmp_path / "home")))


def say(
    database: Database, query: Mapping[str, object], kind: FeedbackKind, product: str, *visits: str, rank: int = 1
) -> None:
    with database.begin() as session:
        for visit in visits:
            now = datetime.now(UTC)
            FeedbackRepository(session).add(Feedback(CATALOG, "a build", visit, kind, query, product, rank, now))


def test_what_was_opened_is_right_and_what_was_not_meant_is_wrong(database: Database, tmp_path: Path) -> None:
    say(database, RED, CLICK, "mug-red", "a", "b", "b", "c")
    say(database, {**RED, "group": False}, CLICK, "mug-sketch", "a")
    say(database, RED, CLICK, "shoe-red", "a", "b")
    say(database, RED, NOT_MEANT, "shoe-red", "b", "c")
    say(database, RED, CLICK, "no-longer-there", "a")
    say(database, {"like": "mug-red", "change": "but blue", "where": ["price<50"]}, CLICK, "mug-blue", "d")
    heard = suite_from_feedback(database, None, tmp_path / "suite")
    suite = read_suite(tmp_path / "suite")
    assert suite.digest == heard.suite.digest
    assert heard.left_out == {}
    words, edit = suite.queries
    assert words.text == "red mug"
    assert suite.qrels[words.id] == {"mug-red": 2, "mug-sketch": 1, "shoe-red": 0}
    assert (edit.like, edit.change, edit.where, edit.exclude) == ("mug-red", "but blue", ("price<50",), ("mug-red",))
    assert suite.qrels[edit.id] == {"mug-blue": 1}
    assert "position bias" in suite.card.protocol
    assert suite.card.source == "vitrine eval from-feedback --catalog shop --visits 1"


def test_what_cannot_be_asked_again_is_left_out_and_counted(database: Database, tmp_path: Path) -> None:
    say(database, RED, CLICK, "mug-red", "a", "b")
    say(database, {"text": "but blue", "photo": True}, CLICK, "mug-blue", "a")
    say(database, {**RED, "sort": "price"}, CLICK, "mug-red", "a")
    say(database, {"text": "shoes"}, NOT_MEANT, "mug-red", "a", "b")
    say(database, {"text": "lamp"}, CLICK, "lamp-black", "a")
    say(database, {"text": "red mug", "like": "mug-red"}, CLICK, "mug-red", "a")
    say(database, {"text": "mug", "change": "blue"}, CLICK, "mug-red", "a")
    heard = suite_from_feedback(database, CATALOG, tmp_path / "suite", least=2)
    assert [one.text for one in heard.suite.queries] == ["red mug"]
    assert heard.left_out == {
        "by a photo, which is not kept": 1,
        "in an order or a way of their own": 1,
        "without a product that was meant": 1,
        "that no suite can ask": 2,
        "asked in fewer than 2 visits": 1,
    }


def test_nothing_said_makes_no_suite_and_a_taken_folder_is_left_alone(database: Database, tmp_path: Path) -> None:
    with pytest.raises(EmptySuite, match="nobody said anything yet"):
        suite_from_feedback(database, CATALOG, tmp_path / "suite")
    say(database, {"text": "shoes"}, NOT_MEANT, "mug-red", "a")
    with pytest.raises(EmptySuite, match="1 without a product that was meant"):
        suite_from_feedback(database, CATALOG, tmp_path / "suite")
    with pytest.raises(SuiteError, match="is not empty"):
        suite_from_feedback(database, CATALOG, tmp_path)


def test_the_command_says_what_there_is_to_make_one_of(vitrine: Command) -> None:
    made = vitrine("eval", "from-feedback", "--out", "said")
    assert (made.code, made.out) == (2, "")
    assert "nobody said anything yet" in made.error
