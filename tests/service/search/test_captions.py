from dataclasses import replace

from indexer.domain import Product
from service.changes import Change
from service.search.captions import rewritten

MUG = Product(
    "p",
    "Crimson mug",
    description="A red mug for tea. Not for redcurrants.",
    attributes={"colour": "red", "material": "Stoneware"},
)
BLUE = Change("colour", "red", "blue")


def test_the_caption_says_the_target_where_it_said_the_source() -> None:
    assert rewritten(MUG, [BLUE], "but blue") == "blue mug, blue, Stoneware. A blue mug for tea. Not for redcurrants."


def test_every_change_is_made() -> None:
    changes = [BLUE, Change("material", "stoneware", "glass")]
    assert rewritten(MUG, changes, "blue glass").startswith("blue mug, blue, glass.")


def test_what_the_text_never_said_goes_behind_the_title() -> None:
    silent = replace(MUG, title="Mug", description="For tea.", attributes={})
    assert rewritten(silent, [Change("fit", None, "tall")], "tall") == "Mug, tall. For tea."
    assert rewritten(silent, [Change("colour", None, "blue")], "blue") == "Mug, blue. For tea."


def test_words_that_name_no_attribute_go_behind_the_title() -> None:
    assert rewritten(MUG, [], "with a lid").startswith("Crimson mug, with a lid, red")
