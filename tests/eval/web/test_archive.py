import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.errors import UnknownRun, UnknownSuite
from eval.runs.document import write_run
from eval.runs.runner import run_suite
from eval.suites.suite import Suite
from eval.web.archive import (
    key_of_suite,
    new_run_path,
    run_named,
    run_path,
    runs_folder,
    runs_of,
    slug,
    suite_named,
    suites_folder,
    suites_of,
)
from indexer.settings import Settings
from tests.eval.worlds import fake_bench, small_suite
from tests.service.worlds import settings_of


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "own")


@pytest.mark.parametrize("name", ["first.json", "first.json.gz"])
def test_the_head_of_a_run_is_what_its_file_says(own: Settings, shop: Settings, suite: Suite, name: str) -> None:
    with fake_bench(shop) as bench:
        document = run_suite(suite, bench, shop.search, name="first", watch=lambda done, total: None)
    runs_folder(own).mkdir(parents=True)
    write_run(document, runs_folder(own) / name)
    (found,) = runs_of(own)
    head = found.head
    assert head is not None
    assert (found.key, found.fault) == ("first", "")
    assert (head.name, head.created, head.suite, head.depth) == ("first", document.created, document.suite, 100)
    assert head.build is not None
    assert document.build is not None
    assert (head.build.build, head.build.catalog) == (document.build.build, document.build.catalog)
    assert run_named(own, "first") == document
    other = document.model_copy(update={"build": None, "search": None, "store": None})
    write_run(other, runs_folder(own) / name)
    (found,) = runs_of(own)
    assert found.head is not None
    assert found.head.build is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2", b"\x00\xff", gzip.compress(b'{"name": 3}', mtime=0)])
@pytest.mark.parametrize("name", ["broken.json", "broken.json.gz"])
def test_a_file_that_is_no_run_is_listed_with_what_is_wrong(own: Settings, content: bytes, name: str) -> None:
    runs_folder(own).mkdir(parents=True)
    (runs_folder(own) / name).write_bytes(content)
    (found,) = runs_of(own)
    assert found.head is None
    assert found.fault.startswith(name)


@pytest.mark.parametrize("key", ["", "..", "../runs/first", "first.json", "/etc/passwd", "nothing"])
def test_only_what_is_listed_can_be_asked_for(own: Settings, key: str) -> None:
    runs_folder(own).mkdir(parents=True)
    (runs_folder(own) / "first.json").write_text("{}")
    (runs_folder(own).parent / "passwd.json").write_text("{}")
    with pytest.raises(UnknownRun):
        run_path(own, key)
    with pytest.raises(UnknownSuite):
        suite_named(own, key)


def test_suites_are_found_where_a_home_and_the_gate_have_them(own: Settings, tmp_path: Path) -> None:
    places = [own.home / "suites" / "shop" / "text", suites_folder(own) / "made", tmp_path / "elsewhere"]
    for place in places:
        place.mkdir(parents=True)
        small_suite(place)
    gate = own.gate.model_copy(update={"suites": (places[2], places[0])})
    settings = own.model_copy(update={"gate": gate})
    found = suites_of(settings)
    assert [one.place for one in found] == ["elsewhere", "made", "shop/text"]
    assert {one.directory for one in found} == set(places)
    assert all(key_of_suite(settings, one.directory) == one.key for one in found)
    assert suite_named(settings, found[1].key).card.name == "small"
    assert key_of_suite(settings, tmp_path) is None


def test_a_suite_that_cannot_be_read_is_listed_with_why_and_read_again_once_mended(own: Settings) -> None:
    place = own.home / "suites" / "small"
    place.mkdir(parents=True)
    small_suite(place)
    whole = (place / "qrels.tsv").read_bytes()
    (place / "qrels.tsv").write_text("nonsense")
    (found,) = suites_of(own)
    assert found.suite is None
    assert "qrels.tsv:1" in found.fault
    (place / "qrels.tsv").write_bytes(whole)
    (found,) = suites_of(own)
    assert found.suite is not None


def test_names_of_files_say_what_a_run_is_and_when_it_was(own: Settings) -> None:
    path = new_run_path(own, "Größer & <b>: image=0.7", datetime(2026, 11, 21, 18, 30, 5, tzinfo=UTC))
    assert path.name == "gr-er-b-image-0-7-20261121-183005.json.gz"
    assert slug("…") == "unnamed"
