"""What a search can be asked for over HTTP beside the question itself, and what is refused of it by name."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from tests.service.apps import app_over
from tests.service.two_builds import TwoBuilds
from tests.service.worlds import photo_of, picture

RED, BLUE = photo_of("red", seed=99), photo_of("blue", seed=98)
Json = Mapping[str, object]


def half_red_half_blue() -> bytes:
    """Two things beside each other, as PNG."""
    file = BytesIO()
    both = Image.new("RGB", (256, 128), "white")
    for place, colour in enumerate(("red", "blue")):
        both.paste(Image.fromarray(picture(colour, side=128)[8:, 8:]).resize((96, 96)), (16 + 128 * place, 16))
    both.save(file, "PNG")
    return file.getvalue()


TWO_THINGS = half_red_half_blue()


def ask(client: TestClient, **asked: object) -> Response:
    return client.post("/v1/search", json=asked)


def ask_by_photo(client: TestClient, *photos: bytes, **fields: str | list[str]) -> Response:
    return client.post("/v1/search/photo", files=[("photo", ("a.png", one)) for one in photos], data=fields)


def ids(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["id"] for result in answer.json()["results"]]


def refused(answer: Response) -> tuple[int, str, str]:
    """Status, kind and sentence of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["type"].removeprefix("urn:vitrine:problem:"), problem["detail"]


class TestParts:
    def test_a_box_searches_by_one_thing_of_a_photo(self, client: TestClient) -> None:
        for box, expected in (("0,0,0.5,1", {"mug-red", "shoe-red"}), ("0.5,0,0.5,1", {"mug-blue", "shoe-blue"})):
            found = ids(ask_by_photo(client, TWO_THINGS, box=box, top_k="3"))
            assert expected <= set(found), box

    def test_an_edit_of_a_box_starts_from_the_colour_in_it(self, client: TestClient) -> None:
        document = ask_by_photo(client, TWO_THINGS, box="0.5,0,0.5,1", change="but green", explain="true").json()
        assert document["explain"]["changes"] == [{"field": "colour", "source": "blue", "target": "green"}]
        assert document["results"][0]["id"] == "mug-green"

    def test_the_things_on_a_photo_are_boxes_that_a_search_takes(self, client: TestClient) -> None:
        answer = client.post("/v1/regions", files={"photo": ("a.png", TWO_THINGS)})
        assert answer.status_code == 200
        boxes = [region["box"] for region in answer.json()["regions"]]
        assert len(boxes) == 2
        left, right = sorted(boxes, key=lambda box: float(box["left"]))
        assert left["left"] + left["width"] <= 0.55 <= right["left"] + 0.1
        for box, expected in ((left, "mug-red"), (right, "mug-blue")):
            said = ",".join(str(box[name]) for name in ("left", "top", "width", "height"))
            assert expected in ids(ask_by_photo(client, TWO_THINGS, box=said, top_k="3"))

    def test_a_photo_without_things_is_one_region(self, client: TestClient) -> None:
        file = BytesIO()
        Image.new("RGB", (64, 64), "white").save(file, "PNG")
        (region,) = client.post("/v1/regions", files={"photo": ("a.png", file.getvalue())}).json()["regions"]
        assert region["box"] == {"left": 0, "top": 0, "width": 1, "height": 1}

    @pytest.mark.parametrize("photo", [b"", b"not a picture", RED[:-20]])
    def test_what_is_no_photo_has_none(self, client: TestClient, photo: bytes) -> None:
        status, kind, said = refused(client.post("/v1/regions", files={"photo": ("a.png", photo)}))
        assert (status, kind) == (422, "image-rejected")
        assert said.startswith("The photo is refused (")

    def test_several_photos_show_one_thing(self, client: TestClient) -> None:
        answer = ask_by_photo(client, RED, BLUE, top_k="6")
        assert answer.json()["kind"] == "photos"
        assert {"mug-red", "mug-blue", "shoe-red", "shoe-blue"} & set(ids(answer)[:4])
        assert refused(ask_by_photo(client, *[RED] * 5))[:2] == (422, "invalid-request")

    def test_one_bad_photo_of_several_is_refused(self, client: TestClient) -> None:
        status, kind, said = refused(ask_by_photo(client, RED, b"not a picture"))
        assert (status, kind) == (422, "image-rejected")
        assert "unsupported_format" in said


