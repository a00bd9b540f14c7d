"""The benchmark of index runs: a build, and what it is made of by itself."""

from pathlib import Path

import pytest

from eval.benchmarks.indexing import Round, first_of, photos_of, round_of
from eval.benchmarks.pipeline_figures import built
from indexer.showroom.catalogue import catalogue
from indexer.showroom.write import write_showroom
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_showroom(tmp_path_factory.mktemp("drawn"), catalogue()[:3])


@pytest.fixture(autouse=True)
def _one_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_IMAGES__DECODERS", "1")


def test_a_round_is_of_one_build_and_its_parts(source: Path, tmp_path: Path) -> None:
    found = round_of(tmp_path / "home", source, FakeEncoder())

    assert found.photos == len(photos_of(source)) >= 3
    assert found.whole > 0 < found.alone
    assert found.decoding > 0
    assert any((tmp_path / "home").glob("stores/edge/*/shard"))


def test_a_smaller_shop_has_its_own_photos(source: Path, tmp_path: Path) -> None:
    few = first_of(source, tmp_path / "few", 2)

    assert len(few.read_text("utf-8").splitlines()) == 2
    assert photos_of(few) == photos_of(source)[: len(photos_of(few))]
    assert sorted(path.name for path in (tmp_path / "few" / "images").iterdir()) == sorted(
        Path(uri).name for uri in photos_of(few)
    )


def test_the_figures_are_of_as_many_builds_with_a_store_as_without(source: Path, tmp_path: Path) -> None:
    whole, stored = built(tmp_path, source, FakeEncoder(), rounds=1)

    assert (whole.name, stored.name) == ("pipeline.build", "pipeline.store")
    assert whole.rounds == stored.rounds == 1
    assert whole.beside["of both"] > 0
    assert stored.ours == whole.ours
    assert any((tmp_path / "edge-0").glob("stores/edge/*/shard"))
    assert not (tmp_path / "memory-0" / "stores").exists()


def test_rates_are_those_of_the_photos() -> None:
    one = Round(photos=60, whole=4.0, alone=3.0, decoding=2.0)

    assert one.rate == 15.0
    assert one.slower == 20.0, "the encoder's"
    assert one.both == 12.0, "one after the other"
