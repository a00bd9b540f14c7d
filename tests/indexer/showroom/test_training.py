"""Training data: batches of hard negatives from rendered families, and losses that fall where they should."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.showroom.batches import HeadSampler, Sampler
from indexer.showroom.look import KINDS
from indexer.showroom.objective import augmented, photo_loss, text_loss
from indexer.showroom.pool import IMAGES, PoolShape, open_pool, render_variants
from indexer.showroom.recipe import Recipe
from indexer.showroom.schedule import Clock, learning_rate
from indexer.showroom.split import is_held_out
from indexer.showroom.training_looks import training_family

SMALL = Recipe(
    size=16, families=2 * len(KINDS), batch_kinds=3, batch_families=2, batch_variants=2, head_kinds=3, head_families=2
)


@pytest.fixture(scope="module")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> Sampler:
    shape = PoolShape(SMALL.families, SMALL.variants, SMALL.size)
    pool = open_pool(tmp_path_factory.mktemp("pool"), shape)
    for number in range(SMALL.families):
        pool.fill(number, np.full((SMALL.variants, IMAGES, 16, 16, 3), number, np.uint8))
    return Sampler(pool, SMALL, seed=1)


def test_a_batch_holds_variants_of_families_of_one_kind(sampler: Sampler) -> None:
    batch = sampler.batch()
    kinds = [training_family(number, 1)[0].kind for number in batch.family]
    assert len(batch.texts) == SMALL.captions * SMALL.batch
    assert sorted(kinds.count(kind) for kind in set(kinds)) == [4, 4, 4]
    assert batch.studio.shape == batch.photo.shape == (SMALL.batch, 16, 16, 3)
    assert (batch.studio[:, 0, 0, 0] == batch.family).all()
    assert batch.facts[:: SMALL.captions].diagonal().all()
    assert batch.facts[1 :: SMALL.captions].diagonal().all()


def test_the_same_seed_draws_the_same_batches(sampler: Sampler) -> None:
    pool = sampler.pool
    one, two = (Sampler(pool, SMALL, seed=5).batch() for _ in range(2))
    assert one.texts == two.texts
    assert (one.family == two.family).all()


def test_the_heads_see_whole_families_with_what_is_true_of_every_product_drawn() -> None:
    batch = HeadSampler(np.arange(48), SMALL, seed=2).batch()
    drawn = SMALL.head_kinds * SMALL.head_families * SMALL.variants
    assert len(batch.texts) == len(set(batch.products.tolist())) == drawn
    assert batch.facts.shape == (drawn, drawn)
    assert batch.facts.diagonal().all()
    assert (batch.products // SMALL.variants == batch.family).all()


def test_a_family_shares_its_studio_view_and_differs_in_colour() -> None:
    images = render_variants(0, PoolShape(families=1, variants=2, size=32))
    assert images.shape == (2, IMAGES, 32, 32, 3)
    assert (images[0, 0] != images[1, 0]).any()
    assert not any(is_held_out(look.kind, look.colour, look.pattern) for look in training_family(0, 2))


def test_the_text_loss_is_least_when_texts_point_at_what_they_are_true_of() -> None:
    rows = torch.eye(3)
    facts = torch.eye(3, dtype=torch.bool)
    scale = torch.tensor(20.0)
    right = text_loss(rows, rows.repeat(2, 1), facts, scale)
    wrong = text_loss(rows, rows.roll(1, dims=0).repeat(2, 1), facts, scale)
    assert right < 1.0 < wrong


def test_kinship_moves_the_photo_target_towards_the_family() -> None:
    photos = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2], [1.0, 0.0], [-1.0, 0.1]]), dim=1)
    kin = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    scale = torch.tensor(10.0)
    alone, shared = (photo_loss(photos, photos, kin, kinship, scale) for kinship in (0.0, 0.4))
    assert torch.isfinite(alone)
    assert torch.isfinite(shared)
    assert alone != shared


def test_augmentation_keeps_range_and_shape_and_follows_its_seed() -> None:
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    one, two = (augmented(images, photo=True, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == images.shape
    assert one.abs().max() <= 1.0
    assert not torch.equal(one, images)


def test_the_rate_rises_then_falls_to_zero() -> None:
    rates = [learning_rate(1.0, 0.1, progress) for progress in (0.0, 0.05, 0.1, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == 1.0
    assert rates[2] > rates[3] > rates[4] == pytest.approx(0.0)


def test_steps_decide_when_they_are_given_and_time_otherwise() -> None:
    now = time.monotonic()
    assert Clock(minutes=1e9, steps=200, started=now).progress(50) == 0.25
    assert Clock(minutes=1.0, steps=None, started=now - 30).progress(50) == pytest.approx(0.5, abs=0.05)
    assert Clock(minutes=1.0, steps=None, started=now - 90).progress(0) == 1.0


def test_a_missing_directory_becomes_an_empty_pool(tmp_path: Path) -> None:
    pool = open_pool(tmp_path / "pool", PoolShape(2, 1, 8))
    assert pool.ready().tolist() == []
    pool.fill(1, np.zeros((1, IMAGES, 8, 8, 3), np.uint8))
    assert open_pool(tmp_path / "pool", PoolShape(2, 1, 8)).ready().tolist() == [1]
