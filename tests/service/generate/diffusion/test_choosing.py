"""Which of several pipelines draws what, and what is said where none can."""

from typing import Any, get_args

import pytest

from indexer.generate_settings import DiffusionSettings, PipelineName
from service.changes import Change
from service.generate.diffusion.choosing import chosen
from service.generate.seam import Mask, Unsuited
from tests.service.generate.diffusion.worlds import REFERENCE, asked

EVERYTHING = get_args(PipelineName)
MATERIAL = {"instruction": "but of leather", "changes": (Change("material", "wool", "leather"),)}
FREE = {"instruction": "with a castle behind it", "changes": ()}
PLAIN = {"steps": None}


def region() -> Mask:
    return REFERENCE[..., 0] < 255


def having(*names: str, **settings: str) -> DiffusionSettings:
    return DiffusionSettings.model_validate({"pipelines": dict.fromkeys(names, "maker/weights"), **settings})


@pytest.mark.parametrize(
    ("mode", "fields", "there", "taken"),
    [
        ("draft", {}, EVERYTHING, "sdxl-turbo"),
        ("draft", FREE, ("sdxl-image", "sdxl-lightning"), "sdxl-lightning"),
        ("draft", {}, ("sdxl-text", "sdxl-inpaint"), "sdxl-inpaint"),
        ("final", {}, EVERYTHING, "sdxl-control"),
        ("final", MATERIAL, EVERYTHING, "sdxl-control"),
        ("final", MATERIAL, ("sdxl-image", "sdxl-inpaint", "sdxl-turbo"), "sdxl-inpaint"),
        ("final", FREE, EVERYTHING, "flux-kontext"),
        ("final", FREE, ("sdxl-text", "sdxl-image", "sdxl-inpaint"), "sdxl-image"),
        ("final", FREE | {"reference": None}, EVERYTHING, "sdxl-text"),
        ("draft", FREE | {"reference": None}, ("sdxl-image", "sdxl-lightning"), "sdxl-lightning"),
        ("draft", {"guidance": 5.0}, ("sdxl-turbo", "sdxl-image"), "sdxl-image"),
        ("draft", {"guidance": 0.0}, ("sdxl-turbo", "sdxl-image"), "sdxl-turbo"),
        ("draft", {"strength": 0.5}, ("sdxl-text", "sdxl-image"), "sdxl-image"),
        ("draft", {"mask": region()}, ("sdxl-text", "sdxl-inpaint"), "sdxl-inpaint"),
        ("draft", {"pipeline": "sdxl-text"}, EVERYTHING, "sdxl-text"),
    ],
)
def test_the_best_that_is_there_and_can_is_taken(mode: str, fields: dict[str, Any], there: Any, taken: str) -> None:
    request = asked(**PLAIN | {"mode": mode} | fields)

    assert chosen(request, having(*there, canny="maker/canny")).name == taken


@pytest.mark.parametrize(
    ("fields", "there", "said"),
    [
        ({}, (), "no weights are named"),
        ({"pipeline": "sdxl-text"}, ("sdxl-image",), "sdxl-text: name its weights"),
        ({"reference": None}, ("sdxl-image",), "sdxl-image draws from a reference only"),
        ({"mask": region()}, ("sdxl-text",), "cannot keep what is outside of a mask"),
        ({"strength": 0.5}, ("sdxl-text",), "sdxl-text has no strength"),
        ({"guidance": 5.0}, ("sdxl-turbo", "sdxl-lightning"), "sdxl-turbo was distilled to guidance 0; sdxl-lightning"),
    ],
)
def test_what_none_can_is_said_one_by_one(fields: dict[str, Any], there: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unsuited, match=said):
        chosen(asked(**fields), having(*there))
