from pathlib import Path

import pytest

from eval.suites.suite import Suite
from indexer.settings import Settings
from tests.eval.worlds import small_suite
from tests.service.conftest import home, memory, real, vitrine
from tests.service.worlds import CATALOG

__all__ = ["home", "memory", "real", "vitrine"]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """A fresh copy of the small suite, on disk."""
    return small_suite(tmp_path / "suite")


@pytest.fixture
def shop(memory: Settings) -> Settings:
    """Settings of a home where the small shop is published, answered by the exact store."""
    return memory.model_copy(update={"catalog": CATALOG})
