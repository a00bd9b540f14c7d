"""What builds measured of an exported encoder, catalog by catalog, and which towers follow from it."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from indexer.domain import EncoderIdentity, Frozen
from indexer.encoders.exported.record import Arithmetic, Towers
from indexer.errors import InputError

INT8_GAIN: Final = 1.1
"""Times that int8 must be faster than the export's own fp32."""
LEAST_PACE: Final = 0.8
"""Of torch's, with which an export is still preferred to it: it starts in a fraction of the time."""
_CHOICE: Final = "choice.json"

Runtime = Literal["torch", "fp32", "int8"]
Kind = Literal["text", "photo"]


class Pace(Frozen):
    """Seconds for one text by itself, and for one photo among several; 0 where the catalog has none to measure with."""

    text: float
    photo: float


class Tried(Frozen):
    """A pair of towers, and whether it found the catalog's own things as torch does."""

    towers: Towers
    agrees: bool
    figures: dict[str, float | None]


class Measured(Frozen):
    """Of one catalog, with so many of its texts and photos."""

    texts: int
    photos: int
    paces: dict[Runtime, Pace]
    tried: tuple[Tried, ...]


class Choice(Frozen):
    refused: str = ""
    """Why the model cannot be exported; '' where it can, or nobody tried."""
    catalogs: dict[str, Measured] = Field(default_factory=dict)

    def towers(self, at_any_pace: bool) -> Towers | None:
        """The fastest pair that agrees in every catalog on record; None where there is none, or torch is to be used
        because it is faster. `at_any_pace`: be it slower than torch."""
        agreed = self._agreed()
        best = min((one for one in agreed if self._pays(one)), key=self._cost, default=None)
        if best is None or at_any_pace or not self._slow(best):
            return best
        return None

    @property
    def agrees(self) -> bool:
        """Whether any of the export does in every catalog on record."""
        return bool(self._agreed())

    def why_torch(self) -> str:
        """Of a choice without towers."""
        if self.refused:
            return self.refused
        return "it is faster here." if self.agrees else "what is exported of it answers too differently."

    def _agreed(self) -> set[Towers]:
        agreed = [{one.towers for one in measured.tried if one.agrees} for measured in self.catalogs.values()]
        return set.intersection(*agreed) if agreed else set()

    def _pays(self, towers: Towers) -> bool:
        """Nobody gives exactness away for nothing."""
        of: dict[Kind, Arithmetic] = {"text": towers.text, "photo": towers.image}
        return all(
            self._seconds("fp32", kind) >= INT8_GAIN * self._seconds("int8", kind) > 0
            for kind, arithmetic in of.items()
            if arithmetic == "int8"
        )

    def _cost(self, towers: Towers) -> float:
        return self._seconds(towers.text, "text") + self._seconds(towers.image, "photo")

    def _slow(self, towers: Towers) -> bool:
        texts = self._seconds("torch", "text") < LEAST_PACE * self._seconds(towers.text, "text")
        return texts or self._seconds("torch", "photo") < LEAST_PACE * self._seconds(towers.image, "photo")

    def _seconds(self, runtime: Runtime, kind: Kind) -> float:
        """All catalogs together."""
        paces = [measured.paces[runtime] for measured in self.catalogs.values()]
        return sum(pace.text if kind == "text" else pace.photo for pace in paces)


def folder_of(home: Path, identity: EncoderIdentity) -> Path:
    """Where the export of an encoder lies with its choice; it may be deleted, and the next build makes it again.

    An export tells its name, so that the same weights under another one have another export.
    """
    name = hashlib.sha256(identity.name.encode()).hexdigest()[:8]
    return home / "encoders" / f"{identity.fingerprint[:16]}-{name}"


def read_choice(folder: Path) -> Choice:
    """An empty one where there is none. Raises InputError when it is damaged."""
    path = folder / _CHOICE
    try:
        return Choice.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Choice()
    except (ValidationError, OSError) as error:
        raise InputError(f"{path} cannot be read; delete {folder}, the next build makes it again.") from error


def change_choice(folder: Path, change: Callable[[Choice], Choice]) -> Choice:
    """The choice after a change that no other process's comes between; a damaged one begins anew. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        try:
            before = read_choice(folder)
        except InputError:
            before = Choice()
        after = change(before)
        temporary = folder / f"{_CHOICE}.{secrets.token_hex(4)}"
        try:
            temporary.write_text(json.dumps(after.model_dump(), indent=1), "utf-8")
            temporary.replace(folder / _CHOICE)
        finally:
            temporary.unlink(missing_ok=True)
    return after


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The kernel drops the lock with the process, however it dies."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
