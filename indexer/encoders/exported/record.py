"""What an export is: a directory of files, and what is said of them in `encoder.json`."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from indexer.domain import Frozen
from indexer.encoders.seam import EncoderSpec
from indexer.errors import InputError

FORMAT: Final = 2
"""Of the files, their graphs and how they are called; an export of another number is made again."""
RECORD = "encoder.json"
TOKENIZER = "tokenizer.json"

Arithmetic = Literal["fp32", "int8"]
Tower = Literal["text", "image"]


class NotExportable(Exception):
    """This model, or its tokenizer, cannot be exported with the same answers; the message says why."""


class Towers(Frozen):
    """Which arithmetic each tower computes in."""

    text: Arithmetic = "fp32"
    image: Arithmetic = "fp32"


class Kept(Frozen):
    """A file as it was written."""

    bytes: int
    sha256: str


class TokenizerRecord(Frozen):
    """How words become tokens before and after the pair merges of `tokenizer.json`; see `tokenizing`."""

    clean: Literal["lower", "canonicalize", "whitespace"]
    specials: tuple[str, ...]
    """What is one token wherever it stands in a text."""
    start: int
    end: int
    context_length: int


class ExportRecord(Frozen):
    """`cut` says whether the text graph takes as few tokens as a text has, or the whole context length always."""

    format: Literal[2] = FORMAT
    spec: EncoderSpec
    tokenizer: TokenizerRecord
    cut: bool
    bits: Literal[7, 8] = 8
    """Of the weights in int8. Eight need a processor that sums products of bytes exactly; see `processor`."""
    files: dict[str, Kept]
    versions: dict[str, str]

    @property
    def towers(self) -> tuple[Towers, ...]:
        """Every pair of towers that was exported, fp32 first; small towers and those of convolutions have no int8
        form."""
        return tuple(Towers(text=text, image=image) for image in self._forms("image") for text in self._forms("text"))

    def _forms(self, tower: Tower) -> tuple[Arithmetic, ...]:
        return ("fp32", "int8") if graph(tower, "int8") in self.files else ("fp32",)


def graph(tower: Tower, arithmetic: Arithmetic) -> str:
    """The file of a tower; its weights lie in one beside it, called the same with `.data`."""
    return f"{tower}.onnx" if arithmetic == "fp32" else f"{tower}-{arithmetic}.onnx"


def kept(path: Path) -> Kept:
    with path.open("rb") as file:
        return Kept(bytes=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def read_record(folder: Path) -> ExportRecord:
    """Of the export in a directory; its files are not looked at.

    Raises InputError when there is none, and for one of another format.
    """
    path = folder / RECORD
    try:
        return ExportRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise InputError(f"{path} is not the record of an export of format {FORMAT}.") from error


def demand_intact(folder: Path, record: ExportRecord, towers: Iterable[Towers]) -> None:
    """Raises InputError for the first file of these towers that is missing or was changed; every byte is read."""
    for name in _files(record, towers):
        path = folder / name
        if name not in record.files:
            raise InputError(f"{folder} has no {name}: this tower was not exported in that arithmetic.")
        try:
            intact = path.stat().st_size == record.files[name].bytes and kept(path) == record.files[name]
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from error
        if not intact:
            raise InputError(f"{path} is damaged: it differs from what was exported.")


def _files(record: ExportRecord, towers: Iterable[Towers]) -> list[str]:
    graphs = {name for one in towers for name in (graph("text", one.text), graph("image", one.image))}
    return [TOKENIZER, *sorted(graphs), *sorted(f"{name}.data" for name in graphs if f"{name}.data" in record.files)]
