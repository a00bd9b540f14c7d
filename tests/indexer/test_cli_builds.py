"""The commands that look at builds, queue, publish, go back, compare, copy and forget them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.indexer.commands import Ran, refused, vitrine
from tests.indexer.encoders.tiny import save_tiny

PATIENCE = 180.0
CLAIMER = """
import time
from indexer.bootstrap import load_settings, open_catalogue
from indexer.builds.jobs import take_over
print(take_over(open_catalogue(load_settings()), "memory").build, flush=True)
time.sleep(600)
"""
"""A process that has taken a build, and gets nowhere."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def folder(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a catalogue of two hats, the tiny model and the memory store in the settings."""
    monkeypatch.setenv("VITRINE_ENCODER__NAME", model)
    monkeypatch.setenv("VITRINE_STORE__KIND", "memory")
    monkeypatch.setenv("VITRINE_IMAGES__DECODERS", "1")
    write(tmp_path, "Straw hat", "Felt hat")
    return tmp_path


def write(folder: Path, *titles: str) -> None:
    rows = "".join(f"hat-{number},{title}\n" for number, title in enumerate(titles))
    (folder / "products.csv").write_text(f"id,title\n{rows}")


def build(folder: Path, *titles: str) -> str:
    write(folder, *titles)
    ran = vitrine(folder, "build", "products.csv", "--name", "hats", "--skip-gates", "--json")
    assert ran.code == 0, ran.err
    return str(ran.json()["build"])


def published(folder: Path) -> str:
    rows = vitrine(folder, "builds", "list", "--json").json()
    (build,) = [row["build"] for row in rows if row["state"] == "published"]
    return str(build)


def plain(ran: Ran) -> str:
    assert (ran.code, "Traceback" in ran.err) == (0, False), ran.err
    return " ".join(ran.out.split())


def test_a_build_is_shown_by_its_id_or_its_catalogs_name(folder: Path) -> None:
    name = build(folder, "Straw hat", "Felt hat")
    shown = vitrine(folder, "builds", "show", "hats", "--json").json()

    assert (shown["build"], shown["state"], shown["made_of"]["products"]) == (name, "published", 2)
    assert shown == vitrine(folder, "builds", "show", name, "--json").json()
    assert "made_of.products = 2" in vitrine(folder, "builds", "show", name).out
    assert "There is no build 'nothing'" in refused(vitrine(folder, "builds", "show", "nothing"))


def test_builds_are_compared(folder: Path) -> None:
    first, second = build(folder, "Straw hat", "Felt hat"), build(folder, "Straw hat", "Silk hat", "Cap")

    told = vitrine(folder, "builds", "diff", second, first, "--json").json()
    assert (told["added"], told["changed"], told["removed"], told["unchanged"]) == (1, 1, 0, 1)
    assert told["named"] == {"added": ["hat-2"], "changed": ["hat-1"], "removed": []}
    against_published = plain(vitrine(folder, "builds", "diff", first))
    assert f"Build {first} of catalog hats against {second}:" in against_published
    assert "removed 1 hat-2" in against_published


def test_a_rehearsal_says_what_would_change_and_builds_nothing(folder: Path) -> None:
    name = build(folder, "Straw hat", "Felt hat")
    write(folder, "Straw hat", "Silk hat", "")

    told = vitrine(folder, "build", "products.csv", "--name", "hats", "--dry-run", "--json").json()
    assert (told["against"], told["changed"], told["unchanged"], told["rejected_rows"]) == (name, 1, 1, 1)
    for_people = plain(vitrine(folder, "build", "products.csv", "--name", "hats", "--dry-run"))
    assert "Nothing was written." in for_people
    assert "would be rejected: 1 broken rows row 4: no title" in for_people
    assert [row["build"] for row in vitrine(folder, "builds", "list", "--json").json()] == [name]


def test_builds_are_gone_back_to_and_published_again(folder: Path) -> None:
    first, second, third = (build(folder, *["Straw hat"] * number) for number in (1, 2, 3))

    assert f"Build {second} of catalog hats is published, in place of {third}." in plain(
        vitrine(folder, "builds", "rollback")
    )
    assert published(folder) == second
    back = vitrine(folder, "builds", "rollback", "--catalog", "hats", "--to", first, "--json").json()
    assert (back["build"], back["replaced"]) == (first, second)
    assert "no build of catalog 'hats' before" in refused(vitrine(folder, "builds", "rollback"))

    again = vitrine(folder, "builds", "publish", third, "--skip-gates", "--json")
    assert (again.json()["build"], again.json()["replaced"], again.json()["verdicts"]) == (third, first, [])
    assert "WARNING: --skip-gates" in again.err
    asked = vitrine(folder, "builds", "publish", second, "--json").json()
    assert [one["gate"] for one in asked["verdicts"]] == ["evaluation"]
    assert published(folder) == second


