"""The renderer draws the same picture for the same arguments, and the picture shows what the look says."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from indexer.showroom.look import COLOURS, KINDS, PATTERNS, Look
from indexer.showroom.render import CLUTTER, VIEWS, photo, renderer_hash, studio

SIZE = 48
MUG = Look("mug", 4, "teal", "beige", "striped", "stoneware")


def plain(kind: str, shape: int = 1, colour: str = "red") -> Look:
    return Look(kind, shape, colour, "white", "plain", KINDS[kind].materials[0])


def silhouette(look: Look, view: str = VIEWS[0]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Pixels where a red and a blue copy of the product differ, which the backdrop and its shadow do not."""
    red, blue = (studio(replace(look, colour=c, pattern="plain"), view, SIZE).astype(int) for c in ("red", "blue"))
    return np.asarray(np.abs(red - blue).sum(axis=2) > 24)


def test_same_arguments_give_the_same_picture() -> None:
    assert np.array_equal(studio(MUG, "side", SIZE), studio(MUG, "side", SIZE))
    assert np.array_equal(photo(MUG, 3, "high", SIZE), photo(MUG, 3, "high", SIZE))


def test_a_fresh_process_draws_the_same_picture() -> None:
    script = (
        "import hashlib; from indexer.showroom.look import Look; from indexer.showroom.render import photo, studio;"
        f"look = {MUG!r}; shots = studio(look, 'front', {SIZE}), photo(look, 5, 'medium', {SIZE});"
        "pictures = b''.join(shot.tobytes() for shot in shots);"
        "print(hashlib.sha256(pictures).hexdigest())"
    )
    here = studio(MUG, "front", SIZE).tobytes() + photo(MUG, 5, "medium", SIZE).tobytes()
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert there == hashlib.sha256(here).hexdigest()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fills_the_frame_in_every_view(kind: str, view: str) -> None:
    mask = silhouette(plain(kind), view)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    longer_side = max(np.ptp(rows), np.ptp(columns)) / SIZE
    assert 0.012 < mask.mean() < 0.66
    assert 0.4 < longer_side < 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_of_a_kind_look_different(kind: str) -> None:
    pictures = [studio(plain(kind, shape), VIEWS[0], SIZE).astype(int) for shape in range(3)]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(pictures[a] - pictures[b]).mean() > 1


def test_variants_of_a_family_share_their_silhouette() -> None:
    variants = [replace(MUG, second="white", material=material) for material in KINDS["mug"].materials]
    first, *others = (silhouette(variant) for variant in variants)
    for other in others:
        assert (first ^ other).mean() < 0.01


@pytest.mark.parametrize("colour", COLOURS)
def test_plain_products_read_as_their_named_colour(colour: str) -> None:
    for kind in ("cushion", "t-shirt"):
        look = plain(kind, shape=2, colour=colour)
        mean = studio(look, VIEWS[0], SIZE)[silhouette(look)].mean(axis=0)
        away = {name: float(np.linalg.norm(mean - np.array(rgb))) for name, rgb in COLOURS.items()}
        assert min(away, key=lambda name: away[name]) == colour, (kind, mean)


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_a_pattern_brings_in_the_second_colour(pattern: str) -> None:
    plain_one = Look("t-shirt", 0, "white", "navy", "plain", "cotton")
    inside = silhouette(plain_one)
    calm, patterned = (studio(replace(plain_one, pattern=name), VIEWS[0], SIZE)[inside] for name in ("plain", pattern))
    assert 20 < calm.mean() - patterned.mean() < 180


@pytest.mark.parametrize("clutter", CLUTTER)
def test_a_photo_has_its_size_and_depends_on_its_seed(clutter: str) -> None:
    first, second = photo(MUG, 0, clutter, 48), photo(MUG, 1, clutter, 48)
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - second).mean() > 5


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="view: 'above'"):
        studio(MUG, "above")
    with pytest.raises(ValueError, match="clutter: 'extreme'"):
        photo(MUG, 0, "extreme")
    with pytest.raises(ValueError, match="size: 4"):
        studio(MUG, "front", 4)
    with pytest.raises(ValueError, match="colour: 'mauve'"):
        photo(replace(MUG, colour="mauve"), 0)


def test_the_hash_names_the_renderer() -> None:
    assert renderer_hash() == renderer_hash()
    assert len(renderer_hash()) == 24
