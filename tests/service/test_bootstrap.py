"""What a service does before it answers."""

import shutil
from pathlib import Path

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.stores.pointer import read_pointer, write_pointer
from service.bootstrap import open_busy_shop
from tests.service.worlds import CATALOG, settings_of


def test_a_service_puts_right_the_pointer_that_a_killed_publication_left_behind(home: Path, tmp_path: Path) -> None:
    settings = settings_of(shutil.copytree(home, tmp_path / "home"))
    write_pointer(settings.home, CATALOG, "the-one-before")

    open_busy_shop(settings).close()
    database = open_catalogue(settings)
    assert read_pointer(settings.home, CATALOG) == published_build(database, CATALOG)[1]
    database.dispose()
