from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from indexer.domain import VECTOR_CHANNELS, Channel, Condition, FieldType, Op, Point, Spread, Vector, point_id
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout
from service.changes import Change
from service.search.fusion import fuse
from service.search.pool import Pooled, pool
from service.search.questions import Edit, Encoded, Route
from service.search.retrieve import Question

IMAGE, TEXT, _ = Channel
DIM = 96
RNG = np.random.default_rng(11)
AXES = np.linalg.qr(RNG.normal(size=(DIM, DIM)))[0].astype(np.float32)
COLOURS = ("red", "blue", "green", "black")
HUES = dict(zip(COLOURS, AXES[:4], strict=True))
SHAPES = AXES[4:34]
"""Thirty things, each in every colour: product s07-blue is thing 7 in blue."""
SPREAD = Spread(mean=0.0, deviation=0.2)
CHANGE = Change("colour", "red", "blue")
CHANGED = np.linalg.svd(AXES[:4] - AXES[:4].mean(axis=0))[2][:3]


def unit(vector: Vector) -> Vector:
    scaled: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return scaled


def looks(shape: int, colour: str) -> Vector:
    return unit(SHAPES[shape] + HUES[colour] + np.float32(0.02) * RNG.normal(size=DIM).astype(np.float32))


def point(
    product: str, vectors: Mapping[Channel, Vector], colour: str = "", image: str = "photo", catalog: str = "shop"
) -> Point:
    payload = {"colour": [colour]} if colour else {}
    return Point(point_id(catalog, product, image), product, image, vectors, "", payload)


def world(telling: bool) -> list[Point]:
    """`telling`: the texts of a thing's colours are alike; else they say nothing at all."""
    points = []
    for shape in range(len(SHAPES)):
        for colour in COLOURS:
            said = unit(SHAPES[shape] + AXES[60]) if telling else unit(RNG.normal(size=DIM).astype(np.float32))
            points.append(point(f"s{shape:02d}-{colour}", {IMAGE: looks(shape, colour), TEXT: said}, colour))
    return points


TELLING, MUTE = world(telling=True), world(telling=False)
REFERENCE = "s07-red"


def fill_of(points: Sequence[Point]) -> dict[Channel, Vector]:
    return {
        channel: np.mean([one.vectors[channel] for one in points if channel in one.vectors], axis=0)
        for channel in VECTOR_CHANNELS
    }


def store_of(points: Sequence[Point]) -> MemoryStore:
    store = MemoryStore(Layout(DIM, fill_of(points), {"colour": FieldType.KEYWORD}, Lexicon.of([""])))
    store.upsert(points)
    return store


def blind(vector: Vector) -> Vector:
    return unit(vector - (vector @ CHANGED.T) @ CHANGED)


def encoded(points: Sequence[Point], *names: str) -> Encoded:
    reference = next(one for one in points if one.product_id == REFERENCE).vectors
    moved = {channel: unit(vector + HUES["blue"] - HUES["red"]) for channel, vector in reference.items()}
    routes = (
        Route("arithmetic", 1.0, moved),
        Route("identity", 1.0, {IMAGE: blind(reference[IMAGE])}, blind=True),
        Route("caption", 0.5, {TEXT: reference[TEXT]}),
    )
    kept = tuple(route for route in routes if not names or route.name in names)
    return Encoded(moved, (CHANGE,), Edit(kept, reference, CHANGED.astype(np.float32)))


def question(depth: int = 40, **weights: float) -> Question:
    asked = {Channel(name): weight for name, weight in weights.items()} or {IMAGE: 0.5, TEXT: 0.5}
    return Question({}, "", asked, {IMAGE: SPREAD, TEXT: SPREAD}, None, REFERENCE, depth)


def pooled(points: Sequence[Point], asked: Question, *names: str) -> Pooled:
    return pool(store_of(points), asked, encoded(points, *names), fill_of(points))


def products(found: Pooled, asked: Question) -> list[str]:
    fused = fuse(found.candidates.hits, found.candidates.raw, found.weights, asked.spreads)
    return [one.hit.product_id for one in fused]


def test_the_thing_in_the_wanted_colour_comes_first() -> None:
    for points in (TELLING, MUTE):
        assert products(pooled(points, question()), question())[0] == "s07-blue"


def test_without_the_changed_attribute_all_colours_of_the_thing_are_near() -> None:
    found = pooled(MUTE, question(image=1), "identity")
    assert set(products(found, question(image=1))[:3]) == {"s07-blue", "s07-green", "s07-black"}


