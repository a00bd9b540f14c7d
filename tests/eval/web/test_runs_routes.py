"""Runs, comparisons and suites as an analyst sees them."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.document import RunDocument, read_run
from eval.runs.runner import run_suite
from eval.runs.trec import read_trec_qrels, read_trec_run
from eval.runs.vectors import RememberingEncoder
from eval.suites.files import read_suite
from eval.web.archive import runs_folder
from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.domain import Channel, QueryKind
from service.access import Access
from service.photos import CataloguePhotos
from tests.eval.web.live_site import LiveSite, live_site
from tests.eval.worlds import QRELS, fake_bench
from tests.fakes import FakeEncoder

HREF = re.compile(r'/bench/runs/([\w.-]+)"')


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    with live_site(home, tmp_path_factory.mktemp("bench") / "home") as site:
        yield site


@pytest.fixture(scope="module")
def runs(site: LiveSite) -> tuple[str, str]:
    """The keys of two runs of the small suite, the second by the words alone."""
    return started(site, "As it is"), started(site, "Words alone", "weights.text.image=0\nweights.edit.image=0")


def started(site: LiveSite, name: str, settings: str = "") -> str:
    form = {"suite": site.suite, "name": name, "settings": settings, "verify": "never", "depth": "10"}
    answer = site.ada().post("/bench/runs", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/bench")
    said = site.until("/bench/work", f"“{name}” is done")
    found = HREF.search(said)
    assert found is not None
    return found[1]


def document(site: LiveSite, key: str) -> RunDocument:
    return read_run(runs_folder(site.settings) / f"{key}.json.gz")


def test_the_bench_is_for_analysts(site: LiveSite) -> None:
    for path in ("/bench", "/bench/work", "/bench/suites", "/bench/runs/any", "/bench/compare?a=a&b=b"):
        answer = site.nobody().get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=/bench")
    assert site.nobody().post("/bench/runs", data={"suite": site.suite}).headers["location"] == "/sign-in"


def test_a_run_answers_as_the_command_does(site: LiveSite, runs: tuple[str, str]) -> None:
    made = document(site, runs[0])
    suite = read_suite(site.directory)
    with fake_bench(site.settings, RememberingEncoder(FakeEncoder(), site.settings.home)) as bench:
        asked = replace(bench, photos=CataloguePhotos(open_catalogue(site.settings), bench.decoders))
        expected = run_suite(suite, asked, site.settings.search, depth=10, watch=lambda done, total: None)
    assert made.scores == expected.scores
    assert (made.name, made.depth, made.build, made.suite) == ("As it is", 10, expected.build, expected.suite)


def test_settings_are_those_that_were_typed(site: LiveSite, runs: tuple[str, str]) -> None:
    search = document(site, runs[1]).search
    assert search is not None
    assert [search.weights[kind][Channel.IMAGE] for kind in (QueryKind.TEXT, QueryKind.EDIT)] == [0, 0]


def test_settings_are_named_with_what_they_are_and_can_be_brought_along(site: LiveSite) -> None:
    page = site.ada().get("/bench", params={"suite": site.suite, "settings": "weights.text.image=0.5"}).text
    assert ">weights.text.image=0.5</textarea>" in page
    assert "\nweights.text.text=0.4\n" in page


def test_a_build_can_be_named(site: LiveSite, runs: tuple[str, str]) -> None:
    build = document(site, runs[0]).build
    assert build is not None
    form = {"suite": site.suite, "name": "named", "build": build.build}
    assert site.ada().post("/bench/runs", data=form).status_code == 303
    site.until("/bench/work", "“named” is done")


def test_runs_are_listed_with_their_figures(site: LiveSite, runs: tuple[str, str]) -> None:
    page = site.ada().get("/bench").text
    assert all(f'href="/bench/runs/{key}"' in page for key in runs)
    assert "nDCG@10" in page


def test_a_file_that_is_no_run_is_named(site: LiveSite, runs: tuple[str, str]) -> None:
    broken = runs_folder(site.settings) / "<broken>.json"
    broken.write_text("{}")
    page = site.ada().get("/bench").text
    broken.unlink()
    assert "&lt;broken&gt;.json is no run" in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"settings": "nonsense=3"}, "search.nonsense"),
        ({"settings": "depth"}, "expected NAME=VALUE"),
        ({"suite": "gone-0000"}, "There is no suite gone-0000"),
    ],
)
def test_what_was_typed_is_shown_again_when_it_cannot_be(site: LiveSite, form: dict[str, str], said: str) -> None:
    answer = site.ada().post("/bench/runs", data={"suite": site.suite, "name": "My <run>", "depth": "7", **form})
    assert answer.status_code in (400, 404)
    assert said in answer.text
    assert 'value="My &lt;run&gt;"' in answer.text
    assert 'value="7"' in answer.text


def test_a_run_that_cannot_be_made_says_why(site: LiveSite) -> None:
    answer = site.ada().post("/bench/runs", data={"suite": site.suite, "name": "doomed", "build": "no-such-build"})
    assert answer.status_code == 303
    assert "no-such-build" in site.until("/bench/work", "“doomed” came to nothing")


def test_a_run_shows_what_it_comes_to(site: LiveSite, runs: tuple[str, str]) -> None:
    page = site.ada().get(f"/bench/runs/{runs[0]}")
    assert page.status_code == 200
    assert "A right product comes first for" in page.text
    assert "Red mug" in page.text
    assert "/media/shop/" in page.text
    assert page.text.count('<svg class="chart"') >= 3
    assert 'style="' not in page.text
    assert f'<option value="{runs[1]}">' in page.text


@pytest.mark.parametrize("path", ["/bench/runs/nothing", "/bench/runs/nothing/run.trec", "/bench/suites/nothing"])
def test_what_is_not_there_is_not_found(site: LiveSite, path: str) -> None:
    assert site.ada().get(path).status_code == 404


def test_a_run_goes_out_as_trec_and_comes_in_again(site: LiveSite, runs: tuple[str, str], tmp_path: Path) -> None:
    for kind in ("run.trec", "qrels.trec"):
        (tmp_path / kind).write_bytes(site.ada().get(f"/bench/runs/{runs[0]}/{kind}").content)
    assert read_trec_qrels(tmp_path / "qrels.trec") == QRELS
    back, made = read_trec_run(tmp_path / "run.trec"), document(site, runs[0])
    assert list(back["red-mug"]) == [one.id for one in made.answers["red-mug"].ranked]


def test_a_run_goes_out_as_tables(site: LiveSite, runs: tuple[str, str]) -> None:
    tables = {}
    for kind in ("queries.csv", "answers.csv"):
        answer = site.ada().get(f"/bench/runs/{runs[0]}/{kind}")
        assert answer.headers["content-disposition"] == f'attachment; filename="{runs[0]}-{kind}"'
        tables[kind] = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    asked = {row["query"]: row for row in tables["queries.csv"]}
    assert len(asked) == 7
    assert 0 <= float(asked["red-mug"]["nDCG@10"]) <= 1
    assert asked["no-such-thing"]["nDCG@10"] == ""
    first = next(row for row in tables["answers.csv"] if row["query"] == "red-mug")
    assert (first["rank"], first["product"]) == ("1", asked["red-mug"]["first"])


def test_a_run_goes_out_as_figures_and_as_its_own_file(site: LiveSite, runs: tuple[str, str]) -> None:
    figures = json.loads(site.ada().get(f"/bench/runs/{runs[0]}/figures.json").content)
    assert figures["name"] == "As it is"
    file = site.ada().get(f"/bench/runs/{runs[0]}/run.json.gz").content
    assert RunDocument.model_validate_json(gzip.decompress(file)) == document(site, runs[0])


def test_reports_to_keep_run_nothing(site: LiveSite, runs: tuple[str, str]) -> None:
    for path in (f"/bench/runs/{runs[0]}/report.html", f"/bench/compare/report.html?a={runs[0]}&b={runs[1]}"):
        answer = site.ada().get(path)
        assert answer.text.startswith("<!doctype html>")
        assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_two_runs_are_compared(site: LiveSite, runs: tuple[str, str]) -> None:
    page = site.ada().get(f"/bench/compare?a={runs[0]}&b={runs[1]}")
    assert page.status_code == 200
    assert re.search(r"<h1>.*As it is", page.text)
    assert "search.weights.text.image" in page.text
    assert site.ada().get(f"/bench/compare?a={runs[0]}&b={runs[1]}&split=tune").status_code == 200
    unchosen = site.ada().get(f"/bench/compare?a={runs[0]}").headers["location"]
    assert "Choose one run as A and one as B." in site.ada().get(unchosen).text
    assert "Choose one run" not in site.ada().get("/bench").text


def test_runs_of_two_suites_are_not_compared(site: LiveSite, runs: tuple[str, str]) -> None:
    other = document(site, runs[0])
    moved = other.model_copy(update={"suite": other.suite.model_copy(update={"digest": "0", "name": "another"})})
    path = runs_folder(site.settings) / "another.json"
    path.write_text(moved.model_dump_json(indent=1))
    answer = site.ada().get(f"/bench/compare?a={runs[0]}&b=another")
    path.unlink()
    assert answer.status_code == 400
    assert "suites small and another" in answer.text


def test_a_suite_shows_its_questions_with_their_answers(site: LiveSite) -> None:
    assert "Queries of every kind over ten products." in site.ada().get("/bench/suites").text
    page = site.ada().get(f"/bench/suites/{site.suite}").text
    assert "“blue shoe”" in page
    assert f'href="/bench/lab?suite={site.suite}&amp;query=blue-shoe"' in page
    assert "data:image/webp" in page
    found = site.ada().get(f"/bench/suites/{site.suite}?q=BLUE&tag=colour").text
    assert "“blue shoe”" in found
    assert "“red mug”" not in found


def test_suites_are_made_of_the_catalogue_once(site: LiveSite) -> None:
    form = {"catalog": "shop", "name": "Made here", "queries": "3", "kinds": ["text", "edit"]}
    assert site.ada().post("/bench/suites", data=form).headers["location"] == "/bench/suites"
    site.until("/bench/work", "“made-here” is done")
    assert "made-here/text" in site.ada().get("/bench/suites").text
    again = site.ada().post("/bench/suites", data=form)
    assert again.status_code == 400
    assert "There are suites made-here already" in again.text
    assert 'value="Made here"' in again.text


def test_a_merchandiser_is_not_let_in(site: LiveSite) -> None:
    access, client = Access(open_catalogue(site.settings)), site.nobody()
    client.cookies.set("vitrine_session", access.sign_in(access.add("Mo", [Scope.MERCHANDISE])[1]) or "")
    assert client.get("/bench").status_code == 403
