"""Marks that arrive while the page is there already."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from jinja2 import Environment, PackageLoader
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.bootstrap import open_line, open_verifier
from service.photos import CataloguePhotos
from service.request import SearchRequest
from service.rerank.verdicts import Check, Mark, Verdict
from service.shop import Shop
from tests.fakes import FakeEncoder
from tests.openai_server import OpenAiServer, answering
from tests.pages import Page
from tests.service.api.serving import PATIENCE, Talk, serving, wait_until
from tests.service.api.test_admission import HeldEncoder
from tests.service.apps import app_over
from tests.service.rerank.judging import checks_in
from tests.service.worlds import open_fake_shop, settings_of

Event = tuple[str, Mapping[str, object]]


@pytest.fixture(scope="module")
def judged(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The small shop, whose model says yes to everything."""
    own = shutil.copytree(home, tmp_path_factory.mktemp("judged") / "home")
    with OpenAiServer(lambda request: answering(dict.fromkeys(checks_in(request), "A"))) as server:
        rerank = {
            "base_url": server.url,
            "model": "small",
            "side": 64,
            "read_queries": False,
            "seconds": 60,
            "top_n": 3,
        }
        settings = settings_of(own, store={"kind": "memory"}, rerank=rerank)
        with TestClient(app_over(settings, lambda: _shop(settings), pages=True)) as client:
            yield client


def _shop(settings: Settings) -> Shop:
    database, decoders = open_catalogue(settings), DecoderPool.of(settings.images)
    photos = CataloguePhotos(database, decoders)
    verifier = open_verifier(settings, open_line(settings, database), photos)
    return Shop(database, settings, lambda manifest: FakeEncoder(), decoders, photos=photos, verifier=verifier)


def events(client: TestClient, address: str) -> list[Event]:
    answer = client.get(f"/marks?{address}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [dict(line.split(": ", 1) for line in one.splitlines()) for one in answer.text.strip().split("\n\n")]
    return [(one["event"], json.loads(one["data"])) for one in blocks]


def test_each_verdict_is_told_before_the_end_and_again_when_the_model_has_spoken(judged: TestClient) -> None:
    *verdicts, (last, summary) = events(judged, "q=red+mug&group=0")
    assert {name for name, _ in verdicts} == {"verdict"}
    order = summary["order"]
    assert isinstance(order, list)
    told = [str(said["product"]) for _, said in verdicts]
    assert last == "end"
    assert sorted(told) == sorted([*order[:3]] * 2)
    assert (summary["verified"], summary["wanted"], summary["skipped"]) == (3, 3, [])
    assert all("✓" in str(said["html"]) for _, said in verdicts[3:])


def test_without_a_model_the_local_witness_is_heard(home: Path) -> None:
    with _shop(settings_of(home, store={"kind": "memory"}, rerank={"seconds": 60})) as shop:
        told: dict[str, Verdict] = {}
        answer = shop.search(SearchRequest(text="red mug", verify=True), told=told.__setitem__)
    assert told
    assert told == {one.id: one.verdict for one in answer.results if one.verdict is not None}


def test_verdicts_that_are_remembered_are_told_too(judged: TestClient) -> None:
    first, second = events(judged, "q=blue+shoe"), events(judged, "q=blue+shoe")
    assert sorted(map(repr, second)) == sorted(map(repr, first))


def test_what_goes_wrong_is_told_and_ends_it(judged: TestClient) -> None:
    [(name, said)] = events(judged, f"photo={'a' * 22}&q=but+blue")
    assert name == "fault"
    assert "choose it again" in str(said["told"])
    [(name, said)] = events(judged, "q=mug&where=nothing")
    assert name == "fault"


def test_that_it_cannot_be_told_is_explained_and_left_out_of_what_everybody_sees() -> None:
    fields = (("colour", Mark.YES), ("pattern", Mark.UNKNOWN), ("kind", Mark.UNKNOWN), ("words", Mark.UNKNOWN))
    checks = tuple(Check(field=one, value=one, wanted=True, stated=True, mark=mark) for one, mark in fields)
    verdict = Verdict(checks=checks, score=1.0, lift=0, contradicted=False, by=())
    templates = Environment(loader=PackageLoader("service.web.window"), autoescape=True, extensions=["jinja2.ext.i18n"])
    templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    marks = Page(templates.get_template("window_marks.html").render(verdict=verdict))
    titles = [given.get("title") for _, given in marks.tags if "mark" in (given.get("class") or "").split()]
    assert titles == [None, "Neither what the shop says of it nor its photo tells"]
    assert "pattern" in marks.words
    assert "kind" not in marks.words


def test_who_leaves_keeps_the_place_until_nobody_works_for_them_any_more(home: Path, tmp_path: Path) -> None:
    encoder = HeldEncoder()
    own = shutil.copytree(home, tmp_path / "home")
    settings = settings_of(own, store={"kind": "memory"}, load={"slow_work": 1, "wait_seconds": PATIENCE})
    app = app_over(settings, lambda: open_fake_shop(settings, lambda _: encoder), pages=True)
    with serving(app) as (host, port):

        def counted(name: str) -> float:
            told = httpx2.get(f"http://{host}:{port}/metrics", trust_env=False, timeout=PATIENCE).text
            return sum(float(line.split()[-1]) for line in told.splitlines() if line.startswith(name))

        try:
            with Talk((host, port)) as first:
                first.say("", path="GET /marks?q=red+mug")
                wait_until(lambda: encoder.entered == 1)
            with Talk((host, port)).say("", path="GET /marks?q=blue+mug") as second:
                wait_until(lambda: counted('vitrine_waiting{kind="slow"}') == 1)
                for _ in range(3):
                    counted("vitrine")  # by when the service has heard of whoever went
                assert counted('vitrine_admitted_total{kind="slow"}') == 1
                encoder.may.set()
                with second.socket.makefile("rb") as told:
                    assert b"event: end\n" in iter(told.readline, b"")
                assert counted("vitrine_searches_total") == 1, "the search of whoever left goes no further"
        finally:
            encoder.may.set()
