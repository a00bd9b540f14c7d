"""How much a test does: a little in `make test`, all of it in `make test-long`."""

import os
import random

import pytest

SEED = "VITRINE_TEST_SEED"


def extents(short: tuple[object, ...], long: tuple[object, ...]) -> list[object]:
    """For `parametrize`."""
    return [pytest.param(*short, id="short"), pytest.param(*long, id="long", marks=pytest.mark.long)]


def seeded() -> random.Random:
    """Prints the seed, which pytest shows when the test fails; the environment variable repeats a run."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    print(f"{SEED}={seed}")
    return random.Random(seed)
