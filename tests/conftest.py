"""What every test runs under, and may ask for."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import settings

from indexer.logs import OURS
from tests.postgres import server_url

# Exporting an encoder takes longer than the small builds of tests do; exports have tests of their own.
os.environ.setdefault("VITRINE_ENCODER__RUNTIME", "torch")

settings.register_profile("vitrine", deadline=None, max_examples=50)
settings.load_profile("vitrine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The wheel's test takes long: it begins first, so that no process is left with it alone at the end."""
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an authority that has signed nothing."""
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="module", autouse=True)
def certificates(certificate: Path) -> Iterator[None]:
    """Every client reads all that the system believes, which takes a tenth of a second, and nobody here asks anybody
    who would be believed for them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(certificate))
        yield


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Who starts a service within a test sets the log up for the process."""
    loggers = [logging.getLogger(name) for name in (None, *OURS)]
    handlers, levels = loggers[0].handlers[:], [one.level for one in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)
