"""A read-only Edge replica: the one shard of a Qdrant server's collection, searched in this process.

The collection was made with one shard by `stores/qdrant_shape.py`, whose names of vectors and payload keys are those
of an Edge shard. What is written to a replica stays in it; the next snapshot does not know it.
"""

import json
import shutil
from pathlib import Path

import qdrant_edge as engine

from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.edge import EdgeStore
from indexer.stores.edge_shard import mark_sealed, translated
from indexer.stores.owner import Ownership
from indexer.stores.pointer import write_atomically
from indexer.stores.points import EXACT_BELOW
from indexer.stores.seam import Layout


def unpack_replica(snapshot: Path, directory: Path, layout: Layout) -> EdgeStore:
    """Open an Edge store made of the snapshot of a shard, in place of whatever unowned store the directory held.

    Raises StoreOwned when a process has the directory open, StoreMismatch when the file is not such a snapshot.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        owned = Ownership(directory)
    except OSError as error:
        raise StoreUnavailable(f"The directory {directory} cannot be made: {error.strerror}.") from error
    try:
        for name in ("sealed", "layout.json"):
            (directory / name).unlink(missing_ok=True)
        shutil.rmtree(directory / "shard", ignore_errors=True)
        with translated(directory, StoreMismatch):
            engine.EdgeShard.unpack_snapshot(str(snapshot), str(directory / "shard"))
            shard = engine.EdgeShard.load(str(directory / "shard"))
            points = shard.count(engine.CountRequest(exact=True))
            shard.close()
        described = {"layout": layout.fingerprint(), "exact": points <= EXACT_BELOW}
        write_atomically(directory / "layout.json", json.dumps(described).encode())
        mark_sealed(directory)
    finally:
        owned.release()
    return EdgeStore.open(directory, layout)
