"""A shop in which recolouring alone is set up to draw."""

from pathlib import Path

from indexer.settings import Settings
from service.generate.recolouring import Recolouring
from service.shop import Shop
from tests.fakes import ThingEncoder
from tests.service.worlds import open_fake_shop


def patient(settings: Settings) -> Settings:
    """The same, but that drafts are waited for however busy the machine is."""
    return settings.model_copy(update={"generate": settings.generate.model_copy(update={"draft_seconds": 60.0})})


def open_drawing_shop(settings: Settings, kept: Path) -> Shop:
    """Its pictures are kept below the directory."""
    return open_fake_shop(patient(settings), lambda manifest: ThingEncoder(), [Recolouring()], kept / "generated")
