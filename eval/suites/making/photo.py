"""Photo queries: a shopper's view of a catalogue photo, answered by its product, then by its family."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from PIL import Image

from eval.generation import Generation
from eval.suites.making.census import Variant
from eval.suites.making.sampling import half_of, joined
from eval.suites.making.sayings import family_of
from eval.suites.making.views import SIDE, shopper_view
from eval.suites.suite import SuiteQuery
from indexer.catalog.records import ImageRecord
from indexer.domain import ImageRef
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.places import Place
from indexer.showroom.split import stable_fraction

PHOTOS = "photos"
"""Folder of a suite that holds its photos."""
ITSELF, FAMILY = 2, 1
"""Grades of the product on the photo, and of other variants of its parent."""
IN_A_ROOM, REFRAMED = "in-a-room", "reframed"
_FIT = Fit((SIDE, SIDE), "longest", fill=(255, 255, 255))

Families = Sequence[tuple[str, Sequence[Variant]]]
Twins = dict[str, frozenset[str]]
"""Content hash of a photo → the products that have it."""


@dataclass(frozen=True)
class PhotoQuery:
    """`view` is a JPEG file."""

    query: SuiteQuery
    grades: dict[str, int]
    view: bytes


def with_photos(families: Families, count: int) -> list[tuple[Variant, Sequence[Variant]]]:
    """Up to `count` products that have a photo, each with its family: of each family one, then of each another."""
    of_each = [[(one, family) for one in sorted(family, key=_lot) if one.photo is not None] for _, family in families]
    rounds = (one for turn in zip_longest(*of_each) for one in turn)
    return [one for one in rounds if one is not None][:count]


def photo_queries(
    chosen: Sequence[tuple[Variant, Sequence[Variant]]],
    gallery: Generation,
    decoders: DecoderPool,
    seed: int,
    watch: Callable[[int, int], None],
) -> Iterator[PhotoQuery]:
    """In the order given; a product whose photo can no longer be read, or is another one now, is passed over."""
    twins = sharing(gallery, [variant.photo for variant, _ in chosen if variant.photo is not None])
    families = {variant.id: family for variant, family in chosen}
    halves = _together(gallery, [variant for variant, _ in chosen], twins)
    root = gallery.root
    tasks = (_task(record, variant, root) for variant, record in _first_photos(gallery, chosen))
    for number, (task, decoded) in enumerate(decoders.map(tasks), start=1):
        watch(number, len(chosen))
        variant = task.key
        assert isinstance(variant, Variant)
        if isinstance(decoded, Decoded) and decoded.content_hash == variant.photo:
            view, moved = shopper_view(_whole(decoded), _dice(variant, seed))
            kin = [other.id for other in families[variant.id]]
            grades = graded(variant.id, kin, twins[decoded.content_hash])
            yield PhotoQuery(_query(variant, halves[variant.family], moved), grades, view)


def sharing(gallery: Generation, hashes: Sequence[str]) -> Twins:
    """The products that have each of the photos, in one pass over the ledger of images."""
    wanted = frozenset(hashes)
    found: dict[str, set[str]] = {one: set() for one in wanted}
    for record in gallery.every_photo() if wanted else ():
        if record.content_hash in found:
            found[record.content_hash].add(record.product_id)
    return {one: frozenset(products) for one, products in found.items()}


def _first_photos(
    gallery: Generation, chosen: Sequence[tuple[Variant, Sequence[Variant]]]
) -> Iterator[tuple[Variant, ImageRecord]]:
    records = gallery.photos([variant.id for variant, _ in chosen])
    for variant, _ in chosen:
        for record in records[variant.id]:
            if record.content_hash == variant.photo:
                yield variant, record
                break


def _task(record: ImageRecord, variant: Variant, root: Place) -> DecodeTask:
    return DecodeTask(ImageRef(record.uri), _FIT, root, key=variant)


def _whole(decoded: Decoded) -> Image.Image:
    """The picture without the border that made it square."""
    width, height = _FIT.scaled(decoded.width, decoded.height)
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    return Image.fromarray(decoded.pixels).crop((left, top, left + width, top + height))


def _together(gallery: Generation, variants: Sequence[Variant], twins: Twins) -> dict[str, str]:
    """Family → the name whose half it is in: families that share a photo are in the same."""
    others = sorted({product for products in twins.values() for product in products})
    family = {variant.id: variant.family for variant in variants}
    family |= {name: family_of(product) for name, product in gallery.products(others).items()}
    return joined(
        (variant.family, family[product])
        for variant in variants
        for product in (variant.id, *sorted(twins[variant.photo or ""]))
        if product in family
    )


def _dice(variant: Variant, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, int(stable_fraction("view", variant.id) * 2**53)])


def _query(variant: Variant, half: str, moved: bool) -> SuiteQuery:
    return SuiteQuery(
        id="-".join(f"photo_{variant.id}".split()),
        photo=f"{PHOTOS}/{file_name(variant.id)}",
        split=half_of(half),
        tags=(IN_A_ROOM if moved else REFRAMED, *([variant.kind] if variant.kind else [])),
    )


def graded(product: str, family: Sequence[str], twins: frozenset[str]) -> dict[str, int]:
    """The product and all that share its photo, then its family."""
    kin = dict.fromkeys(family, FAMILY)
    return {
        **dict.fromkeys(sorted({product, *twins}), ITSELF),
        **{one: FAMILY for one in kin if one not in twins | {product}},
    }


def file_name(product: str) -> str:
    """A file name for any id: its letters and digits, and a few digits of its hash where that is not all of it."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "-_") else "_" for one in product)[:80]
    return f"{plain}.jpg" if plain == product else f"{plain}-{int(stable_fraction('file', product) * 16**8):08x}.jpg"


def _lot(variant: Variant) -> tuple[float, str]:
    return stable_fraction("photo", variant.id), variant.id
