"""Who draws, by the settings alone: each of those that there are, from the settings to the picture."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.errors import NothingGenerated, SettingsError
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.bootstrap import open_shop
from service.bootstrap_drawing import open_artist
from service.draw.documents import DrawRequest, Pictures
from service.photos import CataloguePhotos
from tests.openai_server import OpenAiServer
from tests.picture_server import BLUE, drawing
from tests.service.worlds import DRAWING


def drawn(settings: Settings, home: Path, generate: Mapping[str, object], **asked: object) -> Pictures:
    """By a shop as a command opens it, whose pictures are kept in `home`."""
    changed = {**settings.model_dump(mode="json"), "generate": {**DRAWING, **generate, "cache_url": str(home)}}
    request = DrawRequest.model_validate({"like": "mug-red", "change": "but blue", **asked})
    with open_shop(Settings.model_validate(changed)) as shop:
        return shop.draw(request)


def test_a_colour_is_changed_without_any_setting(real: Settings, tmp_path: Path) -> None:
    (picture,) = drawn(real, tmp_path, {}).pictures
    assert picture.provenance.recipe.generator == "recolour"
    assert [file.name for file in tmp_path.iterdir()] == [f"{picture.id}.png"]


def test_an_endpoint_draws_where_one_is_named(real: Settings, tmp_path: Path) -> None:
    with OpenAiServer() as server:
        server.always(drawing(BLUE, tokens=(300, 200)))
        generate = {"openai": {"base_url": server.url, "model": "small"}}
        (picture,) = drawn(real, tmp_path, generate, generator="openai").pictures
    told = picture.provenance
    assert (told.recipe.generator, told.recipe.model, picture.width) == ("openai", "small", 48)


@pytest.mark.parametrize("name", ["diffusion", "openai", "replicate"])
def test_who_is_not_set_up_is_not_asked(real: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(NothingGenerated, match=f"{name}: it is not set up here"):
        drawn(real, tmp_path, {}, generator=name)


def test_who_is_left_out_is_not_asked(real: Settings, tmp_path: Path) -> None:
    with pytest.raises(NothingGenerated, match=r"generate\.generators"):
        drawn(real, tmp_path, {"generators": []})


@pytest.mark.parametrize(
    ("generate", "said"),
    [
        ({"openai": {"base_url": "nowhere"}}, "generate.openai.base_url"),
        ({"openai": {"api_key": "sk-ü"}}, "generate.openai.api_key"),
        ({"replicate": {"model": "no-owner"}}, "generate.replicate"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_name(
    real: Settings, generate: dict[str, object], said: str
) -> None:
    settings = Settings.model_validate({**json.loads(real.model_dump_json()), "generate": generate})
    database = open_catalogue(settings)
    with DecoderPool.of(settings.images) as decoders, pytest.raises(SettingsError, match=said):
        open_artist(settings, database, decoders, CataloguePhotos(database, decoders))
    database.dispose()
