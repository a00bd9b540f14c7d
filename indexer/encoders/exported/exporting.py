"""From an open_clip model to an export; only builds come here, for it needs torch and takes seconds."""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from indexer.encoders.cuda import from_bytes
from indexer.encoders.exported.lean import OPSET, lean_image, lean_text
from indexer.encoders.exported.processor import sums_bytes_exactly
from indexer.encoders.exported.quantising import SMALL, quantise
from indexer.encoders.exported.record import (
    RECORD,
    TOKENIZER,
    ExportRecord,
    NotExportable,
    demand_intact,
    graph,
    kept,
    read_record,
)
from indexer.encoders.exported.retokenizing import retokenized
from indexer.encoders.openclip import OpenClipEncoder
from indexer.errors import InputError

_PACKAGES = ("torch", "open_clip_torch", "onnx", "onnxscript", "onnxruntime", "tokenizers")
_LARGEST_BATCH = 1 << 16


def export(encoder: OpenClipEncoder, folder: Path, texts: Sequence[str], small: int = SMALL) -> ExportRecord:
    """Write the encoder's towers and its tokenizer to `folder`, whole or not at all; those above `small` bytes in int8
    too.

    An intact export that is there already stays, a damaged one is replaced. `texts` are some that it will be asked
    for; they must be tokenized without torch as with it. Raises NotExportable.
    """
    if encoder.device.type != "cpu" or encoder.spec.precision != "fp32":
        raise NotExportable("only encoders on a CPU at full precision are exported")
    there = _intact(folder)
    if there is not None:
        return there
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        record = _write(encoder, Path(beside) / "export", texts, small)
        return _put(Path(beside), folder) or record


def _write(encoder: OpenClipEncoder, folder: Path, texts: Sequence[str], small: int) -> ExportRecord:
    folder.mkdir()
    tokenizer = retokenized(encoder.tokenizer, folder / TOKENIZER, texts)
    _export_text(encoder, folder / graph("text", "fp32"))
    _export_image(encoder, folder / graph("image", "fp32"))
    bits: Literal[7, 8] = 8 if sums_bytes_exactly() else 7
    quantise(folder, bits, small)
    record = ExportRecord(
        spec=encoder.spec,
        tokenizer=tokenizer,
        cut=encoder.causal is not None,
        bits=bits,
        files={path.name: kept(path) for path in sorted(folder.iterdir())},
        versions={package: version(package) for package in _PACKAGES},
    )
    (folder / RECORD).write_text(record.model_dump_json(indent=2))
    return record


def _export_text(encoder: OpenClipEncoder, path: Path) -> None:
    longest = encoder.spec.context_length
    dynamic = {0: torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)}
    if encoder.causal:
        dynamic[1] = torch.export.Dim("length", min=2, max=longest)
    _export(_Text(encoder), torch.zeros((2, longest), dtype=torch.long), dynamic, path)


def _export_image(encoder: OpenClipEncoder, path: Path) -> None:
    photos = torch.zeros((2, *encoder.spec.fit.size, 3), dtype=torch.uint8)
    _export(_Image(encoder), photos, {0: torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)}, path)


class _Text(torch.nn.Module):
    """Tokens (n, length) to unit rows (n, dim)."""

    def __init__(self, encoder: OpenClipEncoder) -> None:
        super().__init__()
        self._cut = lean_text(encoder.causal) if encoder.causal else None
        self._model: Any = None if encoder.causal else encoder.model

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        features = self._cut(tokens) if self._cut else self._model.encode_text(tokens)
        return torch.nn.functional.normalize(features, dim=-1)


class _Image(torch.nn.Module):
    """Photos (n, height, width, 3) of bytes to unit rows (n, dim)."""

    def __init__(self, encoder: OpenClipEncoder) -> None:
        super().__init__()
        self._tower = encoder.model.visual
        self._normalisation = (encoder.mean, encoder.std)
        self._lean = lean_image(self._tower, self._normalisation)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        if self._lean:
            return torch.nn.functional.normalize(self._lean(photos), dim=-1)
        return from_bytes(self._tower, self._normalisation, torch.float32)(photos)


def _export(module: torch.nn.Module, example: torch.Tensor, dynamic: dict[int, Any], path: Path) -> None:
    try:
        with _silent(), torch.no_grad():
            program: Any = torch.onnx.export(
                module.eval(),
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["given"],
                output_names=["rows"],
                dynamic_shapes=(dynamic,),
                verbose=False,
            )
        for node in program.model.graph.all_nodes():  # where in which source file each comes from
            node.metadata_props.clear()
        program.save(path, external_data=True)
    except (torch.onnx.OnnxExporterError, RuntimeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise NotExportable(f"torch cannot write its {path.stem} tower as ONNX: {reason}") from error


@contextmanager
def _silent() -> Iterator[None]:
    """The exporter tells of its own parts' deprecations, and of constants it folded."""
    logger = logging.getLogger("onnxscript")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _put(beside: Path, folder: Path) -> ExportRecord | None:
    """Of two exports at once the first stays, and its record is returned."""
    if folder.exists():
        first = _intact(folder)
        if first is not None:
            return first
        os.rename(folder, beside / "damaged")
    try:
        os.rename(beside / "export", folder)
    except OSError:
        first = _intact(folder)
        if first is None:
            raise
        return first
    return None


def _intact(folder: Path) -> ExportRecord | None:
    """What is said of an export all of whose files are as they were written."""
    try:
        record = read_record(folder)
        demand_intact(folder, record, record.towers)
    except InputError:
        return None
    return record
