"""What every test runs under, and may ask for."""

import pytest
from hypothesis import settings

from tests.postgres import server_url

settings.register_profile("vitrine", deadline=None, max_examples=50)
settings.load_profile("vitrine")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A database on a real PostgreSQL that all tests share: leave it as it was found. Skips where there is none."""
    return server_url()
