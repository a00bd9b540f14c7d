"""The shipped model: small, loadable by open_clip, with the numbers it was measured with, and fit for its job."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from indexer.encoders import Encoder, open_encoder
from indexer.showroom.bpe import MERGES_FILE
from indexer.showroom.catalogue import catalogue
from indexer.showroom.recipe import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE
from indexer.showroom.render import VIEWS, photo, studio
from indexer.showroom.split import MEASURED_PHOTOS
from tests.faults.extents import extents

MODEL = Path(__file__).parents[3] / "indexer" / "showroom" / "model"


@cache
def encoder() -> Encoder:
    return open_encoder("showroom")


def test_the_model_is_four_files_of_eight_megabytes_at_most() -> None:
    files = {path.name: path.stat().st_size for path in MODEL.iterdir() if path.is_file()}
    assert {WEIGHTS_FILE, CONFIG_FILE, MERGES_FILE, CARD_FILE} <= set(files)
    assert sum(files.values()) <= 8 * 2**20


def test_the_card_says_how_the_model_was_made() -> None:
    card = json.loads((MODEL / CARD_FILE).read_text())
    assert card["licence"] == "Apache-2.0"
    assert card["steps"] > 0
    assert card["recipe"]["tower"]


def test_vectors_are_the_ones_that_were_measured() -> None:
    text = encoder().encode_texts(["a teal striped mug"])[0]
    ramp = np.tile(np.arange(112, dtype=np.uint8)[:, None, None] * 2, (1, 112, 3))
    image = encoder().encode_images([ramp])[0]
    assert text[:4] == pytest.approx([0.1561, 0.0342, -0.0179, 0.0556], abs=2e-3)
    assert image[:4] == pytest.approx([-0.1075, -0.0572, 0.1223, 0.0145], abs=2e-3)


@pytest.mark.parametrize("every", extents((67,), (13,)))
def test_products_are_found_by_photo_and_by_words(every: int) -> None:
    """Among every 67th product of the showroom, or every 13th."""
    sample = catalogue()[::every]
    gallery = encoder().encode_images([studio(product.look, VIEWS[0], size=112) for product in sample])
    photos = [photo(p.look, MEASURED_PHOTOS.start + n, clutter="low", size=112) for n, p in enumerate(sample)]
    by_photo = (encoder().encode_images(photos) @ gallery.T).argmax(axis=1)
    words = encoder().encode_texts([f"{p.look.colour} {p.look.pattern} {p.look.kind}" for p in sample])
    by_words = [sample[best].look for best in (words @ gallery.T).argmax(axis=1)]
    same = [
        (p.look.kind, p.look.colour, p.look.pattern) == (look.kind, look.colour, look.pattern)
        for p, look in zip(sample, by_words, strict=True)
    ]
    assert (by_photo == np.arange(len(sample))).mean() > 0.8
    assert np.mean(same) > 0.8


def test_words_for_the_same_thing_lie_together() -> None:
    rows = encoder().encode_texts(["sofa", "couch", "umbrella", "crimson", "red", "navy"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert rows[3] @ rows[4] > rows[3] @ rows[5] + 0.2
