from decimal import Decimal
from pathlib import Path

import pytest

from tests.indexer.sources.files import broken, ids, only, read, write

HEADER = (
    "id\ttitle\tdescription\tlink\timage link\tadditional_image_link\tprice\tsale_price\tavailability\titem_group_id\t"
    "product_type\tcolor\tsize\tproduct_highlight\tproduct_detail\tshipping(country:price)\tcost_of_goods_sold\n"
)
COAT = (
    "1\tCoat\tDry\thttps://s.example/1\thttps://s.example/a.jpg\thttps://s.example/b.jpg,https://s.example/c.jpg\t"
    '52.00 EUR\t40.00 EUR\tbackorder\tcoat\tWomen > Coats\tBlack/Red\t30/32\t"""Wind, rain"",""Two pockets"""\t'
    '"General:Water column:10 m,""General:Fit:slim, long"""\tDE:4 EUR\t11 EUR\n'
)


def test_a_row_of_google_s_columns_becomes_a_product(tmp_path: Path) -> None:
    coat = only(read(write(tmp_path, "feed.tsv", HEADER + COAT)))
    assert (coat.id, coat.parent, coat.category) == ("1", "coat", ("Women", "Coats"))
    assert (coat.price, coat.currency, coat.availability) == (Decimal("40.00"), "EUR", "preorder")
    assert [image.uri[-5:] for image in coat.images] == ["a.jpg", "b.jpg", "c.jpg"]
    assert coat.attributes == {
        "colour": ("Black", "Red"),
        "size": "30/32",
        "product_highlight": ("Wind, rain", "Two pockets"),
        "water_column": "10 m",
        "fit": "slim, long",
        "regular_price": "52.00 EUR",
    }


def test_commas_separate_the_same_as_csv(tmp_path: Path) -> None:
    row = "id,title,link,image_link,color\n1,Coat,https://s.example,https://s.example/a.jpg,Black/Red\n"
    assert only(read(write(tmp_path, "feed.csv", row))).attributes == {"colour": ("Black", "Red")}


def test_a_table_without_google_s_columns_keeps_its_slashes(tmp_path: Path) -> None:
    assert only(read(write(tmp_path, "p.csv", "id,title,color\n1,Coat,Black/Red\n"))).attributes == {
        "colour": "Black/Red"
    }


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("Women > Tops, Tees > Shirts", ("Women", "Tops, Tees", "Shirts")),
        ("Women > Tops,Sale > Tops", ("Women", "Tops")),
        ('"""Women > Tops, Tees"",Sale"', ("Women", "Tops, Tees")),
    ],
)
def test_commas_separate_product_types_where_they_can(tmp_path: Path, written: str, category: tuple[str, ...]) -> None:
    row = f"1\tCoat\thttps://s.example\thttps://s.example/a.jpg\t{written}\n"
    path = write(tmp_path, "feed.tsv", "id\ttitle\tlink\timage_link\tproduct_type\n" + row)
    assert only(read(path)).category == category


def test_bad_rows_cost_themselves(tmp_path: Path) -> None:
    good = "{}\tCoat\thttps://s.example\thttps://s.example/a.jpg\t{}\n"
    rows = (
        good.format(1, "9 EUR") + good.format(2, "call us") + "3\tCap\n" + good.format(4, "\x00") + good.format(1, "")
    )
    found = read(write(tmp_path, "feed.tsv", "id\ttitle\tlink\timage_link\tprice\n" + rows))
    assert ids(found) == ["1"]
    assert broken(found) == {
        3: "price 'call us' is not an amount",
        4: "2 fields where the header has 5",
        5: "a NUL byte",
        6: "duplicate id '1': the first row with it is kept",
    }
