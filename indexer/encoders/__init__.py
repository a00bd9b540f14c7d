"""Encoders: the seam, the table of known models, and the one way to open one."""

from indexer.encoders.known import KNOWN_MODELS, KnownModel
from indexer.encoders.seam import Encoder, EncoderSpec
from indexer.settings import EncoderSettings

__all__ = ["KNOWN_MODELS", "Encoder", "EncoderSettings", "EncoderSpec", "KnownModel", "open_encoder"]


def open_encoder(settings: EncoderSettings | str = "showroom") -> Encoder:
    """Load an encoder by settings or by name; torch is imported on the first call, not before."""
    from indexer.encoders.openclip import open_openclip

    return open_openclip(EncoderSettings(name=settings) if isinstance(settings, str) else settings)
