"""Rules: written, looked at, published, taken out, and by whom."""

import re
from collections.abc import Iterator

import pytest

from indexer.catalog.states import RuleState
from service.ruling import RuleDocument, Rules
from tests.pages import HOSTILE
from tests.service.web.desk.conftest import Desk, plain


@pytest.fixture
def rules(desk: Desk) -> Iterator[Rules]:
    """None at first."""
    rules = Rules(desk.world.database, "shop")
    yield rules
    for one in rules.listed():
        rules.remove(one.id, "tests")


def standing(rules: Rules) -> list[RuleDocument]:
    return rules.listed()


def titles(page: str, side: int) -> list[str]:
    shown = re.findall(r'<ol class="placed">.*?</ol>', page, re.DOTALL)[side]
    return [plain(one) for one in re.findall(r'<p class="name">(.*?)</p>', shown)]


def test_a_pin_is_written_previewed_and_published_by_who_is_signed_in(desk: Desk, rules: Rules) -> None:
    pin = {"kind": "pin", "query": "mug", "products": "shoe-red\r\n\r\nmug-green", "place": "1", "q": "mug"}
    page = desk.client.post("/desk/rules", data=pin)
    (draft,) = standing(rules)
    assert (draft.state, draft.author, draft.products) == (RuleState.DRAFT, "Mia Merchant", ("shoe-red", "mug-green"))
    assert page.url.params["q"] == "mug"
    assert titles(page.text, 1)[:2] == ["Red shoe", "Green mug"]
    assert titles(page.text, 0)[:2] != ["Red shoe", "Green mug"], "shoppers do not see a draft"

    page = desk.client.post(f"/desk/rules/{draft.id}/publish", data={"q": "mug"})
    assert titles(page.text, 0) == titles(page.text, 1)
    assert "The same results in the same order" in plain(page.text)
    assert "published by Mia Merchant" in plain(page.text)

    page = desk.client.post(f"/desk/rules/{draft.id}/remove", data={"q": "mug"})
    assert standing(rules) == []
    assert "taken out by Mia Merchant" in plain(page.text)


def test_results_of_the_preview_are_pinned_and_buried_by_a_click(desk: Desk, rules: Rules) -> None:
    page = desk.client.get("/desk/rules", params={"q": "red mug"})
    assert page.text.count('name="kind" value="bury"') >= 5
    first = titles(page.text, 1)[0]
    given = {"kind": "bury", "query": "red mug", "products": "mug-red", "q": "red mug", "catalog": "shop"}
    assert first == "Red mug"
    assert titles(desk.client.post("/desk/rules", data=given).text, 1)[0] != "Red mug"


def test_synonyms_and_boosts_are_written_too(desk: Desk, rules: Rules) -> None:
    desk.client.post("/desk/rules", data={"kind": "synonym", "query": "beaker", "words": "mug, cup ,"})
    desk.client.post("/desk/rules", data={"kind": "boost", "expression": "0.3*in_stock"})
    synonym, boost = standing(rules)
    assert synonym.words == ("mug", "cup")
    assert (boost.query, boost.expression) == ("", "0.3*in_stock")


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"kind": "boost", "expression": "0.3*nonsense"}, "nonsense"),
        ({"kind": "pin", "query": "mug", "products": "mug-rad"}, "mug-rad"),
        ({"kind": "pin", "query": "mug", "products": "mug-red", "place": "far"}, "place"),
        ({"kind": "magic", "query": "mug"}, "kind"),
    ],
)
def test_a_mistake_is_told_beside_what_was_typed(desk: Desk, rules: Rules, mistake: dict[str, str], told: str) -> None:
    page = desk.client.post("/desk/rules", data=mistake)
    assert page.status_code in (400, 404, 422)
    assert told in plain(re.findall(r'role="alert">(.*?)</div>', page.text, re.DOTALL)[0])
    for name in ("expression", "products"):
        assert mistake.get(name, "") in page.text
    assert standing(rules) == []


def test_an_unknown_rule_or_catalog_is_said_to_be(desk: Desk) -> None:
    assert desk.client.post("/desk/rules/none/publish").status_code == 404
    assert desk.client.get("/desk/rules", params={"catalog": "nowhere"}).status_code == 404


def test_what_a_rule_says_is_text(desk: Desk, rules: Rules) -> None:
    desk.client.post("/desk/rules", data={"kind": "synonym", "query": HOSTILE, "words": HOSTILE})
    page = desk.client.get("/desk/rules", params={"q": HOSTILE}).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
