"""The showroom's camera: deterministic pictures of a `Look`, drawn by a small deferred renderer.

`studio` is the shop's photo, `photo` a shopper's. Mesh → G-buffer (cached per family, view and size) → shading.
"""

from indexer.showroom.render.photo import LEVELS, photo
from indexer.showroom.render.studio import VIEWS, studio
from indexer.showroom.render.version import RENDERER_VERSION, renderer_hash

CLUTTER: tuple[str, ...] = tuple(LEVELS)
"""Clutter levels of `photo`, the calmest first."""

__all__ = ["CLUTTER", "RENDERER_VERSION", "VIEWS", "photo", "renderer_hash", "studio"]
