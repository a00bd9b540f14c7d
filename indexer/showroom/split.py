"""What the showroom model may see in training and what stays unseen for measuring it.

Three things are kept apart: combinations of (kind, colour, pattern) by a stable hash, shape seeds by range (every
family of the catalogue has a shape no training family has) and photo seeds by range.
"""

import hashlib

from indexer.showroom.look import Look

HELD_OUT_SHARE = 0.135
"""Share of (kind, colour, pattern) combinations that training never shows."""

CATALOGUE_SHAPES = range(1, 1_000_000)
TRAINING_SHAPES = range(1_000_000, 2**31)
MEASURED_PHOTOS = range(1, 1_000_000)
TRAINING_PHOTOS = range(1_000_000, 2**31)


def stable_fraction(*parts: str) -> float:
    """A number in [0, 1) that depends on `parts` only: the same on every machine and Python version."""
    digest = hashlib.blake2b("|".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def is_held_out(kind: str, colour: str, pattern: str) -> bool:
    """Whether training must never show this combination."""
    return stable_fraction("held out", kind, colour, pattern) < HELD_OUT_SHARE


def may_train_on(look: Look) -> bool:
    """Whether training may show this look: its combination is not held out and its shape is no catalogue shape."""
    return look.shape in TRAINING_SHAPES and not is_held_out(look.kind, look.colour, look.pattern)
