import time
from decimal import Decimal
from pathlib import Path

import pytest

from indexer.domain import Availability
from indexer.errors import EmptySource, SourceError, UnmappableColumns
from indexer.sources import open_source
from indexer.sources.rows import ROW_LIMIT
from tests.indexer.sources.files import broken, ids, only, products, read, write

NAMESPACE = 'xmlns:g="http://base.google.com/ns/1.0"'
COAT = """<item>
  <g:id>TV-1</g:id>
  <title>Rain coat</title>
  <link>https://shop.example/coat</link>
  <description><![CDATA[<p>Keeps you <b>dry</b>.</p><script>x()</script>]]></description>
  <g:image_link>https://shop.example/a,b.jpg</g:image_link>
  <g:additional_image_link>https://shop.example/c.jpg</g:additional_image_link>
  <g:additional_image_link>https://shop.example/d.jpg</g:additional_image_link>
  <g:price>52.00 EUR</g:price>
  <g:availability>in_stock</g:availability>
  <g:brand>Nord &amp; S&#252;d</g:brand>
  <g:item_group_id>coat</g:item_group_id>
  <g:google_product_category>2271</g:google_product_category>
  <g:product_type>Women &gt; Coats</g:product_type>
  <g:color>Black/Off white</g:color>
  <g:material>cotton/elastane</g:material>
  <g:size>30/32</g:size>
  <g:gtin>4006381333931</g:gtin>
  <g:product_highlight>Wind-proof, too</g:product_highlight>
  <g:product_highlight>Two pockets</g:product_highlight>
  <g:product_detail><g:section_name>General</g:section_name><g:attribute_name>Water column</g:attribute_name>
    <g:attribute_value>10,000 mm</g:attribute_value></g:product_detail>
  <g:cost_of_goods_sold>11 EUR</g:cost_of_goods_sold>
  <g:custom_label_0>dead stock</g:custom_label_0>
  <g:shipping><g:country>DE</g:country><g:price>4 EUR</g:price></g:shipping>
  <guid>https://shop.example/coat</guid>
</item>"""


def feed(folder: Path, *items: str, head: str = "") -> Path:
    text = f'<?xml version="1.0"?>{head}\n<rss version="2.0" {NAMESPACE}><channel><title>Shop</title>\n'
    return write(folder, "feed.xml", text + "\n".join(items) + "\n</channel></rss>")


def item(number: int, more: str = "") -> str:
    return f"<item><g:id>{number}</g:id><title>Coat</title>{more}</item>"


def test_an_item_of_rss_becomes_a_product(tmp_path: Path) -> None:
    coat = only(read(feed(tmp_path, COAT)))
    assert (coat.id, coat.title, coat.parent, coat.brand) == ("TV-1", "Rain coat", "coat", "Nord & Süd")
    assert (coat.url, coat.description) == ("https://shop.example/coat", "Keeps you dry.")
    assert (coat.price, coat.currency, coat.availability) == (Decimal("52.00"), "EUR", Availability.IN_STOCK)
    assert coat.category == ("Women", "Coats")
    assert [image.uri.rpartition("/")[2] for image in coat.images] == ["a,b.jpg", "c.jpg", "d.jpg"]
    assert coat.attributes == {
        "colour": ("Black", "Off white"),
        "google_product_category": "2271",
        "material": ("cotton", "elastane"),
        "size": "30/32",
        "gtin": "4006381333931",
        "product_highlight": ("Wind-proof, too", "Two pockets"),
        "water_column": "10,000 mm",
    }


def test_an_entry_of_atom_becomes_a_product(tmp_path: Path) -> None:
    text = f"""<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACE}><id>tag:shop</id><entry>
      <id>https://shop.example/1</id><g:id>1</g:id><title>Coat</title><summary>Dry.</summary>
      <link rel="enclosure" href="https://shop.example/x.mp3"/><link href="https://shop.example/coat"/>
      <updated>2026-11-21</updated><author><name>Ann</name></author></entry></feed>"""
    coat = only(read(write(tmp_path, "feed.xml", text)))
    assert (coat.id, coat.title, coat.description, coat.url) == ("1", "Coat", "Dry.", "https://shop.example/coat")
    assert coat.attributes == {}


@pytest.mark.parametrize(
    ("dates", "price"),
    [
        ("", "40.00"),
        ("2020-01-01T00:00+0100 / 2999-01-01T00:00+0100", "40.00"),
        ("2020-01-01/2020-02-01", "52.00"),
        ("soon", "52.00"),
    ],
)
def test_a_sale_price_is_the_price_while_it_holds(tmp_path: Path, dates: str, price: str) -> None:
    more = "<g:price>52 EUR</g:price><g:sale_price>40 EUR</g:sale_price>"
    dated = f"<g:sale_price_effective_date>{dates}</g:sale_price_effective_date>" if dates else ""
    coat = only(read(feed(tmp_path, item(1, more + dated))))
    assert (coat.price, coat.currency) == (Decimal(price), "EUR")
    assert coat.attributes == ({"regular_price": "52 EUR"} if price == "40.00" else {})


