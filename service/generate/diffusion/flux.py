"""What FLUX is told beside what all pipelines are told."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.generate.diffusion.drawing import Drawing, Plain


class Flux(Plain):
    """Extras of the rows of FLUX."""

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        """Kontext would otherwise take the size for a shape only, and draw a million pixels of it."""
        first = drawings[0]
        width, height = first.recipe.size
        said: dict[str, Any] = {"max_sequence_length": first.row.tokens, "width": width, "height": height}
        return said | ({"max_area": width * height} if first.way.pipeline == "FluxKontextPipeline" else {})
