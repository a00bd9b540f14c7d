"""Searches over HTTP beside the same work by hand, and many at once: what `http.py` and `loop.py` measure.

And the picture of a draft by itself, which an edit draws while the shopper waits.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from eval.benchmarks import http, loop
from eval.benchmarks.figures import Figure, Given, Missing, Wanted, milliseconds
from eval.benchmarks.indexing import ARCHITECTURE
from eval.benchmarks.models import random_export
from eval.benchmarks.showrooms import showroom_home
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.errors import StoreUnavailable
from service.generate.recolour import recolour
from service.search.drawing import SIDES

DRAWN: Final = 24
DRAFT_WANTED: Final = Wanted(within=50)


def figures(given: Given) -> Iterator[Figure | Missing]:
    home = showroom_home(given.work)
    for name, part in (("search.http", http.figures), ("search.loop", loop.figures)):
        try:
            yield from part(home)
        except StoreUnavailable as error:
            yield Missing(name=name, why=f"failed: {error}")
    yield recolouring(home)
    try:
        _, export = random_export(given.work, ARCHITECTURE)
    except NotExportable as error:
        yield Missing(name="search.batching", why=str(error))
        return
    yield from loop.shared_calls(open_exported(export, Towers(text="int8", image="int8")))


def recolouring(home: Path) -> Figure:
    """Photos of the showroom, each as large as that of a draft is looked at."""
    photos = sorted((home / "showroom" / "images").glob("*.jpg"))
    side = SIDES["draft"]
    spent = []
    for at in np.linspace(0, len(photos) - 1, DRAWN).astype(int):
        with Image.open(photos[at]) as photo:
            pixels = np.asarray(photo.convert("RGB").resize((side, side)))
        spent.append(milliseconds(partial(recolour, pixels, http.COLOUR)))
    return Figure.of(
        "search.draft", f"the photo of a product recoloured at {side}², a draft's most", spent, wanted=DRAFT_WANTED
    )