def test_texts_count_as_much_as_they_agree_with_the_photos() -> None:
    telling, mute = pooled(TELLING, question()), pooled(MUTE, question())
    assert telling.agreement > 0.9
    assert mute.agreement < 0.5
    assert telling.weights[TEXT] > 0.4
    assert mute.weights.get(TEXT, 0) < 0.2
    for one in (telling, mute):
        assert sum(one.weights.values()) == pytest.approx(1)
        assert set(one.candidates.raw) == set(one.weights)


def test_every_candidate_has_its_exact_score_in_every_route() -> None:
    found = pooled(TELLING, question())
    asked = encoded(TELLING)
    assert asked.edit is not None
    moved, seen, said = (route.vectors for route in asked.edit.routes)
    vectors = {one.id: one.vectors for one in TELLING}
    average = np.mean([blind(one.vectors[IMAGE]) @ seen[IMAGE] for one in TELLING])
    for at, hit in enumerate(found.candidates.hits):
        image, text = (vectors[hit.point_id][channel] for channel in VECTOR_CHANNELS)
        expected = (image @ moved[IMAGE] + blind(image) @ seen[IMAGE] - average) / 2
        assert found.candidates.raw[IMAGE][at] == pytest.approx(expected, abs=0.02)
        expected = (text @ moved[TEXT] + 0.5 * text @ said[TEXT]) / 1.5
        assert found.candidates.raw[TEXT][at] == pytest.approx(expected, abs=1e-5)


def test_the_routes_that_found_a_product_are_told_with_its_rank() -> None:
    found = pooled(TELLING, question(depth=10))
    assert found.routes_of("s07-blue")["arithmetic"] == 1
    assert set(found.routes_of("s07-blue")) == {"arithmetic", "identity", "caption"}
    assert found.routes_of("nothing") == {}
    candidates = {hit.product_id for hit in found.candidates.hits}
    for ranks in found.ranks.values():
        assert sorted(ranks.values()) == list(range(1, len(ranks) + 1))
        assert set(ranks) <= candidates


def test_the_reference_and_its_photo_on_other_products_are_left_out() -> None:
    own = next(one for one in MUTE if one.product_id == REFERENCE)
    twins = [point("twin-red", own.vectors, "red"), point("twin-mute", own.vectors), point("twin", own.vectors, "blue")]
    found = {hit.product_id for hit in pooled([*MUTE, *twins], question()).candidates.hits}
    assert found.isdisjoint({REFERENCE, "twin-red", "twin-mute"})
    assert "twin" in found, "it is sold as what is wanted"


def test_a_product_without_photo_is_as_near_as_the_average_one() -> None:
    sketch = point("sketch", {TEXT: unit(SHAPES[7] + AXES[60])}, image="")
    points = [*TELLING, sketch]
    found = pooled(points, question(depth=200), "identity", "caption")
    at = [hit.product_id for hit in found.candidates.hits].index("sketch")
    assert found.candidates.raw[IMAGE][at] == pytest.approx(SPREAD.mean)


def test_filters_hold_and_a_small_catalogue_is_exhausted() -> None:
    asked = replace(question(depth=500), where=Condition("colour", Op.EQ, "green"))
    found = pooled(MUTE, asked)
    assert found.candidates.exhausted
    assert {hit.product_id.partition("-")[2] for hit in found.candidates.hits} == {"green"}
    assert not pooled(MUTE, question(depth=10)).candidates.exhausted


def test_points_named_in_the_question_are_candidates() -> None:
    far = next(one for one in MUTE if one.product_id == "s22-green")
    found = pooled(MUTE, replace(question(depth=2), also=(far.id,)))
    assert "s22-green" in {hit.product_id for hit in found.candidates.hits}


def test_nothing_found_is_an_empty_pool() -> None:
    found = pooled(MUTE, replace(question(), where=Condition("colour", Op.EQ, "mauve")))
    assert found.candidates.hits == []
    assert all(len(scores) == 0 for scores in found.candidates.raw.values())


def test_a_channel_alone_is_searched_by_its_routes_alone() -> None:
    found = pooled(TELLING, question(text=1.0))
    assert set(found.weights) == {TEXT}
    assert "identity" not in found.ranks or not found.ranks["identity"]
    assert found.agreement == 1.0


def test_the_words_of_a_photo_count_less() -> None:
    asked = encoded(TELLING)
    assert asked.edit is not None
    photo = replace(asked, edit=replace(asked.edit, wording=0.2))
    found = pool(store_of(TELLING), question(), photo, fill_of(TELLING))
    assert found.weights[TEXT] < pooled(TELLING, question()).weights[TEXT] / 2
