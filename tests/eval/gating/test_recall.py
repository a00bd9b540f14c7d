"""A store against exact search over what it must hold."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.gating.gate import check_recall
from eval.gating.ledger import Ledger
from eval.gating.recall import PRODUCTS, Recall, recall_of
from indexer.builds.embeddings import Embeddings
from indexer.builds.live import LiveIndex, open_live
from indexer.domain import Channel, Hit, Point, QueryKind, VectorQuery, point_id
from indexer.errors import StoreMismatch
from indexer.settings import SearchSettings
from indexer.store_settings import StoreSettings
from tests.eval.gating.worlds import MUGS, MugShop
from tests.fakes import FakeEncoder


@pytest.fixture
def index(mugs: MugShop) -> LiveIndex:
    """The newest build in a store of this test's own, to be damaged."""
    memory = mugs.settings.model_copy(update={"store": StoreSettings(kind="memory")})
    return open_live(mugs.database, memory, mugs.mixed)


def recall(mugs: MugShop, index: LiveIndex, search: SearchSettings | None = None) -> Recall | None:
    manifest = index.manifest
    ledger = Ledger(mugs.database, Embeddings(mugs.settings.home, manifest.encoder), manifest)
    return recall_of(index.store, ledger, manifest, search or SearchSettings())


def every_hit(index: LiveIndex) -> list[Hit]:
    return index.store.search(VectorQuery({Channel.IMAGE: FakeEncoder().word("red")}), 1_000)


def test_a_store_that_holds_what_it_must_finds_what_exact_search_finds(mugs: MugShop, index: LiveIndex) -> None:
    """Many mugs score alike, so that the tenth place is a tie: whoever has it is right."""
    found = recall(mugs, index)
    assert found == Recall(1.0, {QueryKind.TEXT: 1.0, QueryKind.PHOTO: 1.0}, 2 * len(MUGS))
    with closing(open_live(mugs.database, mugs.settings, mugs.mixed)) as edge:
        assert recall(mugs, edge) == found


def test_a_build_is_held_against_its_own_generation(mugs: MugShop) -> None:
    """In the newest one the photos are other ones."""
    with closing(open_live(mugs.database, mugs.settings, mugs.published)) as older:
        found = recall(mugs, older)
    assert found is not None
    assert found.mean == 1.0


def test_lost_points_are_missed(mugs: MugShop, index: LiveIndex) -> None:
    index.store.delete([hit.point_id for hit in every_hit(index)][: len(MUGS) // 4])
    found = recall(mugs, index)
    assert found is not None
    assert found.mean < 0.9


def test_garbled_vectors_are_missed(mugs: MugShop, index: LiveIndex) -> None:
    """The store ranks by what it holds and finds as many as before, but they are not the right ones."""
    noise = np.random.default_rng(0)
    for hit in every_hit(index)[: len(MUGS) // 4]:
        vectors = {}
        for channel in (Channel.IMAGE, Channel.TEXT):
            drawn = noise.standard_normal(index.manifest.encoder.dim).astype(np.float32)
            vectors[channel] = drawn / np.linalg.norm(drawn)
        index.store.upsert([Point(hit.point_id, hit.product_id, hit.image_id, vectors, "mug", {})])
    found = recall(mugs, index)
    assert found is not None
    assert found.mean < 0.95


def test_a_point_that_does_not_exist_takes_a_place_from_one_that_does(mugs: MugShop, index: LiveIndex) -> None:
    fake = FakeEncoder()
    stranger = {Channel.IMAGE: fake.word("red"), Channel.TEXT: fake.encode_texts(["Mug"])[0]}
    index.store.upsert([Point(point_id("other", "stranger", "x"), "stranger", "x", stranger, "mug", {})])
    found = recall(mugs, index)
    assert found is not None
    assert found.by_kind[QueryKind.PHOTO] < 1.0


def test_the_gate_refuses_a_store_below_the_demand_and_names_the_kinds(mugs: MugShop, index: LiveIndex) -> None:
    with mugs.candidate(recall=0.98) as candidate:
        assert check_recall(candidate).reasons == ()
    index.store.delete([hit.point_id for hit in every_hit(index)][: len(MUGS) // 4])
    damaged = replace(candidate, index=index)
    (reason,) = check_recall(damaged).reasons
    assert "of the exact first 10 over 48 sampled queries (text ." in reason
    assert "less than 0.98: points are missing or damaged" in reason


def test_the_sample_is_the_same_every_time_and_bounded(mugs: MugShop, index: LiveIndex) -> None:
    ledger = Ledger(mugs.database, Embeddings(mugs.settings.home, index.manifest.encoder), index.manifest)
    first, again = ([entry.product.id for entry in ledger.sample(5)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 5
    assert first != sorted(first), "not just the first ones"
    assert {entry.product.id for entry in ledger.sample(PRODUCTS)} == {one.id for one in MUGS}


def test_a_kind_of_query_without_vectors_is_not_asked(mugs: MugShop, index: LiveIndex) -> None:
    words_only = {QueryKind.TEXT: {Channel.LEXICAL: 1.0}}
    found = recall(mugs, index, SearchSettings(weights=words_only))
    assert found is not None
    assert set(found.by_kind) == {QueryKind.PHOTO}
    neither = {**words_only, QueryKind.PHOTO: {Channel.IMAGE: 0.0}}
    assert recall(mugs, index, SearchSettings(weights=neither)) is None


def test_raw_cosines_are_weighed_as_searches_weigh_them(mugs: MugShop, index: LiveIndex) -> None:
    found = recall(mugs, index, SearchSettings(fusion="raw"))
    assert found is not None
    assert found.mean == 1.0


def test_embeddings_that_are_gone_are_named(mugs: MugShop, index: LiveIndex, tmp_path: Path) -> None:
    ledger = Ledger(mugs.database, Embeddings(tmp_path, index.manifest.encoder), index.manifest)
    with pytest.raises(StoreMismatch, match="Embeddings of catalog shop are gone; build the catalogue again"):
        recall_of(index.store, ledger, index.manifest, SearchSettings())
