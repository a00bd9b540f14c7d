"""Weight sliders, without any script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.measured import measured
from eval.runs.runner import run_suite
from eval.suites.files import read_suite
from indexer.domain import Channel, QueryKind
from tests.eval.web.live_site import LiveSite, live_site
from tests.eval.worlds import fake_bench

_NOW = re.compile(
    r'data-group="(\w+)" data-measure="(\w+)">(?:\s*<span[^>]*>[^<]*</span>)?\s*<strong data-now="([^"]+)"'
)
PAGE = "/bench/sliders"


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """With the suite's scores stored."""
    with live_site(home, tmp_path_factory.mktemp("sliders") / "home") as site:
        assert "Store the scores" in site.ada().get(PAGE, params={"suite": site.suite}).text
        assert site.ada().post(PAGE, data={"suite": site.suite}).status_code == 303
        site.until(f"{PAGE}?suite={site.suite}", 'id="sliders"')
        yield site


def figures(site: LiveSite, **weights: object) -> dict[tuple[str, str], float]:
    page = site.ada().get(PAGE, params={"suite": site.suite, **{name: str(one) for name, one in weights.items()}})
    assert page.status_code == 200
    return {(group, measure): float(value) for group, measure, value in _NOW.findall(page.text)}


def test_analysts_choose_a_suite(site: LiveSite) -> None:
    assert site.nobody().get(PAGE).headers["Location"].startswith("/sign-in")
    assert f"{PAGE}?suite={site.suite}" in site.ada().get(PAGE).text


def test_the_figures_are_those_of_a_run_with_these_weights(site: LiveSite) -> None:
    suite, search = read_suite(site.directory), site.settings.search
    other = {Channel.IMAGE: 0.1, Channel.LEXICAL: 0.9}
    tried = search.model_copy(update={"weights": {**search.weights, QueryKind.TEXT: other}})
    weights = {"text.image": 0.1, "text.text": 0, "text.lexical": 0.9}
    for settings, found in ((search, figures(site)), (tried, figures(site, **weights))):
        with fake_bench(site.settings) as bench:
            document = run_suite(suite, bench, settings, watch=lambda done, total: None)
        for name, short in (("nDCG@10", "ndcg"), ("Success@1", "hit")):
            values = measured(name, suite, document.scores).values
            assert found["all", short] == pytest.approx(sum(values.values()) / len(values), abs=1e-6)
            texts = [values[query.id] for query in suite.judged if query.text]
            assert found["text", short] == pytest.approx(sum(texts) / len(texts), abs=1e-6)


def test_the_chosen_query_is_shown_with_what_to_paste(site: LiveSite) -> None:
    asked = {"suite": site.suite, "query": "in-blue", "edit.image": "0.25"}
    page = site.ada().get(PAGE, params=asked).text
    assert "[search.weights.edit]\nimage = 0.25\ntext = 0.5\n" in page
    assert 'name="settings" id="lines" value="weights.edit.image=0.25"' in page
    assert page.index("data-at=") < page.index("mug-blue")
    part = site.ada().get(PAGE, params=asked, headers={"X-Part": "1"}).text
    assert part.lstrip().startswith('<ol id="ranking"')
    assert "mug-red" not in part


@pytest.mark.parametrize("weight", ["-1", "2", "much", "nan", "inf"])
def test_what_is_no_weight_is_refused(site: LiveSite, weight: str) -> None:
    answer = site.ada().get(PAGE, params={"suite": site.suite, "text.image": weight})
    assert answer.status_code == 422
    assert "is no weight from 0 to 1" in answer.text


def test_scripts_get_scores_without_products(site: LiveSite) -> None:
    answer = site.ada().get(f"{PAGE}/scores", params={"suite": site.suite})
    assert answer.headers["Content-Encoding"] == "gzip"
    queries = answer.json()["queries"]
    assert {query["id"] for query in queries} == {"red-mug", "blue-shoe", "sku", "photo", "in-blue", "more"}
    assert "mug-red" not in answer.text.replace("red-mug", "")
    assert site.nobody().get(f"{PAGE}/scores", params={"suite": site.suite}).status_code == 303
    assert site.ada().get(f"{PAGE}/scores", params={"suite": "other"}).status_code == 404
