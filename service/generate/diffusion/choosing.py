"""Which of the pipelines that are set up draws a request, and in which of its ways."""

from dataclasses import dataclass

from indexer.generate_settings import DiffusionSettings, PipelineName
from service.generate.diffusion.table import PIPELINES, PREFERRED, Known, Way
from service.generate.instructions import kind_of
from service.generate.seam import Request, Unsuited


@dataclass(frozen=True)
class Choice:
    name: PipelineName
    row: Known
    way: Way

    @property
    def from_reference(self) -> bool:
        return self.way is self.row.image


def chosen(request: Request, settings: DiffusionSettings) -> Choice:
    """The one that is asked for, or the best of those that are there; raises Unsuited."""
    there = settings.pipelines
    if request.pipeline is not None:
        if request.pipeline not in there:
            raise Unsuited(f"{request.pipeline}: name its weights in generate.diffusion.pipelines.")
        candidates: tuple[PipelineName, ...] = (request.pipeline,)
    else:
        candidates = tuple(name for name in PREFERRED[request.mode, kind_of(request)] if name in there)
    obstacles = []
    for name in candidates:
        choice = _choice(request, name)
        if choice is None:
            obstacle: str | None = "draws from a reference only, and there is none"
        else:
            obstacle = _obstacle(request, choice) or _lacking(choice.row, settings)
        if choice is not None and obstacle is None:
            return choice
        obstacles.append(f"{name} {obstacle}")
    raise Unsuited(f"diffusion: {'; '.join(obstacles) or 'no weights are named in generate.diffusion.pipelines'}.")


def _choice(request: Request, name: PipelineName) -> Choice | None:
    """From the reference where there is one and the row can, else from words alone, if it can that."""
    row = PIPELINES[name]
    way = row.image if request.reference is not None and row.image is not None else row.text
    return None if way is None else Choice(name, row, way)


def steps_of(request: Request, way: Way) -> int:
    """At least as many as make one step of the part that is redrawn; raises Unsuited for fewer that were asked for."""
    strength = request.strength or way.strength or 1
    least = next(steps for steps in range(1, 200) if int(steps * strength) >= 1)
    if request.steps is None:
        return max(way.steps, least)
    if request.steps < least:
        raise Unsuited(f"steps: {request.steps} of strength {strength:g} are less than one; ask for {least} or more.")
    return request.steps


def _obstacle(request: Request, choice: Choice) -> str | None:
    """What it cannot do."""
    row, way = choice.row, choice.way
    if request.mask is not None and not choice.from_reference:
        return "draws from words alone, and cannot keep what is outside of a mask"
    if request.strength is not None and way.strength is None:
        return "has no strength"
    if request.guidance is not None and not row.guided and request.guidance != way.guidance:
        return f"was distilled to guidance {way.guidance:g}"
    return None


def _lacking(row: Known, settings: DiffusionSettings) -> str | None:
    """What the settings do not name and it needs."""
    if row.extras != "control":
        return None
    if not (settings.canny or settings.depth or settings.ip_adapter):
        return "needs generate.diffusion.canny, depth or ip_adapter"
    if settings.depth and not settings.depth_estimator:
        return "needs generate.diffusion.depth_estimator, for depth"
    return None
