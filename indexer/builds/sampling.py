"""A few texts and photos of a catalogue, spread evenly over its products."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from indexer.builds.jobs import Job
from indexer.builds.texts import describe
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.sampling import SampleRepository
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef, Pixels, Product
from indexer.encoders.measuring import Sample
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.places import Place
from indexer.settings import ImageSettings

TEXTS: Final = 128
PHOTOS: Final = 64


def draw_sample(database: Database, job: Job, root: Place, fit: Fit, settings: ImageSettings) -> Sample:
    """Descriptions of up to 128 products of the job's generation, first those of the up to 64 photos, framed by `fit`.

    A photo is a product's first; of those that cannot be decoded the texts stay. Raises what the database raises.
    """
    products = _spread(database, job)
    photos = dict(_decoded(_first_photos(database, job, products), root, fit, settings))
    pictured = [product for product in products if product.id in photos]
    others = [product for product in products if product.id not in photos]
    return Sample(
        texts=tuple(describe(product) for product in (*pictured, *others)),
        photos=tuple(photos[product.id] for product in pictured),
    )


def _spread(database: Database, job: Job) -> list[Product]:
    """Every second one of them first, so that the first half is spread evenly too."""
    with database.session() as session:
        ids = SampleRepository(session).spread(job.catalog, TEXTS, generation=job.generation)
        found = ProductRepository(session).get_many(job.catalog, ids, generation=job.generation)
    chosen = list(found.values())
    return chosen[::2] + chosen[1::2]


def _first_photos(database: Database, job: Job, products: list[Product]) -> dict[str, ImageRef]:
    """Of each product that has one which was not rejected."""
    ids = [product.id for product in products]
    with database.session() as session:
        images = ImageRepository(session).of_products(job.catalog, ids, generation=job.generation)
    usable = {id_: [one for one in found if one.state is not ImageState.REJECTED] for id_, found in images.items()}
    return {id_: ImageRef(found[0].uri) for id_, found in usable.items() if found}


def _decoded(
    photos: dict[str, ImageRef], root: Place, fit: Fit, settings: ImageSettings
) -> Iterator[tuple[str, Pixels]]:
    """Up to `PHOTOS` of them by their products' ids."""
    tasks = (DecodeTask(ref, fit, root, key=product_id) for product_id, ref in photos.items())
    with DecoderPool.of(settings) as decoders:
        outcomes = decoders.map(tasks)
        decoded = ((str(task.key), outcome.pixels) for task, outcome in outcomes if isinstance(outcome, Decoded))
        yield from islice(decoded, PHOTOS)
