"""Stages five and six: a written build is read back before it is published, and old ones make room."""

import shutil
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.live import LiveIndex, store_path
from indexer.builds.survey import Page, pages
from indexer.builds.texts import describe
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import PUBLISHABLE_STATES, BuildState
from indexer.domain import BuildManifest, Channel, point_id
from indexer.errors import BuildFailed
from indexer.stores.pointer import write_pointer

KEEP = 3
"""Builds of a catalog whose stores stay: the published one and those one can go back to."""
KEEP_REFUSED = 1
"""Builds that a gate refused whose stores stay, to be looked at or published after all."""
READ_BACK = 200
"""Products whose vectors are compared with the cache."""
TOLERANCE = 1e-3


def verify(index: LiveIndex, database: Database, embeddings: Embeddings) -> None:
    """Raises BuildFailed when the store does not hold exactly what the ledger says."""
    manifest = index.manifest
    count = index.store.count()
    if count != manifest.points:
        raise BuildFailed(f"Build {manifest.build}: the store holds {count} points, the ledger {manifest.points}.")
    for page in islice(pages(database, manifest.catalog), 1):
        _read_back(index, page[:READ_BACK], embeddings)


def publish(database: Database, home: Path, manifest: BuildManifest) -> None:
    """The ledger's row is the truth; the pointer follows it."""
    now = datetime.now(UTC)
    with database.begin() as session:
        BuildRepository(session).set_state(manifest.build, BuildState.READY, now)
        PublishedRepository(session).set(manifest.catalog, manifest.build, now)
    write_pointer(home, manifest.catalog, manifest.build)


def withhold(database: Database, build: str, reason: str) -> None:
    """A gate refused the build: it is finished and can be published later; the ledger keeps why it was not."""
    with database.begin() as session:
        BuildRepository(session).set_state(build, BuildState.READY, datetime.now(UTC), error=reason)


def prune(database: Database, home: Path, catalog: str) -> None:
    """Delete the embedded stores of builds that failed and of all but the newest finished ones, never the published.

    Of refused builds the newest stays; they do not take the places of builds one can go back to.
    """
    with database.session() as session:
        published = PublishedRepository(session).find(catalog)
        builds = BuildRepository(session).recent(catalog, limit=1_000)
    finished = [one for one in builds if one.state in PUBLISHABLE_STATES]
    accepted = [one.id for one in finished if one.error is None]
    refused = [one.id for one in finished if one.error is not None]
    failed = [one.id for one in builds if one.state in (BuildState.FAILED, BuildState.CANCELLED)]
    for build in [*accepted[KEEP:], *refused[KEEP_REFUSED:], *failed]:
        if published is None or build != published.build:
            shutil.rmtree(store_path(home, build), ignore_errors=True)


def _read_back(index: LiveIndex, page: Page, embeddings: Embeddings) -> None:
    catalog = index.manifest.catalog
    for product, images in page:
        texts = embeddings.of_texts([describe(product)])
        photos = embeddings.of_images([image.content_hash for image in images if image.content_hash])
        for number, image_id in enumerate([image.image_id for image in images] or [""]):
            identity = point_id(catalog, product.id, image_id)
            stored = index.store.fetch([identity]).get(identity, {})
            expected = {Channel.TEXT: texts[0]} | ({Channel.IMAGE: photos[number]} if image_id else {})
            for channel, vector in expected.items():
                if channel not in stored or np.abs(stored[channel] - vector).max() > TOLERANCE:
                    raise BuildFailed(
                        f"Build {index.manifest.build}: product {product.id} does not read back as it was written."
                    )
