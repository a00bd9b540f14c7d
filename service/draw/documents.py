"""What is asked of those who draw "like this, but blue", and what is told of the pictures."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from indexer.domain import Frozen
from indexer.errors import QueryError
from indexer.generate_settings import GeneratorName, Mode, PipelineName
from service.generate.seam import MOST_COUNT, MOST_GUIDANCE, MOST_SEED, MOST_STEPS
from service.request import Words
from service.search.drawing import Picture, Wish


class DrawRequest(Frozen):
    """What is to be different from a product or a photo; what is left out, whoever draws chooses."""

    like: str | None = None
    """Id of a product to start from."""
    change: Words
    """What should be different, e.g. "but blue"."""
    catalog: str | None = None
    mode: Mode = "draft"
    box: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)] | None = None
    """The part of the photo that is meant: left, top, width, height as shares of the upright picture."""
    count: Annotated[int, Field(ge=1, le=MOST_COUNT)] | None = None
    """Pictures, of as many seeds; null: as `generate.candidates` says."""
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0
    size: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = None
    """Width and height in pixels, multiples of 8."""
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] | None = None
    guidance: Annotated[float, Field(ge=0, le=MOST_GUIDANCE)] | None = None
    strength: Annotated[float, Field(ge=0.01, le=1)] | None = None
    """How far the reference may be left; 1 keeps nothing of it."""
    region: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)] | None = None
    """The part that may be changed: left, top, width, height as shares of the picture."""
    generator: GeneratorName | None = None
    """Who is to draw it, whatever the router would choose."""
    pipeline: PipelineName | None = None
    """Of the diffusion pipelines, likewise."""

    @property
    def wish(self) -> Wish:
        names = Wish.model_fields.keys() & DrawRequest.model_fields.keys()
        return Wish.model_validate({name: getattr(self, name) for name in names})


class Pictures(Frozen):
    """The best first; those that do not fit what was asked are the last, and say why."""

    catalog: str
    build: str
    pictures: tuple[Picture, ...]
    skipped: tuple[str, ...] = ()
    """Who could not draw it, and why."""


def draw_request_of(fields: Mapping[str, object]) -> DrawRequest:
    """Raises QueryError naming each field that is wrong."""
    try:
        return DrawRequest.model_validate(fields)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise QueryError("; ".join(mistakes) + ".") from None
