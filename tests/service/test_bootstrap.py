"""What a service does before it answers."""

import shutil
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.errors import SettingsError
from indexer.images.decoders import DecoderPool
from indexer.stores.pointer import read_pointer, write_pointer
from service.bootstrap import open_busy_shop, open_line, open_speaker, open_verifier
from service.photos import CataloguePhotos
from tests.service.worlds import CATALOG, settings_of


def test_a_service_puts_right_the_pointer_that_a_killed_publication_left_behind(home: Path, tmp_path: Path) -> None:
    settings = settings_of(shutil.copytree(home, tmp_path / "home"))
    write_pointer(settings.home, CATALOG, "the-one-before")

    open_busy_shop(settings).close()
    database = open_catalogue(settings)
    assert read_pointer(settings.home, CATALOG) == published_build(database, CATALOG)[1]
    database.dispose()


@pytest.mark.parametrize(
    ("rerank", "named"),
    [
        ({}, False),
        ({"api_key": ""}, False),
        ({"base_url": ""}, False),
        ({"api_key": "sk-1"}, True),
        ({"base_url": "http://127.0.0.1:9/v1"}, True),
        ({"base_url": "http://127.0.0.1:9/v1", "backend": "zero_shot"}, False),
        ({"base_url": "http://127.0.0.1:9/v1", "backend": "none"}, False),
    ],
)
def test_an_endpoint_is_asked_only_where_one_is_named_and_meant(
    home: Path, rerank: dict[str, str], named: bool
) -> None:
    settings = settings_of(home, rerank=rerank)
    database = open_catalogue(settings)
    line = open_line(settings, database)
    assert (line is not None) is named
    assert (open_speaker(settings.rerank, line) is not None) is named
    with DecoderPool.of(settings.images) as decoders:
        photos = CataloguePhotos(database, decoders)
        verifier = open_verifier(settings, line, photos)
        assert (verifier is None) is (rerank.get("backend") == "none")
        assert verifier is None or (verifier.fit is not None) is named
        if verifier is not None:
            verifier.close()
    database.dispose()


def test_an_endpoint_that_is_meant_and_not_named_is_a_mistake_of_the_settings(home: Path) -> None:
    settings = settings_of(home, rerank={"backend": "openai"})
    database = open_catalogue(settings)
    with pytest.raises(SettingsError, match=r"rerank\.base_url"):
        open_line(settings, database)
    database.dispose()
