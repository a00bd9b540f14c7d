from collections.abc import Iterator

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.listing import list_builds
from indexer.builds.pipeline import Pipeline
from indexer.errors import PublishRefused
from indexer.settings import GateSettings
from indexer.sources import open_source
from tests.eval.gating.worlds import MIXED_UP, MUGS, MugShop, photo_suite, word_suite
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, build, settings_of, write_catalogue


@pytest.fixture(scope="session")
def mugs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MugShop]:
    """Built twice with the installed gates and a suite of photos; tests only read it."""
    folder = tmp_path_factory.mktemp("mugs")
    words, photos = word_suite(folder / "words").directory, photo_suite(folder / "photos").directory
    demands = GateSettings(suites=(photos,), canaries=photos)
    settings = settings_of(folder / "home", gate=demands)
    published = build(settings, write_catalogue(folder / "before", MUGS))
    database = open_catalogue(settings)
    mixed = open_source(write_catalogue(folder / "after", MIXED_UP))
    pipeline = Pipeline(database, settings, FakeEncoder())
    with pytest.raises(PublishRefused) as refused:
        pipeline.run(mixed, CATALOG, lambda progress: None)
    newest = str(list_builds(database, CATALOG)[0]["build"])
    yield MugShop(settings, database, published, newest, str(refused.value), words, photos)
    database.dispose()
