import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from indexer.domain import Availability, Product
from indexer.sources import open_source
from tests.indexer.sources.files import broken, ids, only, products, read, write

OLD = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,"
    "Variant Price,Variant Compare At Price,Image Src,Image Position,Variant Image,SEO Title,Cost per item,Status"
)
NEW = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,"
    "Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Inventory tracker,Inventory quantity,"
    "Continue selling when out of stock,Product image URL,Image position,Variant image URL,"
    "Color (product.metafields.shopify.color-pattern),Fabric (product.metafields.shopify.fabric),Cost per item"
)
CDN = "https://cdn.example/"
SHIRT = {"Handle": "shirt", "Title": "Shirt", "Option1 Name": "Size", "Option1 Value": "M", "Variant Price": "20.00"}


def export(folder: Path, *rows: Mapping[str, str], header: str = OLD) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return write(folder, "products_export.csv", text.getvalue())


def test_each_colour_is_a_product_and_its_sizes_are_values(tmp_path: Path) -> None:
    first = {
        **SHIRT,
        "Body (HTML)": "<p>Soft.<br>Warm.</p>",
        "Vendor": "Nord",
        "Product Category": "Apparel & Accessories > Clothing > Shirts",
        "Type": "Shirts",
        "Tags": "summer, linen",
        "Option2 Name": "Colour",
        "Option2 Value": "Navy Blue",
        "Variant SKU": "S-M-N",
        "Variant Compare At Price": "25.00",
        "Image Src": CDN + "front.jpg",
        "Image Position": "2",
        "Variant Image": CDN + "navy.jpg",
        "SEO Title": "Buy!",
        "Cost per item": "3.10",
    }
    large = {"Handle": "shirt", "Option1 Value": "L", "Option2 Value": "Navy Blue", "Variant Price": "22"}
    red = {
        "Handle": "shirt",
        "Option1 Value": "M",
        "Option2 Value": "Red",
        "Variant Price": "19",
        "Variant SKU": "S-M-R",
    }
    rows = read(
        export(
            tmp_path,
            {**first},
            {**large, "Image Src": CDN + "navy.jpg", "Image Position": "1", "Variant Image": CDN + "navy.jpg"},
            {**red, "Image Src": CDN + "red.jpg", "Image Position": "3", "Variant Image": CDN + "red.jpg"},
            {"Handle": "shirt", "Image Src": CDN + "back.jpg", "Image Position": "4"},
        )
    )
    blue, other = products(rows)
    assert (blue.id, blue.parent, other.id, other.parent) == ("shirt:navy-blue", "shirt", "shirt:red", "shirt")
    assert (blue.title, blue.description, blue.brand) == ("Shirt", "Soft.\nWarm.", "Nord")
    assert blue.category == ("Apparel & Accessories", "Clothing", "Shirts")
    assert (blue.price, other.price) == (Decimal("20.00"), Decimal("19.00"))
    assert [image.uri.removeprefix(CDN) for image in blue.images] == ["navy.jpg", "front.jpg", "back.jpg"]
    assert [image.uri.removeprefix(CDN) for image in other.images] == ["red.jpg", "front.jpg", "back.jpg"]
    assert blue.attributes == {
        "colour": "Navy Blue",
        "size": ("M", "L"),
        "sku": "S-M-N",
        "tags": ("summer", "linen"),
        "type": "Shirts",
        "regular_price": "25.00",
    }


def test_without_a_colour_the_handle_is_one_product(tmp_path: Path) -> None:
    found = only(read(export(tmp_path, SHIRT, {"Handle": "shirt", "Option1 Value": "L", "Variant Price": "18"})))
    assert (found.id, found.parent, found.price, found.attributes) == (
        "shirt",
        None,
        Decimal("18.00"),
        {"size": ("M", "L")},
    )


def test_a_product_without_variants_has_no_options(tmp_path: Path) -> None:
    found = only(read(export(tmp_path, {**SHIRT, "Option1 Name": "Title", "Option1 Value": "Default Title"})))
    assert found.attributes == {}


