import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.errors import ConflictError, InputError, JobOver, UnknownJob
from service.working import Tell, Working, Workplace

BUSY = "{label} of {by} is under way."
CHILD = """
import sys, time
from pathlib import Path
from service.working import Workplace

def work(tell):
    while True:
        tell(1, 10)
        time.sleep(0.01)

Workplace(Path(sys.argv[1]), "bench", "busy").start("elsewhere", "Ada", work)
time.sleep(60)
"""
PATIENCE = 30.0


def place_of(home: Path, kept: int = 1) -> Workplace:
    return Workplace(home, "bench", BUSY, kept)


def when(place: Workplace, holds: Callable[[Working], bool]) -> Working:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        current = place.current
        if current is not None and holds(current):
            return current
        time.sleep(0.01)
    raise AssertionError("it never was so")


def over(place: Workplace) -> Working:
    return when(place, lambda one: not one.running)


class Patient:
    """Work that tells again and again how far it is, until it is stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def __call__(self, tell: Tell) -> str:
        for number in range(1, 1_000):
            tell(number, 1_000)
            self.begun.set()
            time.sleep(0.01)
        return "/never"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process with the same home, that works without end."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)])
    yield process
    process.kill()
    process.wait()


def test_what_came_of_it_is_told(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    assert place.current is None

    def work(tell: Tell) -> str:
        tell(3, 4)
        return "/bench/runs/first"

    place.start("first", "Ada", work)
    done = over(place)
    assert (done.state, done.result, done.label, done.by) == ("done", "/bench/runs/first", "first", "Ada")
    assert (done.done, done.total) == (3, 4)


def test_one_thing_is_done_at_a_time_whoever_begins_it(tmp_path: Path) -> None:
    place, patient = place_of(tmp_path), Patient()
    place.start("long", "Ada", patient)
    for one in (place, place_of(tmp_path)):
        with pytest.raises(ConflictError, match="long of Ada is under way"):
            one.start("other", "Bo", patient)
    place.close()
    assert over(place).state == "cancelled"


def test_work_of_another_kind_runs_beside_it(tmp_path: Path) -> None:
    place, patient = place_of(tmp_path), Patient()
    place.start("long", "Ada", patient)
    other = Workplace(tmp_path, "publishing", BUSY)
    other.start("short", "Bo", lambda tell: "")
    assert over(other).label == "short"
    place.close()


def test_another_process_is_seen_and_cancelled(tmp_path: Path, elsewhere: "subprocess.Popen[bytes]") -> None:
    place = place_of(tmp_path)
    running = when(place, lambda one: one.done == 1)
    assert (running.label, running.state, running.total) == ("elsewhere", "running", 10)
    with pytest.raises(ConflictError, match="elsewhere of Ada"):
        place.start("mine", "Bo", Patient())
    place.cancel(running.id)
    assert over(place).state == "cancelled"


def test_a_process_that_dies_holds_nothing_for_ever(tmp_path: Path, elsewhere: "subprocess.Popen[bytes]") -> None:
    place = place_of(tmp_path, kept=2)
    when(place, lambda one: one.done == 1)
    elsewhere.kill()
    assert over(place).state == "lost"
    place.start("mine", "Bo", lambda tell: "/done")
    assert over(place).label == "mine"
    assert [one.state for one in place.recent()] == ["done", "lost"]


def test_closing_stops_only_what_this_process_does(tmp_path: Path) -> None:
    place, patient = place_of(tmp_path), Patient()
    place.start("long", "Ada", patient)
    place_of(tmp_path).close()
    running = when(place, lambda one: one.done > 0)
    assert running.running
    place.close()


def test_cancelled_work_ends_when_it_next_tells_how_far_it_is(tmp_path: Path) -> None:
    place, patient = place_of(tmp_path), Patient()
    begun = place.start("long", "Ada", patient)
    assert patient.begun.wait(PATIENCE)
    place.cancel(begun.id)
    ended = over(place)
    assert ended.state == "cancelled"
    assert ended.done < 900
    with pytest.raises(JobOver):
        place.cancel(begun.id)
    with pytest.raises(UnknownJob):
        place.cancel("0000")
    place.start("next", "Ada", lambda tell: "/next")
    assert over(place).state == "done"


def test_the_time_left_goes_by_the_rate_so_far(tmp_path: Path) -> None:
    place, patient = place_of(tmp_path), Patient()
    begun = place.start("long", "Ada", patient)
    assert begun.seconds_left(begun.started) is None
    running = when(place, lambda one: one.done > 0)
    assert running.seconds_left(running.started) == 0
    place.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("Suite x is gone."), "Suite x is gone."),
        (ZeroDivisionError(), "log"),
    ],
)
def test_work_that_fails_says_why(tmp_path: Path, error: Exception, said: str) -> None:
    place = place_of(tmp_path)

    def work(tell: Tell) -> str:
        raise error

    place.start("bad", "Ada", work)
    failed = over(place)
    assert failed.state == "failed"
    assert said in failed.error
    place.start("good", "Ada", lambda tell: "/bench")
    assert over(place).state == "done"


def test_as_many_are_remembered_as_it_is_told_by_every_process(tmp_path: Path) -> None:
    for number in range(4):
        place = place_of(tmp_path, kept=3)
        place.start(str(number), "Ada", lambda tell: "")
        over(place)
    assert [one.label for one in place_of(tmp_path, kept=3).recent()] == ["3", "2", "1"]


@pytest.mark.parametrize("content", ["", "{}", json.dumps([{"id": "1"}])])
def test_a_file_that_says_nothing_is_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "bench.json").write_text(content)
    assert place_of(tmp_path).current is None
