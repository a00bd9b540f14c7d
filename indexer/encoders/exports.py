"""What a build does about the export of its encoder: make it, measure it, use it."""

import logging
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from indexer.encoders.choice import Choice, Runtime, change_choice, folder_of, read_choice
from indexer.encoders.choosing import EXPORT, OpenExport, exports_wanted, opened
from indexer.encoders.exported.record import NotExportable, Towers, read_record
from indexer.encoders.measuring import Sample, measure
from indexer.encoders.seam import Encoder
from indexer.errors import InputError
from indexer.settings import EncoderSettings

LOG = logging.getLogger(__name__)

Export = Callable[[Any, Path, Sequence[str]], object]
"""As `exported.exporting.export`: an encoder of torch's, a folder, and texts that must become the same tokens."""


class Exports:
    """Nothing that goes wrong with an export fails a build: torch then encodes, and a warning says why."""

    def __init__(
        self,
        home: Path,
        settings: EncoderSettings,
        encoder: Encoder,
        export: Export | None = None,
        open_export: OpenExport | None = None,
    ) -> None:
        """`encoder` is torch's, and is what is exported."""
        self._folder = folder_of(home, encoder.spec.identity)
        self._settings = settings
        self._encoder = encoder
        self._export = export or _exported
        self._open_export = open_export

    @classmethod
    def of(cls, home: Path, settings: EncoderSettings, encoder: Encoder) -> "Exports | None":
        """None where no export is to be used. Raises SettingsError."""
        return cls(home, settings, encoder) if exports_wanted(settings) else None

    def encoder_for(self, catalog: str, draw: Callable[[], Sample]) -> Encoder:
        """What a build of the catalog encodes with. Its sample is drawn, and the export made and measured, where that
        was not done yet or the export is damaged. Raises what `draw` raises."""
        try:
            choice = read_choice(self._folder)
            if choice.refused or catalog in choice.catalogs:
                return self._by(choice)
        except InputError as error:
            LOG.warning("The export of %s is looked at again: %s", self._encoder.spec.name, error)
        sample = draw()
        return self._measured(catalog, sample) if sample.texts else self._encoder

    def _measured(self, catalog: str, sample: Sample) -> Encoder:
        name = self._encoder.spec.name
        LOG.info("Encoder %s is exported and measured for catalog %s.", name, catalog)
        try:
            return self._by(self._changed(catalog, sample))
        except (InputError, OSError) as error:
            LOG.warning("Torch encodes for %s: its export cannot be used: %s", name, error)
            return self._encoder

    def _changed(self, catalog: str, sample: Sample) -> Choice:
        """The choice with what this catalog's sample showed. Raises InputError, OSError."""
        try:
            encoders, pairs = self._ready(sample.texts)
        except NotExportable as refusal:
            reason = str(refusal)
            return change_choice(self._folder, lambda choice: choice.model_copy(update={"refused": reason}))
        measured = measure(encoders, pairs, sample)
        return change_choice(
            self._folder,
            lambda choice: choice.model_copy(update={"catalogs": {**choice.catalogs, catalog: measured}}),
        )

    def _ready(self, texts: Sequence[str]) -> tuple[dict[Runtime, Encoder], tuple[Towers, ...]]:
        """Torch's encoder, and the export's of all fp32 and of all int8, where there is any; and the pairs to be
        tried."""
        try:
            return self._all()
        except InputError:
            if (self._folder / EXPORT).exists():
                self._discard()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._export(self._encoder, self._folder / EXPORT, texts)
            return self._all()

    def _all(self) -> tuple[dict[Runtime, Encoder], tuple[Towers, ...]]:
        pairs = read_record(self._folder / EXPORT).towers
        encoders: dict[Runtime, Encoder] = {"torch": self._encoder, "fp32": self._opened(pairs[0])}
        if len(pairs) > 1:
            encoders["int8"] = self._opened(pairs[-1])
        return encoders, pairs

    def _by(self, choice: Choice) -> Encoder:
        """Raises InputError when the export is damaged, or of another format: this one's may be faster."""
        towers = choice.towers(self._settings.runtime == "onnx")
        if towers is not None:
            return self._opened(towers)
        if not choice.refused:
            read_record(self._folder / EXPORT)
        level = logging.INFO if choice.agrees else logging.WARNING
        LOG.log(level, "Torch encodes for %s: %s", self._encoder.spec.name, choice.why_torch())
        return self._encoder

    def _opened(self, towers: Towers) -> Encoder:
        return opened(self._folder, self._encoder.spec.identity, towers, self._settings, self._open_export)

    def _discard(self) -> None:
        """Whoever opens it meanwhile finds all of it or nothing."""
        gone = self._folder.with_name(f".{self._folder.name}.{secrets.token_hex(4)}")
        try:
            self._folder.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)


def _exported(encoder: Any, folder: Path, texts: Sequence[str]) -> object:
    from indexer.encoders.exported.exporting import export

    return export(encoder, folder, texts)
