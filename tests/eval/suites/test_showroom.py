"""The suites that ship with the project, over a few families of the showroom."""

from pathlib import Path

import pytest

from eval.suites.files import read_suite
from eval.suites.making.sampling import half_of
from eval.suites.showroom import every_colour, held_out_questions, no_such_variant, write_showroom_suites
from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.split import is_held_out

PRODUCTS = [product for product in catalogue() if product.look.kind in ("mug", "watch")]
BY_ID = {product.id: product for product in PRODUCTS}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("showroom")
    write_showroom_suites(folder, photos=2, products=PRODUCTS)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_they_are_the_same_every_time(home: Path) -> None:
    before = files(home)
    write_showroom_suites(home, photos=2, products=PRODUCTS)
    assert files(home) == before


def test_words_are_about_looks_that_training_never_showed() -> None:
    questions = held_out_questions(PRODUCTS)
    assert questions
    for question in questions:
        assert len(question.wordings) == 2
        for name in question.grades:
            look = BY_ID[name].look
            assert is_held_out(look.kind, look.colour, look.pattern)
            assert question.name == f"{look.kind}_{look.colour}_{look.pattern}"
    answered = {name for question in questions for name in question.grades}
    looks = {name: BY_ID[name].look for name in BY_ID}
    assert answered == {name for name, look in looks.items() if is_held_out(look.kind, look.colour, look.pattern)}


def test_every_part_of_the_text_suite_is_there(home: Path) -> None:
    suite = read_suite(home / "suites" / "showroom" / "text")
    assert {"attributes", "sku", "misspelt", "absent"} <= {tag for query in suite.queries for tag in query.tags}
    assert not any("mug" in query.text.split() for query in suite.queries if query.absent)


def test_photos_are_answered_by_their_product_then_its_family(home: Path) -> None:
    suite = read_suite(home / "suites" / "showroom" / "photo")
    assert len(suite.queries) == 2
    for query in suite.queries:
        product = BY_ID[query.id.removeprefix("photo_")]
        family = {one.id for one in PRODUCTS if one.parent == product.parent}
        assert suite.qrels[query.id] == {name: 2 if name == product.id else 1 for name in family}
        assert (suite.directory / str(query.photo)).read_bytes()[:2] == b"\xff\xd8"
        assert query.split is half_of(product.parent)


def test_edits_change_one_attribute_in_wording_that_training_never_read(home: Path) -> None:
    suite = read_suite(home / "suites" / "showroom" / "edit")
    assert {query.tags[0] for query in suite.queries} == {"colour", "pattern", "material"}
    for query in suite.queries:
        reference = BY_ID[str(query.like)]
        for name in suite.qrels[query.id]:
            changed = differing(reference, BY_ID[name])
            assert changed == {query.tags[0]}
            assert BY_ID[name].attributes[query.tags[0]] in query.change


def differing(one: ShowroomProduct, other: ShowroomProduct) -> set[str]:
    assert one.parent == other.parent
    return {name for name in ("colour", "pattern", "material") if one.attributes[name] != other.attributes[name]}


def test_every_product_is_asked_for_in_every_colour_that_there_is_of_it() -> None:
    suite = every_colour(PRODUCTS)
    asked = {(str(query.like), right) for query in suite.queries for right in suite.qrels[query.id]}
    assert asked == {
        (one.id, other.id)
        for one in PRODUCTS
        for other in PRODUCTS
        if one.parent == other.parent and differing(one, other) == {"colour"} and same_second_colour(one, other)
    }
    assert {query.tags for query in suite.queries} == {("colour",)}
    assert all(query.exclude[0] == query.like for query in suite.queries)


def same_second_colour(one: ShowroomProduct, other: ShowroomProduct) -> bool:
    """As far as both have one."""
    colours = [product.attributes.get("second_colour") for product in (one, other)]
    return None in colours or colours[0] == colours[1]


def test_a_colour_that_a_family_lacks_is_answered_by_its_kind() -> None:
    suite = no_such_variant(PRODUCTS)
    assert len(suite.queries) > 10
    for query in suite.queries:
        asked = BY_ID[str(query.like)]
        colour = query.change.removeprefix("but ")
        assert colour not in {one.look.colour for one in PRODUCTS if one.parent == asked.parent}
        right = {one.id for one in PRODUCTS if (one.look.kind, one.look.colour) == (asked.look.kind, colour)}
        assert suite.qrels[query.id].keys() == right
