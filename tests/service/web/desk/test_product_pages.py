"""Single products found, changed, read anew and taken out."""

import re
from html import unescape

from service.desk.products import Sheet
from service.web.desk.product_routes import EDIT
from tests.service.web.desk.conftest import Desk, plain


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input name="(\w+)" value="([^"]*)"', page))


def test_products_are_found_and_opened(desk: Desk) -> None:
    page = desk.client.get("/desk/products", params={"q": "shoe blue"})
    assert f'href="{EDIT}?id=shoe-blue"' in page.text
    odd = desk.client.get("/desk/products", params={"q": "lamp/äöü 50%"}).text
    link = re.findall(rf'href="({re.escape(EDIT)}\?id=lamp[^"]*)"', odd)[0]
    assert "Lamp &#34;Äther&#34;" in desk.client.get(link).text


def form(desk: Desk, product_id: str, **typed: str) -> dict[str, str | list[str]]:
    """What a browser sends of the product's form when that was typed into it."""
    page = unescape(desk.client.get(EDIT, params={"id": product_id}).text)
    was = re.findall(r'name="was" value="(\{.*?\}\})"', page)[0]
    sheet = Sheet.model_validate_json(was)
    fields = {**sheet.fields, **{name: said for name, said in typed.items() if name in sheet.fields}}
    attributes = {**sheet.attributes, **{name: said for name, said in typed.items() if name not in sheet.fields}}
    return {"id": product_id, "was": was, **fields, "attribute": [*attributes], "value": [*attributes.values()]}


def test_a_change_is_searched_at_once(desk: Desk) -> None:
    page = desk.client.post("/desk/products/save", data=form(desk, "mug-green", price="3.20", colour="yellow"))
    assert "Changed. Every search shows it now." in plain(page.text)
    assert fields(page.text)["price"] == "3.20"
    assert "still compare the older ones" in plain(page.text)
    assert "€3.20" in desk.client.get("/desk/preview", params={"q": "green mug", "where": "price<4"}).text


def test_nothing_different_is_nothing_changed(desk: Desk) -> None:
    page = desk.client.post("/desk/products/save", data=form(desk, "mug-blue"))
    assert page.url.params["done"] == "same"


def test_words_and_photos_are_read_anew_and_rejected_photos_are_shown_with_the_reason(desk: Desk) -> None:
    given = form(desk, "mug-blue", title="Ocean beaker", images="nowhere.png", price="8")
    page = desk.client.post("/desk/products/save", data=given)
    assert fields(page.text)["price"] == "8.00"
    told = plain(page.text)
    assert "1 photo was left out" in told
    assert "no such file" in told
    assert "<h1>Ocean beaker</h1>" in page.text


def test_mistakes_keep_what_was_typed(desk: Desk) -> None:
    given = form(desk, "mug-red", price="cheap", brand="A&B", colour="teal")
    page = desk.client.post("/desk/products/save", data=given)
    assert page.status_code == 400
    assert "price" in plain(re.findall(r'role="alert">(.*?)</div>', page.text, re.DOTALL)[0])
    assert (fields(page.text)["price"], fields(page.text)["brand"]) == ("cheap", "A&amp;B")
    assert 'name="value" value="teal"' in page.text


def test_what_somebody_else_changed_meanwhile_is_told_and_saved_over_only_by_will(desk: Desk) -> None:
    mine = form(desk, "mug-red", price="11", title="Beaker")
    desk.client.post("/desk/products/save", data=form(desk, "mug-red", price="20"))

    page = desk.client.post("/desk/products/save", data=mine)
    assert page.status_code == 409
    assert "price is now '20.00'" in plain(page.text)
    assert (fields(page.text)["price"], fields(page.text)["title"]) == ("11", "Beaker")

    was = re.findall(r'name="was" value="(\{.*?\}\})"', unescape(page.text))[0]
    page = desk.client.post("/desk/products/save", data={**mine, "was": was})
    assert (fields(page.text)["price"], fields(page.text)["title"]) == ("11.00", "Beaker")


def test_a_form_that_is_none_of_ours_is_refused(desk: Desk) -> None:
    assert desk.client.post("/desk/products/save", data={"id": "mug-red", "was": "{"}).status_code == 400


def test_a_product_whose_photos_were_not_read_is_read_anew(desk: Desk) -> None:
    page = desk.client.post("/desk/products/read-anew", data={"id": "shoe-blue"})
    assert "Words and photos were read anew." in plain(page.text)


def test_a_product_is_taken_out(desk: Desk) -> None:
    page = desk.client.post("/desk/products/delete", data={"id": "mug-plain"})
    assert "Product mug-plain was taken out." in plain(page.text)
    assert desk.client.get(EDIT, params={"id": "mug-plain"}).status_code == 404
    assert desk.client.post("/desk/products/delete", data={"id": "mug-plain"}).status_code == 404
