"""Suites made of the small shop, which lives in a real ledger with real photos."""

from pathlib import Path

import pytest

from eval.errors import EmptySuite, SuiteError
from eval.suites.files import read_suite
from eval.suites.making.make import Made, MadeKind, Recipe, make_suites
from eval.suites.making.sampling import half_of
from eval.suites.suite import Suite
from indexer.bootstrap import open_catalogue
from indexer.errors import UnknownCatalog
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from tests.eval.worlds import decoders_of
from tests.service.worlds import CATALOG, Item, build, settings_of, write_catalogue

RECIPE = Recipe(catalog=CATALOG, queries=8)


@pytest.fixture(scope="module")
def decoders(memory: Settings) -> DecoderPool:
    return decoders_of(memory.images)


def make(settings: Settings, decoders: DecoderPool, out: Path, recipe: Recipe = RECIPE) -> Made:
    return make_suites(recipe, out, open_catalogue(settings), decoders, lambda done, total: None)


@pytest.fixture(scope="module")
def out(memory: Settings, decoders: DecoderPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where suites of the small shop are; tests only read them."""
    folder = tmp_path_factory.mktemp("made")
    make(memory, decoders, folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_runs_are_the_same_byte_for_byte_and_another_seed_is_not(
    memory: Settings, decoders: DecoderPool, out: Path, tmp_path: Path
) -> None:
    make(memory, decoders, tmp_path / "again")
    assert files(tmp_path / "again") == files(out)
    make(memory, decoders, tmp_path / "other", RECIPE.model_copy(update={"seed": 1}))
    assert files(tmp_path / "other") != files(out)


def test_suites_are_read_back_whole(out: Path) -> None:
    made = {name: read_suite(out / name) for name in ("text", "photo", "edit")}
    assert {suite.card.name for suite in made.values()} == {"shop-text", "shop-photo", "shop-edit"}
    assert all(suite.card.catalog == CATALOG for suite in made.values())
    assert made["text"].card.measures[0] == "nDCG@10"
    assert made["text"].card.source == (
        "vitrine eval make-suite --catalog shop --kinds text,photo,edit,sku,misspelt,absent --queries 8 --seed 0"
    )


def test_a_photo_is_answered_by_its_product_and_then_its_family(out: Path) -> None:
    suite = read_suite(out / "photo")
    assert len(suite.queries) == 8
    assert all((suite.directory / str(query.photo)).is_file() for query in suite.queries)
    mug = next(query for query in suite.queries if query.id.startswith("photo_mug-") and query.id != "photo_mug-plain")
    name = mug.id.removeprefix("photo_")
    assert suite.qrels[mug.id] == {**dict.fromkeys(("mug-red", "mug-blue", "mug-green"), 1), name: 2}


def test_families_and_questions_are_in_one_half(out: Path) -> None:
    for name in ("text", "photo", "edit"):
        suite = read_suite(out / name)
        halves: dict[str, set[str]] = {}
        for query in suite.queries:
            for mate in {
                query.paraphrases,
                *(["mug"] if query.like or (query.photo and "/mug-" in query.photo) else []),
            }:
                if mate is not None and query.photo != "photos/mug-plain.jpg":
                    halves.setdefault(mate, set()).add(query.split)
        assert all(len(splits) == 1 for splits in halves.values())


def test_an_edit_leads_to_the_one_variant_that_differs_in_that_alone(out: Path) -> None:
    suite = read_suite(out / "edit")
    asked = {(query.like, query.change): set(suite.qrels[query.id]) for query in suite.queries}
    assert asked == {
        **{("mug-red", words): {"mug-blue"} for words in ("in blue", "but blue", "the same in blue")},
        **{("mug-blue", words): {"mug-red"} for words in ("in red", "but red", "the same in red")},
    }


def test_only_what_is_wanted_is_made(memory: Settings, decoders: DecoderPool, tmp_path: Path) -> None:
    made = make(memory, decoders, tmp_path, Recipe(catalog=CATALOG, kinds=(MadeKind.SKU, MadeKind.ABSENT), queries=4))
    (suite,) = made.suites
    assert {tag for query in suite.queries for tag in query.tags} == {"sku", "absent"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text"]


def test_stale_photos_go_and_other_folders_are_not_touched(
    memory: Settings, decoders: DecoderPool, tmp_path: Path
) -> None:
    recipe = Recipe(catalog=CATALOG, kinds=(MadeKind.PHOTO,), queries=4)
    make(memory, decoders, tmp_path, recipe)
    make(memory, decoders, tmp_path, recipe.model_copy(update={"queries": 2}))
    assert len(list((tmp_path / "photo" / "photos").iterdir())) == 2
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "novel.txt").write_text("mine")
    with pytest.raises(SuiteError, match="is not empty and holds no suite"):
        make(memory, decoders, tmp_path, recipe)


def bare_shop(folder: Path) -> Settings:
    """Titles and numbers, nothing else."""
    settings = settings_of(folder / "home", store={"kind": "memory"})
    items = [Item(str(number), f"Thing {number}", brand="") for number in range(3)]
    build(settings, write_catalogue(folder / "catalogue", items))
    return settings


def test_what_cannot_be_made_is_said_with_the_reason(decoders: DecoderPool, tmp_path: Path) -> None:
    settings = bare_shop(tmp_path)
    with pytest.raises(EmptySuite) as error:
        make(settings, decoders, tmp_path / "out")
    told = str(error.value)
    assert "No suite can be made of catalog shop" in told
    for part in ("photo: no product has a photo", "edit: no product names a parent", "sku: ids such as '0'"):
        assert part in told
    assert "absent: there is no question with an answer to tell them from" in told


def test_an_unknown_catalog_is_named(memory: Settings, decoders: DecoderPool, tmp_path: Path) -> None:
    with pytest.raises(UnknownCatalog, match="published catalogs: shop"):
        make(memory, decoders, tmp_path, Recipe(catalog="nowhere"))


def test_products_that_share_a_photo_are_all_right_and_in_one_half(decoders: DecoderPool, tmp_path: Path) -> None:
    items = [Item(f"cup-{number}", "Cup", "red", ["red"], parent=f"p{number}") for number in range(2, 8)]
    source = write_catalogue(tmp_path / "catalogue", items)
    assert half_of("p3") is not half_of("p4"), "families that would be apart"
    for number in (1, 2):
        (source.parent / f"{number}-0.png").write_bytes((source.parent / "0-0.png").read_bytes())
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    build(settings, source)
    made = make(settings, decoders, tmp_path / "out", Recipe(catalog=CATALOG, kinds=(MadeKind.PHOTO,)))
    (suite,) = made.suites
    shared = {"cup-2": 2, "cup-3": 2, "cup-4": 2}
    assert [suite.qrels[f"photo_{name}"] for name in shared] == [shared] * 3
    assert len({query.split for query in suite.queries if query.id[6:] in shared}) == 1
    assert suite.qrels["photo_cup-5"] == {"cup-5": 2}


def test_made_suites_hold_to_their_own_protocol(out: Path) -> None:
    for name in ("text", "photo", "edit"):
        suite: Suite = read_suite(out / name)
        assert suite.card.protocol
        for query in suite.queries:
            assert not set(query.exclude) & set(suite.qrels.get(query.id, {}))
            assert not set(query.hard_negatives) & set(suite.qrels.get(query.id, {}))
