"""A restored system answers as the one that was backed up."""

import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from indexer.backup.keeping import read_document
from indexer.backup.restoring import restore_backup
from indexer.backup.taking import take_backup
from indexer.backup.vaults import DirectoryVault
from indexer.bootstrap import open_catalogue
from indexer.builds.given import ProductUpdate
from indexer.builds.progress import Progress
from indexer.domain import Product
from indexer.settings import Settings
from indexer.showroom.catalogue import catalogue
from indexer.showroom.queries import EDIT_QUESTIONS, held_out_queries
from service.bootstrap import open_shop
from service.demo import build_showroom, showroom_settings
from service.request import SearchRequest
from service.ruling import rule_of
from service.shop import Shop
from tests.faults.extents import extents
from tests.service.worlds import ITEMS, open_fake_shop, photo_of, settings_of

Question = tuple[SearchRequest, bytes | None]


def unwatched(progress: Progress) -> None:
    pass


def questions() -> list[Question]:
    """Of every kind, about the small catalogue."""
    colours = ("red", "blue", "green", "black", "white", "yellow")
    things = ("mug", "shoe", "lamp", "tea towel", "XK-4711", "orbit", "ceramic")
    said = [f"{colour} {thing}" for colour, thing in product(colours, things)]
    said += [*colours, *things, *(one.title for one in ITEMS)]
    asked: list[Question] = [(SearchRequest(text=words), None) for words in said]
    asked += [(SearchRequest(text=words, where=("colour=blue",)), None) for words in said]
    asked += [(SearchRequest(like=one.id), None) for one in ITEMS if one.id != "mug-sketch"]
    asked += [
        (SearchRequest(like=one.id, change=f"but {colour}"), None) for one, colour in product(ITEMS[:3], colours[:4])
    ]
    asked += [
        (SearchRequest(change=change), photo_of(colour, seed))
        for seed, (colour, change) in enumerate(product(colours, ("", "but blue", "mug")))
    ]
    asked += [(SearchRequest(text=words, weights={"image": 1, "text": 0}), None) for words in said[:40]]
    return asked


def answered(shop: Shop, asked: Sequence[Question]) -> list[list[str]]:
    """The first ten of each."""
    answers = (shop.search(request, photo) for request, photo in asked)
    return [[one.id for one in answer.results] for answer in answers]


def moved(settings: Settings, vault: DirectoryVault, home: Path) -> Settings:
    """The same system somewhere else, from a backup of it."""
    take_backup(open_catalogue(settings), settings, vault, unwatched)
    there = settings.model_copy(update={"home": home})
    restore_backup(open_catalogue(there), there, vault, read_document(vault, "latest"), unwatched)
    return there


@pytest.mark.parametrize("every", extents((4,), (1,)))
def test_the_first_ten_of_200_questions_are_the_same(home: Path, tmp_path: Path, every: int) -> None:
    """After live changes and rules, which are restored too. The short form asks a quarter of them."""
    shutil.copytree(home, tmp_path / "home")
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    assert len(questions()) >= 200
    asked = questions()[::every]
    with open_fake_shop(settings) as shop:
        shop.put(None, [Product("mug-late", "Late blue mug", attributes={"colour": "blue"})])
        shop.update(None, "mug-red", ProductUpdate(attributes={"colour": "blue"}))
        shop.delete(None, ["mug-sketch"])
        pin = shop.rules.add(rule_of({"kind": "pin", "query": "lamp", "products": ["lamp-black"], "author": "ann"}))
        shop.rules.publish(pin.id, "ann")
        before = answered(shop, asked)
    with open_fake_shop(moved(settings, DirectoryVault(tmp_path / "vault"), tmp_path / "restored")) as shop:
        assert answered(shop, asked) == before


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_the_showroom_answers_the_same_with_the_real_encoder(tmp_path: Path) -> None:
    settings = showroom_settings(settings_of(tmp_path / "home", rerank={"seconds": 60}))
    build_showroom(settings, unwatched)
    products = catalogue()
    said = held_out_queries(one.look for one in products)[:120]
    asked: list[Question] = [(SearchRequest(text=one.text), None) for one in said]
    asked += [(SearchRequest(like=one.id), None) for one in products[:400:10]]
    edits = [question.format(colour) for question, colour in product(EDIT_QUESTIONS, ("blue", "red", "green"))]
    asked += [
        (SearchRequest(like=one.id, change=edits[place % 12]), None) for place, one in enumerate(products[5:405:8])
    ]
    assert len(asked) >= 200
    with open_shop(settings) as shop:
        before = answered(shop, asked)
    with open_shop(moved(settings, DirectoryVault(tmp_path / "vault"), tmp_path / "restored")) as shop:
        assert answered(shop, asked) == before
