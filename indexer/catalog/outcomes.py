"""What became of an image, as the columns of its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.catalog.records import Palette, ReadyImage, RejectedImage
from indexer.catalog.states import ImageState

Columns = dict[str, object]
Outcome = ReadyImage | RejectedImage

UNCHECKED: Columns = {
    "state": ImageState.PENDING,
    "content_hash": None,
    "reason": None,
    "detail": None,
    "width": None,
    "height": None,
    "palette": None,
    "checked_at": None,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the row of an image says before the outcome."""

    since: int
    state: ImageState
    reason: str | None
    content_hash: str | None
    width: int | None
    height: int | None
    palette: Sequence[Sequence[float]] | None

    def agrees(self, outcome: Outcome) -> bool:
        """Whether a search could not tell the outcome from what is known; the wording of a refusal may differ."""
        if isinstance(outcome, RejectedImage):
            return self.state is ImageState.REJECTED and self.reason == outcome.reason
        content = (self.content_hash, self.width, self.height, self.palette)
        found = (outcome.content_hash, outcome.width, outcome.height, plain_palette(outcome.palette))
        return self.state is ImageState.READY and content == found


def outcome_columns(outcome: Outcome, now: datetime) -> Columns:
    """Checked at `now`."""
    if isinstance(outcome, RejectedImage):
        refused: Columns = {"state": ImageState.REJECTED, "reason": outcome.reason, "detail": outcome.detail}
        return {**UNCHECKED, **refused, "checked_at": now}
    columns: Columns = {
        **UNCHECKED,
        "state": ImageState.READY,
        "content_hash": outcome.content_hash,
        "width": outcome.width,
        "height": outcome.height,
        "palette": plain_palette(outcome.palette),
        "checked_at": now,
    }
    return columns if outcome.source_stamp is None else {**columns, "source_stamp": outcome.source_stamp}


def plain_palette(palette: Palette | None) -> list[list[float]] | None:
    """As JSON keeps it."""
    return None if palette is None else [list(colour) for colour in palette]
