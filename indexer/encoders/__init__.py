"""Encoders: the seam, the table of known models, and the one way to open one."""

from indexer.encoders.devices import devices_of
from indexer.encoders.known import KNOWN_MODELS, SUGGESTED, UNSUITED, KnownModel, suits
from indexer.encoders.seam import Encoder, EncoderSpec
from indexer.settings import EncoderSettings

__all__ = [
    "KNOWN_MODELS",
    "SUGGESTED",
    "UNSUITED",
    "Encoder",
    "EncoderSettings",
    "EncoderSpec",
    "KnownModel",
    "demand_known",
    "devices_of",
    "open_encoder",
    "suits",
]


def open_encoder(settings: EncoderSettings | str = "showroom") -> Encoder:
    """Load an encoder by settings or by name, on the first device named; torch is imported by the first call."""
    from indexer.encoders.openclip import open_openclip

    wanted = EncoderSettings(name=settings) if isinstance(settings, str) else settings
    return open_openclip(wanted.model_copy(update={"device": devices_of(wanted.device)[0]}))


def demand_known(name: str) -> None:
    """Raises UnknownModel, or InputError for a directory that cannot be used. Nothing is fetched or loaded."""
    from indexer.encoders.openclip_files import demand_known

    demand_known(name)
