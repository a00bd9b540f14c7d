"""The benchmark of index runs: a build, and what it is made of by itself."""

from pathlib import Path
from typing import Literal

import pytest

from eval.benchmarks.indexing import Round, photos_of, round_of
from indexer.showroom.catalogue import catalogue
from indexer.showroom.write import write_showroom
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_showroom(tmp_path_factory.mktemp("drawn"), catalogue()[:3])


@pytest.mark.parametrize(("kind", "written"), [("edge", True), ("memory", False)])
def test_a_round_is_of_one_build_with_or_without_its_store(
    kind: Literal["edge", "memory"], written: bool, source: Path, tmp_path: Path
) -> None:
    found = round_of(tmp_path / "home", source, FakeEncoder(), kind)

    assert found.photos == len(photos_of(source)) >= 3
    assert found.whole > 0 < found.alone
    assert found.decoding > 0
    assert any((tmp_path / "home").glob("stores/edge/*/shard")) is written


def test_rates_are_those_of_the_photos() -> None:
    one = Round(photos=60, whole=4.0, alone=3.0, decoding=2.0)

    assert one.rate == 15.0
    assert one.slower == 20.0, "the encoder's"
    assert one.both == 12.0, "one after the other"
