"""Products put, changed and taken out over HTTP."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from indexer.domain import BuildManifest
from service.api.schemas import MAX_PUT
from tests.fakes import FakeEncoder
from tests.service.api.test_routes import ids, refused
from tests.service.apps import app_over, key_for
from tests.service.worlds import CATALOG, open_fake_shop, settings_of

ODD = "lamp/äöü 50%"


@pytest.fixture(scope="module")
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture(scope="module")
def changing(home: Path, tmp_path_factory: pytest.TempPathFactory, encoder: FakeEncoder) -> Iterator[TestClient]:
    """Over a copy of the small shop, whose tests change products of their own."""
    folder = tmp_path_factory.mktemp("changing") / "home"
    shutil.copytree(home, folder)
    settings = settings_of(folder, store={"kind": "memory"})

    def open_encoder(manifest: BuildManifest) -> FakeEncoder:
        return encoder

    app = app_over(settings, lambda: open_fake_shop(settings, open_encoder))
    key = key_for(settings, Scope.MERCHANDISE)
    with TestClient(app, headers=key, raise_server_exceptions=False) as client:
        yield client


def put(client: TestClient, *products: dict[str, object], **query: str) -> Response:
    return client.put("/v1/products", json=list(products), params=query)


def patch(client: TestClient, product: str, **changes: object) -> Response:
    return client.patch(f"/v1/products/{quote(product, safe='')}", json=changes)


def found(client: TestClient, text: str, *where: str) -> list[str]:
    return ids(client.post("/v1/search", json={"text": text, "where": where, "top_k": 20}))


def vase(product_id: str, **fields: object) -> dict[str, object]:
    return {"id": product_id, "title": f"Vase {product_id}", **fields}


def test_a_product_that_is_put_is_found_by_its_words_its_photo_and_its_values(changing: TestClient) -> None:
    product = vase("vase-1", price=17, currency="EUR", category=["Home", "Vases"], brand="Orbit", images=["0-0.png"])
    answer = put(changing, product)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document == {
        "catalog": CATALOG,
        "products": ["vase-1"],
        "sequence": document["sequence"],
        "visible_within_s": 2.0,
        "rejected": [],
    }
    assert found(changing, "vase-1", "price=17", "brand=orbit", "category=home/vases", "palette=red") == ["vase-1"]
    assert changing.get("/v1/products/vase-1").json()["price"] == 17.0
    assert "mug-red" in ids(changing.get("/v1/products/vase-1/similar", params={"top_k": 2})), "the same photo"


def test_a_product_that_is_put_again_is_replaced_whole(changing: TestClient) -> None:
    put(changing, vase("vase-2", price=17, brand="Orbit", images=["0-0.png"]))
    put(changing, {"id": "vase-2", "title": "Carafe", "images": ["1-0.png"]})
    document = changing.get("/v1/products/vase-2").json()
    assert (document["title"], document["price"], document["brand"]) == ("Carafe", None, None)
    assert [image["uri"] for image in document["images"]] == ["1-0.png"]
    assert "vase-2" not in found(changing, "vase", "palette=red")
    assert "vase-2" in found(changing, "carafe", "palette=blue")


def test_photos_that_do_not_pass_are_told_by_name_and_the_product_is_found(changing: TestClient) -> None:
    told = {
        "nowhere.png": "missing",
        "../home/vitrine.db": "outside_root",
        "/etc/passwd": "outside_root",
        "products.csv": "unsupported_format",
        "http://example.com/a.png": "not_https",
        "https://127.0.0.1/a.png": "forbidden_address",
    }
    answer = put(changing, vase("vase-3", price=3, images=["0-0.png", *told])).json()
    assert {one["photo"]: one["reason"] for one in answer["rejected"]} == told
    assert {(one["product"], one["line"]) for one in answer["rejected"]} == {("vase-3", None)}
    assert all(one["detail"] for one in answer["rejected"])
    assert found(changing, "vase-3", "price=3", "palette=red") == ["vase-3"]
    put(changing, vase("vase-4", images=["nowhere.png"]))
    assert "vase-4" in found(changing, "vase-4"), "by its words alone"


def test_a_price_and_stock_are_changed_without_encoding(changing: TestClient, encoder: FakeEncoder) -> None:
    put(changing, vase("vase-5", price=50, attributes={"fit": "wide"}, images=["0-0.png"]))
    encoded = len(encoder.texts), encoder.photos
    answer = patch(changing, "vase-5", price="49.90", availability=0, attributes={"material": "glass"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["products"] == ["vase-5"]
    assert (len(encoder.texts), encoder.photos) == encoded
    assert found(changing, "vase", "price=49.9", "in_stock=false", "material=glass") == ["vase-5"]


def test_null_takes_away(changing: TestClient) -> None:
    put(changing, vase("vase-6", price=61, currency="EUR", attributes={"material": "clay", "fit": "wide"}))
    assert patch(changing, "vase-6", price=None, attributes={"Material": None}).status_code == 200
    document = changing.get("/v1/products/vase-6").json()
    assert (document["price"], document["currency"], document["attributes"]) == (None, "EUR", {"fit": "wide"})
    assert found(changing, "vase", "material=clay") == []


def test_a_product_is_taken_out(changing: TestClient) -> None:
    put(changing, vase("vase-7", price=70, images=["0-0.png", "1-0.png"]))
    assert found(changing, "vase", "price=70") == ["vase-7"]
    assert changing.delete("/v1/products/vase-7").json()["products"] == ["vase-7"]
    assert found(changing, "vase", "price=70") == []
    assert "vase-" in refused(changing.get("/v1/products/vase-7"), "unknown-product", 404)["detail"]
    refused(changing.delete("/v1/products/vase-7"), "unknown-product", 404)


def test_an_id_with_slashes_spaces_percent_and_umlauts(changing: TestClient) -> None:
    assert patch(changing, ODD, price=4711).status_code == 200
    assert found(changing, "lamp", "price=4711") == [ODD]


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("product", ["mug-rad", "MUG-RED\x00x", ""])
def test_an_unknown_product_is_404_with_ids_that_are_close(changing: TestClient, method: str, product: str) -> None:
    answer = changing.request(method, f"/v1/products/{quote(product, safe='')}", json={"price": 1})
    detail = refused(answer, "unknown-product", 404)["detail"]
    assert not product or "close to it: mug-red" in detail


def test_changes_have_their_order(changing: TestClient) -> None:
    first = put(changing, vase("vase-8"), vase("vase-9")).json()["sequence"]
    second = patch(changing, "vase-8", price=1).json()["sequence"]
    assert second == first + 1
    assert changing.delete("/v1/products/vase-9").json()["sequence"] == first + 2


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ([vase("a"), vase("b", price="ten")], "1.price", "price 'ten' is not an amount"),
        ([vase("a"), vase("b", attributes={"fit": 7})], "1.attributes.fit.str", "valid string"),
        ([vase("a", colour="red")], "0.colour", "not permitted"),
        ([{"id": "a"}], "0.title", "required"),
        ([], "", "at least 1 item"),
        ([vase(str(number)) for number in range(MAX_PUT + 1)], "", "at most 100 items"),
        ({"id": "a"}, "", "valid list"),
        (["a"], "", "valid dictionary"),
    ],
)
def test_what_cannot_be_put_is_refused_by_name(changing: TestClient, body: object, field: str, told: str) -> None:
    problem = refused(changing.put("/v1/products", json=body), "invalid-request")
    assert told in problem["detail"]
    assert field in [one["field"] for one in changing.put("/v1/products", json=body).json()["errors"]]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "nothing to change was given"),
        ({"attributes": {}}, "nothing to change was given"),
        ({"title": "New"}, "title: Extra inputs are not permitted"),
        ({"price": "1 EUR"}, "price: write the amount alone, and EUR as currency"),
        ({"currency": "euro"}, "currency: currency 'euro' is not known"),
        ({"availability": None}, "availability: write in_stock"),
        ({"attributes": {"price": "1"}}, "attributes: price is a field of the product"),
        ({"attributes": {"fit": {"a": 1}}}, "attributes.fit"),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(changing: TestClient, changes: dict[str, object], told: str) -> None:
    before = changing.get("/v1/products/mug-red").json()
    assert told in refused(patch(changing, "mug-red", **changes), "invalid-request")["detail"]
    assert changing.get("/v1/products/mug-red").json() == before


def test_a_product_given_twice_is_refused_and_nothing_changed(changing: TestClient) -> None:
    answer = put(changing, vase("twice"), vase(" twice\u200b"))
    assert "Product 'twice' is given twice" in refused(answer, "input-error", 400)["detail"]
    refused(changing.get("/v1/products/twice"), "unknown-product", 404)


def test_a_catalog_is_named(changing: TestClient) -> None:
    assert put(changing, vase("vase-10"), catalog=CATALOG).json()["catalog"] == CATALOG
    for answer in (
        put(changing, vase("vase-10"), catalog="no"),
        changing.patch("/v1/products/vase-10", json={"price": 1}, params={"catalog": "no"}),
        changing.delete("/v1/products/vase-10", params={"catalog": "no"}),
    ):
        assert CATALOG in refused(answer, "unknown-catalog", 404)["detail"]


def test_while_nothing_is_published_it_is_said(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    app, key = app_over(settings), key_for(settings, Scope.MERCHANDISE)
    with TestClient(app, headers=key, raise_server_exceptions=False) as empty:
        for answer in (put(empty, vase("a")), patch(empty, "a", price=1), empty.delete("/v1/products/a")):
            assert "vitrine build CATALOGUE" in refused(answer, "nothing-published", 503)["detail"]


def test_prices_stay_exact(changing: TestClient) -> None:
    for price in ("0.29", "9999999999.99", "0.1"):
        put(changing, vase("vase-11", price=price))
        assert changing.get("/v1/products/vase-11").json()["price"] == float(Decimal(price))
