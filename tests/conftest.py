"""What every test runs under, and may ask for."""

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from indexer.logs import OURS
from tests.postgres import server_url

# Exporting an encoder takes longer than the small builds of tests do; exports have tests of their own, and the wheel's.
os.environ.setdefault("VITRINE_ENCODER__RUNTIME", "torch")

settings.register_profile("vitrine", deadline=None, max_examples=50)
settings.load_profile("vitrine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The wheel's one test takes long: it begins first, so that no process is left with it alone at the end."""
    items.sort(key=lambda item: item.path.name != "test_wheel.py")


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look through it all the time."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A database on a real PostgreSQL that all tests share: leave it as it was found. Skips where there is none."""
    return server_url()


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Who starts a service within a test sets the log up for the process."""
    loggers = [logging.getLogger(name) for name in (None, *OURS)]
    handlers, levels = loggers[0].handlers[:], [one.level for one in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)