class TestBesideTheResults:
    def test_facets_are_counted_over_the_candidates(self, client: TestClient) -> None:
        document = ask(client, text="mug", facets=["colour", "price", "in_stock"], where=["brand=acme"]).json()
        colour, price, stock = document["facets"]
        assert (colour["field"], colour["candidates"]) == ("colour", 5)
        counts = {one["value"]: one["count"] for one in colour["values"]}
        assert counts["red"] == 2
        assert counts["green"] == 1
        assert (price["min"], price["max"]) == (8, 99)
        assert sum(one["count"] for one in price["ranges"]) == 5
        assert [(one["value"], one["count"]) for one in stock["values"]] == [(True, 5)]

    def test_auto_facets_are_those_that_suit_the_catalogue(self, client: TestClient) -> None:
        named = [facet["field"] for facet in ask(client, text="mug", facets=["auto"]).json()["facets"]]
        assert {"colour", "brand", "price", "in_stock", "material"} <= set(named)
        assert not {"parent", "guessed", "palette"} & set(named)
        also = ask(client, text="mug", facets=["palette", "auto", "colour"]).json()["facets"]
        assert [facet["field"] for facet in also] == ["palette", *named]

    def test_guessed_values_are_marked_in_facets_and_results(self, client: TestClient) -> None:
        """The plain mug has no colour of its own; its photo is blue."""
        document = ask(client, text="mug of the house", facets=["colour"], group=False).json()
        plain = next(result for result in document["results"] if result["id"] == "mug-plain")
        assert plain["guessed"] == {"colour": "blue"}
        (facet,) = document["facets"]
        blue = next(one for one in facet["values"] if one["value"] == "blue")
        assert (blue["count"], blue["guessed"]) == (3, 1)

    def test_why_a_product_is_not_there(self, client: TestClient) -> None:
        asked = {"text": "red mug", "where": ["price<50"], "why_not": ["mug-red", "shoe-red", "mug-nine"]}
        why = ask(client, **asked).json()["why_not"]
        assert [(one["id"], one["reason"]) for one in why] == [
            ("mug-red", "shown"),
            ("shoe-red", "filtered"),
            ("mug-nine", "unknown"),
        ]
        assert why[1]["detail"] == "It does not satisfy price<50."

    def test_words_are_highlighted_where_they_were_found(self, client: TestClient) -> None:
        first = ask(client, text="red mug", top_k=1).json()["results"][0]
        title = next(one for one in first["highlights"] if one["field"] == "title")
        assert [title["text"][start:end] for start, end in title["spans"]] == ["Red", "mug"]

    def test_the_routes_of_an_edit_are_named_with_their_ranks(self, client: TestClient) -> None:
        first = ask(client, like="mug-red", change="but blue", top_k=1).json()["results"][0]
        assert first["id"] == "mug-blue"
        assert first["routes"]["arithmetic"] >= 1
        assert set(first["routes"]) <= {"arithmetic", "identity", "recolour", "caption"}


class TestPages:
    @pytest.mark.parametrize("form", [False, True])
    def test_follow_each_other_by_their_cursors(self, client: TestClient, form: bool) -> None:
        found: list[str] = []
        cursor: str | None = None
        while cursor is not None or not found:
            given = {"top_k": "3"} if cursor is None else {"top_k": "3", "cursor": cursor}
            answer = ask_by_photo(client, RED, **given) if form else ask(client, text="mug", **given)
            found += ids(answer)
            cursor = answer.json()["next"]
        whole = ask_by_photo(client, RED, top_k="200") if form else ask(client, text="mug", top_k=200)
        assert found == ids(whole)
        assert len(found) == 8, "three of the ten are variants of one mug"

    def test_of_another_search_are_refused(self, client: TestClient) -> None:
        cursor = ask(client, text="mug", top_k=3).json()["next"]
        assert refused(ask(client, text="shoe", top_k=3, cursor=cursor))[:2] == (422, "bad-cursor")

    @pytest.mark.parametrize("cursor", ["", "x", "e30", "%%%", "A" * 4_000, "bnVsbA", "\x00", "ü"])
    def test_of_nothing_at_all_are_refused(self, client: TestClient, cursor: str) -> None:
        status, kind, said = refused(ask(client, text="mug", cursor=cursor))
        assert (status, kind) == (422, "bad-cursor")
        assert said.startswith("cursor: ")

    def test_of_a_build_that_was_replaced_are_gone(self, both: TwoBuilds) -> None:
        both.publish(both.first)
        with TestClient(app_over(both.settings)) as client:
            first = ask(client, text="mug", top_k=3).json()
            both.publish(both.second)
            status, kind, said = refused(ask(client, text="mug", top_k=3, cursor=first["next"]))
            assert (status, kind) == (410, "cursor-expired")
            assert "start again without the cursor" in said
            again = ask(client, text="mug", top_k=3).json()
            assert again["build"] == both.second != first["build"]