def test_old_builds_are_forgotten(folder: Path) -> None:
    first, second, third = (build(folder, *["Straw hat"] * number) for number in (1, 2, 3))

    assert plain(vitrine(folder, "builds", "prune")) == "Nothing to forget."
    told = vitrine(folder, "builds", "prune", "--keep", "1", "--json").json()
    assert told == [first], "the one that was published a moment ago is still searched"
    assert {row["build"] for row in vitrine(folder, "builds", "list", "--json").json()} == {second, third}
    assert vitrine(folder, "builds", "prune", "--keep", "0").code == 2
    assert "no catalog 'nothing'" in refused(vitrine(folder, "builds", "prune", "--catalog", "nothing"))


def test_a_build_is_copied_into_another_store_which_then_is_a_setting(folder: Path) -> None:
    name = build(folder, "Straw hat", "Felt hat")

    assert "VITRINE_STORE__KIND=edge" in plain(vitrine(folder, "builds", "copy", name, "--to", "edge"))
    again = vitrine(folder, "builds", "copy", name, "--to", "edge", "--json").json()
    assert again == [{"build": name, "catalog": "hats", "store": "edge", "points": 2}]
    assert published(folder) == name
    assert list(vitrine(folder, "builds", "show", name, "--json").json()["stores"]) == ["edge"]
    assert "store.kind" in refused(vitrine(folder, "builds", "copy", name, "--to", "cassandra"))


def test_a_database_is_copied_into_another_which_then_is_a_setting(folder: Path) -> None:
    build(folder, "Straw hat", "Felt hat")
    url = f"sqlite:///{folder}/another.db"
    before = vitrine(folder, "builds", "list", "--json").json()

    rows = vitrine(folder, "db", "copy", url, "--json").json()
    assert (rows["products"], rows["builds"], rows["published"]) == (2, 1, 1)
    assert vitrine(folder, "builds", "list", "--json", DATABASE__URL=url).json() == before
    assert "is not empty" in refused(vitrine(folder, "db", "copy", url))
    empty = f"sqlite:///{folder}/third.db"
    assert "VITRINE_DATABASE__URL=" in plain(vitrine(folder, "db", "copy", empty))


def queue(folder: Path) -> Ran:
    return vitrine(folder, "build", "products.csv", "--name", "hats", "--queue", "--json")


def test_a_queued_build_waits_and_keeps_others_out_until_it_is_cancelled(folder: Path) -> None:
    waiting = queue(folder).json()
    assert waiting["state"] == "queued"
    name = waiting["build"]
    waits = f"Build {name} of catalog 'hats' waits for a worker. Start one: vitrine worker."

    assert waits in refused(vitrine(folder, "build", "products.csv", "--name", "hats"))
    assert waits in refused(queue(folder))
    assert f"Build {name} of catalog hats is cancelled." in plain(vitrine(folder, "builds", "cancel", name))
    assert "is cancelled already" in refused(vitrine(folder, "builds", "cancel", name))
    told = plain(vitrine(folder, "build", "products.csv", "--name", "hats", "--queue"))
    assert "waits for a worker. See how it goes with: vitrine builds show" in told


@contextmanager
def child(folder: Path, *command: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: "subprocess.Popen[str]", words: str) -> None:
    """Wait for the line that has them."""
    assert process.stderr is not None
    assert any(words in line for line in process.stderr)


def test_a_worker_takes_what_waits_and_what_a_killed_process_left(folder: Path) -> None:
    """While that lives, a second build is refused; afterwards its build goes on under its own name."""
    first = queue(folder).json()["build"]
    with child(folder, sys.executable, "-c", CLAIMER) as claimer:
        assert claimer.stdout is not None
        assert claimer.stdout.readline().strip() == first
        told = refused(vitrine(folder, "build", "products.csv", "--name", "hats"))
        assert "is in progress (queued), owned by" in told
        assert told.endswith(f":{claimer.pid}.")
        assert "is in progress" in refused(queue(folder))
        os.kill(claimer.pid, signal.SIGKILL)
        claimer.wait()

    with child(folder, str(Path(sys.executable).with_name("vitrine")), "worker") as worker:
        hear(worker, f"Build {first} of catalog hats: taken.")
        hear(worker, f"Build {first} of catalog hats: published.")
        assert state(folder, first) == "published"
        write(folder, "Silk hat")
        second = queue(folder).json()["build"]
        hear(worker, f"Build {second} of catalog hats: published.")
        assert state(folder, second) == "published"
        worker.terminate()
        worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0


def state(folder: Path, name: str) -> object:
    return vitrine(folder, "builds", "show", name, "--json").json()["state"]