@pytest.mark.parametrize("word", ["preorder", "backorder"])
def test_what_can_be_ordered_ahead_is_told_apart(tmp_path: Path, word: str) -> None:
    found = only(read(feed(tmp_path, item(1, f"<g:availability>{word}</g:availability>"))))
    assert found.availability is Availability.PREORDER


def test_a_generated_title_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    origin = "<g:digital_source_type>default</g:digital_source_type>"
    made = f"<g:structured_title>{origin}<g:content>Cap</g:content></g:structured_title>"
    rows = read(feed(tmp_path, f"<item><g:id>1</g:id>{made}</item>", item(2, made)))
    assert [product.title for product in products(rows)] == ["Cap", "Coat"]


def test_a_mapping_names_an_attribute_that_would_be_left_out(tmp_path: Path) -> None:
    path = feed(tmp_path, item(1, "<g:custom_label_0>Women/Coats</g:custom_label_0>"))
    assert only(read(path, {"category": "custom_label_0"})).category == ("Women", "Coats")


def test_markup_that_is_not_escaped_is_text(tmp_path: Path) -> None:
    path = feed(tmp_path, item(1, "<description>Dry<br/>and <b>warm</b></description>"))
    assert only(read(path)).description.split() == ["Dry", "and", "warm"]


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "https://shop.example/rss.dtd">',
        "<!DOCTYPE rss>",
    ],
)
def test_a_document_type_is_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(SourceError, match=r"feed\.xml: line 1: a document type"):
        read(feed(tmp_path, item(1, "<description>&b;</description>"), head=head))


def test_bytes_and_characters_that_xml_may_not_contain_cost_their_item(tmp_path: Path) -> None:
    path = feed(tmp_path, *(item(number, f"<description>{number}</description>") for number in (1, 2, 3, 4)))
    content = path.read_bytes().replace(b"n>2<", b"n>Caf\xe9<").replace(b"n>3<", b"n>\x00<")
    rows = read(write(tmp_path, "feed.xml", content))
    assert broken(rows) == {
        4: "bytes that are not of the file's encoding, or control characters",
        5: "bytes that are not of the file's encoding, or control characters",
    }
    assert ids(rows) == ["1", "4"]


def test_a_declared_encoding_is_followed(tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><rss {NAMESPACE}>{item(1, "<g:brand>Süd</g:brand>")}</rss>'
    assert only(read(write(tmp_path, "feed.xml", text.encode("latin-1")))).brand == "Süd"
    assert only(read(write(tmp_path, "feed.xml", text.replace("ISO-8859-1", "utf-16").encode("utf-16")))).brand == "Süd"
    with pytest.raises(SourceError, match="encoding 'zlib' is not supported"):
        read(write(tmp_path, "feed.xml", text.replace("ISO-8859-1", "zlib")))


def test_an_endless_item_is_one_broken_row(tmp_path: Path) -> None:
    long = "x" * (ROW_LIMIT + 1)
    nested = "<g:size/>" * (ROW_LIMIT // 20)
    rows = read(feed(tmp_path, item(1, f"<description>{long}</description>"), item(2, nested), item(3)))
    assert broken(rows) == dict.fromkeys((3, 4), f"an item of more than {ROW_LIMIT:,} characters")
    assert ids(rows) == ["3"]


@pytest.mark.parametrize("opening", ['<g:size a="', "<!-- ", "<", "<?x "])
def test_a_tag_or_comment_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path, opening: str) -> None:
    path = feed(tmp_path, item(1, opening + "x" * (20 << 20)))
    started = time.monotonic()
    with pytest.raises(SourceError, match="a tag or comment of more than 524,288 bytes"):
        read(path)
    assert time.monotonic() - started < 10


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nested more than 32 deep"):
        read(feed(tmp_path, "<a>" * 100_000))


@pytest.mark.parametrize("cut", [30, 200, -3])
def test_what_is_no_whole_document_is_refused_with_its_line(tmp_path: Path, cut: int) -> None:
    path = feed(tmp_path, item(1), item(2))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceError, match=r"not well-formed XML: line \d: "):
        read(path)


def test_an_undefined_entity_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="line 4: undefined entity"):
        read(feed(tmp_path, item(1), item(2, "<description>a&nbsp;b</description>")))


def test_a_feed_without_items_or_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="no <item> or <entry>"):
        read(feed(tmp_path))
    with pytest.raises(UnmappableColumns, match="no column for id"):
        open_source(feed(tmp_path, "<item><title>News</title><guid>7</guid></item>"))


def test_the_columns_that_were_recognised_are_told(tmp_path: Path) -> None:
    fields = open_source(feed(tmp_path, COAT)).columns.fields
    assert (fields["id"], fields["images"]) == (("id",), ("image_link", "additional_image_link"))
    assert fields["category"] == ("product_type", "google_product_category")