class TestOrders:
    def test_by_price_within_relevance(self, client: TestClient) -> None:
        document = ask(client, text="mug", sort="-price", group=False, where=["brand=acme"]).json()
        prices = [result["price"] for result in document["results"]]
        assert prices == sorted(prices, reverse=True)
        assert prices

    def test_each_variant_by_itself(self, client: TestClient) -> None:
        together = ids(ask(client, text="mug", top_k=50))
        alone = ids(ask(client, text="mug", top_k=50, group=False))
        assert (len(together), len(alone)) == (8, 10)

    def test_chips_can_be_ignored(self, client: TestClient) -> None:
        chips = ask(client, text="red mug under 11").json()["chips"]
        assert [(chip["id"], chip["kind"]) for chip in chips] == [("price:<11", "filter"), ("colour:red", "boost")]
        again = ask(client, text="red mug under 11", ignore=[chip["id"] for chip in chips]).json()
        assert again["chips"] == []
        assert again["words"] == "red mug under 11"


ROWS: Sequence[tuple[Json, int, str, str]] = [
    ({"text": "mug", "weights": {"image": -0.5}}, 422, "bad-weights", "weights: image is -0.5"),
    ({"text": "mug", "weights": {"image": 0, "text": 0}}, 422, "bad-weights", "weights: all are zero"),
    ({"text": "mug", "weights": {"picture": 1}}, 422, "bad-weights", "channels are image, text, lexical"),
    ({"text": "mug", "weights": {"image": "much"}}, 422, "invalid-request", "weights.image: "),
    ({"text": "mug", "weights": [1]}, 422, "invalid-request", "weights: "),
    ({"text": "mug", "where": ["hue=red"]}, 422, "bad-filter", "where: no field 'hue'"),
    ({"text": "mug", "where": ["price=cheap"]}, 422, "bad-filter", "price is a number"),
    ({"text": "mug", "where": ["in_stock=maybe"]}, 422, "bad-filter", "in_stock is true or false"),
    ({"text": "mug", "where": ["colour<red"]}, 422, "bad-filter", "colour has no order; use = or !="),
    ({"text": "mug", "where": ["(colour=red"]}, 422, "bad-filter", "not closed"),
    ({"text": "mug", "where": ["price=50..10"]}, 422, "bad-filter", "ends before it begins"),
    ({"text": "mug", "where": "colour=red"}, 422, "invalid-request", "where: "),
    ({"text": "mug", "sort": "hue"}, 422, "bad-filter", "sort: no field 'hue'; allowed are price"),
    ({"text": "mug", "sort": "colour"}, 422, "bad-filter", "sort: no field 'colour'; allowed are price"),
    ({"text": "mug", "sort": "newest"}, 422, "bad-filter", "sort: the catalogue has none of the dates"),
    ({"text": "mug", "sort": ""}, 422, "bad-filter", "sort: "),
    ({"text": "mug", "sort": "x" * 101}, 422, "invalid-request", "sort: "),
    ({"text": "mug", "facets": ["hue"]}, 422, "bad-filter", "facets: no field 'hue'; allowed are availability"),
    ({"text": "mug", "facets": ["price"] * 21}, 422, "invalid-request", "facets: "),
    ({"text": "mug", "diversity": 1.5}, 422, "invalid-request", "diversity: "),
    ({"text": "mug", "diversity": -0.1}, 422, "invalid-request", "diversity: "),
    ({"text": "mug", "fusion": "best"}, 422, "invalid-request", "fusion: "),
    ({"text": "mug", "rules": "all"}, 422, "invalid-request", "rules: "),
    ({"text": "mug", "group": "perhaps"}, 422, "invalid-request", "group: "),
    ({"text": "mug", "why_not": ["x"] * 21}, 422, "invalid-request", "why_not: "),
    ({"text": "mug", "ignore": ["x" * 1_001]}, 422, "invalid-request", "ignore.0: "),
    ({"text": "mug", "without": [7]}, 422, "invalid-request", "without.0: "),
    ({"text": "mug", "cursor": "x" * 4_097}, 422, "invalid-request", "cursor: "),
    ({"text": "mug", "box": [0, 0, 1, 1]}, 422, "query-error", "box: a box is a part of a photo"),
    ({"text": "mug", "box": [0, 0, 1]}, 422, "invalid-request", "box: "),
    ({"text": "under 11"}, 422, "empty-query", "Nothing is left to look for"),
    ({"text": "  ", "without": ["logo"]}, 422, "empty-query", "The query is empty"),
    ({"like": "mug-nine"}, 404, "unknown-product", "No product 'mug-nine'"),
    ({"like": "mug-nine", "change": "but blue"}, 404, "unknown-product", "No product 'mug-nine'"),
    ({"like": ""}, 404, "unknown-product", "No product ''"),
    ({"like": "mug-red", "change": "in red, in blue"}, 422, "contradictory-edit", "colour: "),
    ({"like": "mug-red", "change": "but blue and not blue"}, 422, "contradictory-edit", "colour: blue is both"),
    ({"text": "mug", "catalog": "no"}, 404, "unknown-catalog", "no"),
]


