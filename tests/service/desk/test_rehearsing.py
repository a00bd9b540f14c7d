"""Dry runs beside the requests."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.errors import ConflictError, UnknownJob
from indexer.settings import Settings
from indexer.stores.owner import Ownership
from service.desk.choosing import Choice
from service.desk.rehearsing import KEPT, Rehearsal, Rehearsals
from tests.schema import write_schema
from tests.service.worlds import ITEMS, Item, settings_of, write_catalogue

PATIENCE = 60.0
"""Seconds that a dry run of a handful of products may take on a busy machine."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_schema(tmp_path / "home" / "vitrine.db")
    return settings_of(tmp_path / "home")


@pytest.fixture
def rehearsals(settings: Settings) -> Rehearsals:
    return Rehearsals(open_catalogue(settings), settings)


def ended(rehearsals: Rehearsals, run: str) -> Rehearsal:
    until = time.monotonic() + PATIENCE
    while (found := rehearsals.get(run)).running:
        assert time.monotonic() < until, "the dry run does not end"
        time.sleep(0.02)
    return found


def test_what_would_be_new_is_named_with_its_picture(rehearsals: Rehearsals, tmp_path: Path) -> None:
    file = write_catalogue(tmp_path / "given", [ITEMS[0], Item("bare", "No photo")])
    done = ended(rehearsals, rehearsals.begin(Choice(source=str(file), catalog="shop"), "Ann"))

    assert (done.state, done.by, done.read) == ("done", "Ann", 2)
    assert done.result is not None
    assert (done.result.added, done.result.against) == (2, None)
    assert done.result.named["added"] == ["mug-red", "bare"]
    assert done.result.titles == {"mug-red": "Red mug", "bare": "No photo"}
    assert done.pictures.keys() == {"mug-red"}
    assert done.pictures["mug-red"].startswith("data:image/webp;base64,")


def test_one_that_fails_says_why(rehearsals: Rehearsals, tmp_path: Path) -> None:
    done = ended(rehearsals, rehearsals.begin(Choice(source=str(tmp_path / "gone.csv"), catalog="shop"), "Ann"))
    assert (done.state, done.result) == ("failed", None)
    assert "does not exist" in (done.error or "")


@pytest.mark.parametrize("name", ["", "0" * 16, "../../etc/passwd", "0" * 15 + "/", "ZZZZZZZZZZZZZZZZ"])
def test_one_that_is_not_kept_is_unknown(rehearsals: Rehearsals, name: str) -> None:
    with pytest.raises(UnknownJob):
        rehearsals.get(name)


def kept(settings: Settings, number: int, silent: timedelta = timedelta(0)) -> Rehearsal:
    """One that runs in another process."""
    then = datetime.now(UTC) - silent
    run = Rehearsal(
        id=f"{number:016x}",
        choice=Choice(source="/x.csv", catalog="shop"),
        by="Ann",
        state="running",
        began=then,
        updated=then,
    )
    folder = settings.home / "dry-runs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{run.id}.json").write_text(run.model_dump_json())
    return run


def test_one_at_a_time(rehearsals: Rehearsals, settings: Settings) -> None:
    other = kept(settings, 1)
    process = Ownership(settings.home / "dry-runs")
    with pytest.raises(ConflictError, match=r"x\.csv"):
        rehearsals.begin(other.choice, "Bob")

    rehearsals.stop(other.id)
    process.release()
    ended(rehearsals, rehearsals.begin(other.choice, "Bob"))


def test_of_several_begun_at_one_moment_one_runs(settings: Settings, tmp_path: Path) -> None:
    file = write_catalogue(tmp_path / "given")
    together = threading.Barrier(4)

    def begin(number: int) -> str | None:
        mine = Rehearsals(open_catalogue(settings), settings)
        together.wait(PATIENCE)
        try:
            return mine.begin(Choice(source=str(file), catalog="shop"), f"{number}")
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as threads:
        begun = [run for run in threads.map(begin, range(4)) if run is not None]
    assert len(begun) == 1
    ended(Rehearsals(open_catalogue(settings), settings), begun[0])


def test_one_that_was_stopped_makes_way_for_the_next(
    rehearsals: Rehearsals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.desk.rehearsing._GIVING_UP", PATIENCE)
    choice = Choice(source=str(write_catalogue(tmp_path / "given")), catalog="shop")
    rehearsals.stop(rehearsals.begin(choice, "Ann"))
    assert ended(rehearsals, rehearsals.begin(choice, "Bob")).state == "done"


def test_one_whose_process_is_gone_keeps_nobody_waiting(rehearsals: Rehearsals, settings: Settings) -> None:
    lost = kept(settings, 1, timedelta(minutes=10))
    assert rehearsals.get(lost.id).lost
    ended(rehearsals, rehearsals.begin(lost.choice, "Bob"))


def test_old_ones_make_room(rehearsals: Rehearsals, settings: Settings) -> None:
    for number in range(KEPT + 5):
        kept(settings, number, timedelta(minutes=10))
    newest = rehearsals.begin(Choice(source="/gone.csv", catalog="shop"), "Ann")

    ended(rehearsals, newest)
    assert len(rehearsals.recent()) == KEPT
    assert rehearsals.recent()[0].id == newest


def test_a_damaged_file_is_passed_over(rehearsals: Rehearsals, settings: Settings) -> None:
    run = kept(settings, 1)
    (settings.home / "dry-runs" / f"{run.id}.json").write_text("{")
    assert rehearsals.recent() == []


def test_one_that_is_taken_away_ends_without_a_trace(
    rehearsals: Rehearsals, settings: Settings, tmp_path: Path
) -> None:
    file = write_catalogue(tmp_path / "given")
    run = rehearsals.begin(Choice(source=str(file), catalog="shop"), "Ann")
    rehearsals.stop(run)

    until = time.monotonic() + PATIENCE
    while _alive(run):
        assert time.monotonic() < until, "the dry run goes on"
        time.sleep(0.02)
    assert list((settings.home / "dry-runs").glob("*.json")) == []


def _alive(run: str) -> bool:
    return any(thread.name == f"dry-run-{run}" for thread in threading.enumerate())
