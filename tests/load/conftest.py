import pytest

from indexer.settings import Settings
from tests.service.worlds import build, settings_of, write_catalogue


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The small shop, built and published, to be searched in memory."""
    folder = tmp_path_factory.mktemp("load")
    build(settings_of(folder / "home"), write_catalogue(folder / "catalogue"))
    return settings_of(folder / "home", store={"kind": "memory"})