@pytest.mark.parametrize(("asked", "status", "kind", "said"), ROWS, ids=range(len(ROWS)))
def test_bad_input_is_a_problem_that_names_the_field(
    client: TestClient, asked: Json, status: int, kind: str, said: str
) -> None:
    answer = ask(client, **asked)
    assert refused(answer)[:2] == (status, kind)
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("field", "kind"), [('"weights": {{"image": {}}}', "bad-weights"), ('"diversity": {}', "invalid-request")]
)
def test_numbers_that_are_none_are_refused(client: TestClient, field: str, kind: str, number: str) -> None:
    content = '{"text": "mug", ' + field.format(number) + "}"
    answer = client.post("/v1/search", content=content, headers={"content-type": "application/json"})
    assert refused(answer)[:2] == (422, kind)


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"box": "0.5,0,0.6,1"}, "bad-box", "box.width is 0.6 and starts at 0.5: the box ends outside the photo"),
        ({"box": "-0.1,0,0.5,1"}, "bad-box", "box.left is -0.1; it is a share of the photo's side, from 0 to 1"),
        ({"box": "0,0,0,1"}, "bad-box", "box.width is 0"),
        ({"box": "0,0,1,1.5"}, "bad-box", "box.height is 1.5"),
        ({"box": "nan,0,1,1"}, "bad-box", "box.left is nan"),
        ({"box": "0,0,inf,1"}, "bad-box", "box.width is inf"),
        ({"box": "0,0,1"}, "bad-box", "box: "),
        ({"box": "0,0,1,1,1"}, "bad-box", "box: "),
        ({"box": "a,b,c,d"}, "bad-box", "box: 'a,b,c,d' is not left,top,width,height"),
        ({"box": "0" * 101}, "invalid-request", "box: "),
        ({"sort": "hue"}, "bad-filter", "sort: no field 'hue'"),
        ({"facets": ["hue"]}, "bad-filter", "facets: no field 'hue'"),
        ({"diversity": "2"}, "invalid-request", "diversity: "),
        ({"cursor": "x"}, "bad-cursor", "cursor: "),
        ({"rules": "all"}, "invalid-request", "rules: "),
        ({"change": "in red, in blue"}, "contradictory-edit", "colour: "),
        ({"like": "mug-red"}, "query-error", "not both"),
    ],
)
def test_a_form_is_refused_by_name_too(
    client: TestClient, fields: dict[str, str | list[str]], kind: str, said: str
) -> None:
    status, found, detail = refused(ask_by_photo(client, RED, **fields))
    assert (status, found) == (422, kind)
    assert said in detail


def test_an_unknown_product_may_be_asked_about(client: TestClient) -> None:
    """It is answered, not refused: the question is why it is missing."""
    (why,) = ask(client, text="mug", why_not=["\x00\ud7ff" * 10]).json()["why_not"]
    assert why["reason"] == "unknown"
