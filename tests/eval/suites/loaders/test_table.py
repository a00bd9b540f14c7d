"""The table of formats, and what every loader owes its user."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eval.cli.imports import FORMATS
from eval.errors import SuiteError
from eval.suites.loaders import LOADERS, load
from eval.suites.loaders.loaded import half
from eval.suites.suite import Split
from tests.eval.suites.loaders import worlds

WRITERS: dict[str, Callable[[Path], Path]] = {
    "abo": worlds.abo,
    "beir": worlds.beir,
    "esci": worlds.esci,
    "fashioniq": worlds.fashioniq,
    "inshop": worlds.inshop,
    "sqid": worlds.sqid,
    "wands": worlds.wands,
}


def test_every_format_is_tried_here_and_named_in_the_help() -> None:
    assert set(WRITERS) == set(LOADERS)
    assert FORMATS.replace(" or ", ", ").split(", ") == list(LOADERS)


@pytest.mark.parametrize("name", WRITERS)
def test_a_card_states_licence_protocol_and_measures(name: str, tmp_path: Path) -> None:
    card = worlds.imported(name, WRITERS[name](tmp_path / name), tmp_path / "out").suite.card

    assert card.licence
    assert "allery" in card.protocol
    assert card.catalogue == "catalogue.jsonl"
    assert card.source == "a test"


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_folder_is_answered_with_the_layout(name: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as refused:
        load(name, tmp_path)

    assert str(refused.value).endswith(LOADERS[name].layout.rstrip())
    with pytest.raises(SuiteError, match="is no folder"):
        load(name, tmp_path / "nowhere")


def test_unknown_formats_splits_and_variants_are_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="No format 'bier'; there are abo, beir, esci"):
        load("bier", tmp_path)
    with pytest.raises(SuiteError, match="beir has no split 'val'; it has test, dev, train"):
        load("beir", tmp_path, splits=("val",))
    with pytest.raises(SuiteError, match="wands has no variant 'large'; it has none"):
        load("wands", tmp_path, variants=("large",))


def test_a_file_that_is_there_twice_is_not_guessed(tmp_path: Path) -> None:
    worlds.wands(tmp_path / "one")
    worlds.wands(tmp_path / "two")

    with pytest.raises(SuiteError, match=r"holds query\.csv more than once"):
        load("wands", tmp_path)


def test_halves_are_near_equal_and_always_the_same() -> None:
    halves = [half(f"query {number}") for number in range(1_000)]

    assert halves == [half(f"query {number}") for number in range(1_000)]
    assert 450 < halves.count(Split.TUNE) < 550
