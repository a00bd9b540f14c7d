import tomllib
from pathlib import Path

import pytest

from eval.tuning.fragment import fragment
from indexer.domain import Channel, QueryKind
from indexer.settings import SearchSettings, Settings

IMAGE, TEXT, _ = Channel
PRESENT = SearchSettings()
CHOSEN = SearchSettings(
    weights={QueryKind.EDIT: {IMAGE: 0.3, TEXT: 0.7}},
    fusion="rrf",
    rrf_k=20,
    diversity=0.1,
    boosts={"price<=12.5": 0.25, 'brand="Örbit"': -1.0},
)


def test_a_fragment_is_a_vitrine_toml_that_makes_the_chosen_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vitrine.toml").write_text(fragment(PRESENT, CHOSEN, "so much\non so many"), "utf-8")
    assert Settings().search == CHOSEN
    assert Path("vitrine.toml").read_text("utf-8").startswith("# so much\n# on so many\n[search]\n")


def test_a_fragment_says_only_what_changes() -> None:
    changed = SearchSettings(weights={QueryKind.TEXT: {IMAGE: 0.7, TEXT: 0.3}})
    assert tomllib.loads(fragment(PRESENT, changed)) == {"search": {"weights": {"text": {"image": 0.7, "text": 0.3}}}}
    assert fragment(CHOSEN, CHOSEN) == ""


def test_boosts_come_whole_so_that_one_can_be_dropped() -> None:
    one = SearchSettings(boosts={"brand=orbit": 1.0})
    both = SearchSettings(boosts={"brand=orbit": 1.0, "price<5": 2.0})
    assert tomllib.loads(fragment(both, one)) == {"search": {"boosts": {"brand=orbit": 1.0}}}


def test_weights_of_kinds_that_are_not_given_keep_their_defaults() -> None:
    assert CHOSEN.weights[QueryKind.TEXT] == PRESENT.weights[QueryKind.TEXT]
    assert list(CHOSEN.weights) == list(QueryKind)
    assert CHOSEN.weights[QueryKind.EDIT] == {IMAGE: 0.3, TEXT: 0.7}
