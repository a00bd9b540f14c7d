"""Which runtime encodes queries: torch, or the model as a build exported it, where it answers as torch does.

`home/encoders` holds the exports and what builds measured of them. Here they are only read, without torch.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from indexer.domain import EncoderIdentity
from indexer.encoders.choice import folder_of, read_choice
from indexer.encoders.devices import on_cpu
from indexer.encoders.exported.record import Towers, read_record
from indexer.encoders.seam import Encoder
from indexer.errors import InputError, SettingsError
from indexer.settings import EncoderSettings

LOG = logging.getLogger(__name__)
EXPORT: Final = "export"
"""The export's own folder, beside what was measured of it."""

OpenExport = Callable[[Path, Towers, int | None, int], Encoder]
"""As `exported.runtime.open_exported`."""


def exports_wanted(settings: EncoderSettings) -> bool:
    """Whether an export may take torch's place. Raises SettingsError where it must and cannot: on a GPU."""
    if settings.runtime == "torch" or settings.precision not in ("auto", "fp32"):
        return False
    if on_cpu(settings.device):
        return True
    if settings.runtime == "onnx":
        raise SettingsError(
            f"encoder.runtime: onnx computes on a CPU, and encoder.device is {settings.device!r} where there is a GPU; "
            "set encoder.device to cpu or encoder.runtime to auto."
        )
    return False


def open_chosen(home: Path, identity: EncoderIdentity, settings: EncoderSettings) -> Encoder | None:
    """The export that builds chose for queries; None where there is none, or torch is to be used.

    Raises SettingsError. An export that is damaged is told and passed over.
    """
    if not exports_wanted(settings):
        return None
    try:
        found = _found(home, identity, settings)
    except InputError as error:
        LOG.warning("Torch encodes for %s until the next build exports it again: %s", identity.name, error)
        return None
    return None if found is None else found[1]


def towers_found(home: Path, identity: EncoderIdentity, settings: EncoderSettings) -> Towers | None:
    """Those that `open_chosen` opens; None for torch. Raises SettingsError, and InputError for a damaged export."""
    found = _found(home, identity, settings) if exports_wanted(settings) else None
    return None if found is None else found[0]


def _found(home: Path, identity: EncoderIdentity, settings: EncoderSettings) -> tuple[Towers, Encoder] | None:
    folder = folder_of(home, identity)
    towers = read_choice(folder).towers(settings.runtime == "onnx")
    return None if towers is None else (towers, opened(folder, identity, towers, settings))


def opened(
    folder: Path,
    identity: EncoderIdentity,
    towers: Towers,
    settings: EncoderSettings,
    open_export: OpenExport | None = None,
) -> Encoder:
    """Raises InputError when it is damaged, or another encoder's."""
    found = read_record(folder / EXPORT).spec.identity
    if found != identity:
        raise InputError(f"{folder} holds the export of another encoder, {found.name} {found.fingerprint[:12]}.")
    return (open_export or _open_export)(folder / EXPORT, towers, settings.threads, settings.batch_size)


def _open_export(folder: Path, towers: Towers, threads: int | None, batch: int) -> Encoder:
    from indexer.encoders.exported.runtime import open_exported

    return open_exported(folder, towers, threads, batch)