def test_the_newer_headers_are_read(tmp_path: Path) -> None:
    row = {
        "Title": "Shirt",
        "URL handle": "shirt",
        "Description": "<p>Soft</p>",
        "Vendor": "Nord",
        "Status": "Active",
        "Published on online store": "TRUE",
        "SKU": "S1",
        "Option1 name": "Shade",
        "Option1 value": "Red",
        "Option1 Linked To": "product.metafields.shopify.color-pattern",
        "Price": "20",
        "Product image URL": CDN + "a.jpg",
        "Color (product.metafields.shopify.color-pattern)": "red; blue",
        "Fabric (product.metafields.shopify.fabric)": "linen; silk",
        "Cost per item": "3",
    }
    found = only(read(export(tmp_path, row, header=NEW)))
    assert (found.id, found.description, found.price, found.brand) == ("shirt:red", "Soft", Decimal("20.00"), "Nord")
    assert found.attributes == {"colour": "Red", "fabric": ("linen", "silk"), "sku": "S1"}
    assert [image.uri for image in found.images] == [CDN + "a.jpg"]


@pytest.mark.parametrize(
    ("tracker", "quantity", "policy", "expected"),
    [
        ("", "", "deny", Availability.IN_STOCK),
        ("shopify", "3", "deny", Availability.IN_STOCK),
        ("shopify", "0", "deny", Availability.OUT_OF_STOCK),
        ("shopify", "-2", "continue", Availability.IN_STOCK),
        ("shopify", "", "deny", Availability.UNKNOWN),
    ],
)
def test_stock_is_what_the_tracker_says(
    tmp_path: Path, tracker: str, quantity: str, policy: str, expected: Availability
) -> None:
    stock = dict(zip(("Tracker", "Qty", "Policy"), (tracker, quantity, policy), strict=True))
    row = {**SHIRT, **{f"Variant Inventory {name}": value for name, value in stock.items()}}
    assert only(read(export(tmp_path, row))).availability is expected


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"Status": "draft"}, "left out: its status is 'draft'"),
        ({"Status": "archived"}, "left out: its status is 'archived'"),
        ({"Status": "active", "Published": "FALSE"}, "left out: it is not published"),
    ],
)
def test_what_is_not_for_sale_is_left_out_and_told(tmp_path: Path, more: Mapping[str, str], reason: str) -> None:
    cap = {**SHIRT, "Handle": "cap", "Title": "Cap"}
    rows = read(export(tmp_path, {**SHIRT, **more}, {"Handle": "shirt", "Option1 Value": "L"}, cap))
    assert (ids(rows), broken(rows)) == (["cap"], {2: reason})


def test_bad_rows_cost_themselves(tmp_path: Path) -> None:
    path = export(
        tmp_path,
        SHIRT,
        {"Handle": "shirt", "Option1 Value": "L", "Variant SKU": "BAD"},
        {"Handle": "", "Title": "Nameless", "Option1 Value": "x"},
        {"Handle": "cap", "Option1 Value": "S", "Variant Price": "9"},
        {**SHIRT, "Handle": "hat", "Variant Price": "call us"},
        SHIRT,
    )
    rows = read(write(tmp_path, path.name, path.read_bytes().replace(b"BAD", b"Caf\xe9")))
    (shirt,) = (row for row in rows if isinstance(row, Product))
    assert shirt.attributes == {"size": "M"}
    assert broken(rows) == {
        3: "Variant SKU: text that is not valid Unicode; save the file as UTF-8",
        4: "no handle",
        5: "no title in any row of 'cap'",
        6: "price 'call us' is not an amount",
        7: "duplicate id 'shirt': the first row with it is kept",
    }


def test_options_named_like_fields_feed_none(tmp_path: Path) -> None:
    rows = read(
        export(
            tmp_path,
            {
                **SHIRT,
                "Option1 Name": "Quantity",
                "Option1 Value": "6",
                "Option2 Name": "Photo",
                "Option2 Value": "yes",
            },
        )
    )
    found = only(rows)
    assert (found.images, found.attributes) == ((), {"option_quantity": "6", "option_photo": "yes"})


def test_a_mapping_names_any_of_the_file_s_columns(tmp_path: Path) -> None:
    row = {**SHIRT, "SEO Title": "Linen shirt", "Variant SKU": "S1"}
    found = only(read(export(tmp_path, row), {"title": "SEO Title", "id": "Variant SKU"}))
    assert (found.id, found.title) == ("S1", "Linen shirt")


def test_the_columns_that_were_recognised_are_told(tmp_path: Path) -> None:
    fields = open_source(export(tmp_path, SHIRT)).columns.fields
    assert {"id", "title", "parent", "price", "availability", "images", "colour"} <= set(fields)
