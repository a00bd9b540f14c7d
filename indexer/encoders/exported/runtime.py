"""An exported encoder, run by ONNX Runtime: the seam of `indexer.encoders` without torch."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from indexer.domain import Matrix, Pixels
from indexer.encoders.exported.processor import sums_bytes_exactly
from indexer.encoders.exported.record import (
    TOKENIZER,
    ExportRecord,
    Tower,
    Towers,
    demand_intact,
    graph,
    read_record,
)
from indexer.encoders.exported.tokenizing import Tokenizer, open_tokenizer
from indexer.encoders.framing import framed
from indexer.encoders.lengths import alike
from indexer.encoders.seam import EncoderSpec
from indexer.errors import InputError
from indexer.images.decoders import cores

PHOTOS: Final = 4
"""Of one run. What a transformer computes of more of them falls out of a core's cache, and fewer are too little for one
product: in int8 ViT-B/32 takes a tenth less for a photo than with sixteen, ViT-L/14 the same with two."""
_WARNINGS = 3
"""ONNX Runtime's severity from which it speaks: errors."""
_REFUSALS = (raised.Fail, raised.InvalidGraph, raised.InvalidProtobuf, raised.NoSuchFile, raised.NotImplemented)
_FAILURES = (raised.Fail, raised.InvalidArgument, raised.RuntimeException, raised.EPFail, raised.NotImplemented)


class ExportedEncoder:
    """Load with `open_exported`. Calls may come from any thread; a tower is opened by the first that needs it."""

    def __init__(self, record: ExportRecord, tokenizer: Tokenizer, text: "_Graph", image: "_Graph", batch: int) -> None:
        self.spec: EncoderSpec = record.spec
        self._tokenizer = tokenizer
        self._step = 8 if record.cut else record.spec.context_length
        self._text = text
        self._image = image
        self._batch = batch

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        rows = np.empty((len(images), self.spec.dim), np.float32)
        step = min(self._batch, PHOTOS)
        for start in range(0, len(images), step):
            photos = framed(images[start : start + step], self.spec.fit)
            rows[start : start + step] = self._image.run(photos)
        return rows

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        rows = np.empty((len(texts), self.spec.dim), np.float32)
        tokens = self._tokenizer(texts)
        lengths = [len(one) for one in tokens]
        for places, length in alike(lengths, self._batch, self.spec.context_length, self._step):
            padded = np.zeros((len(places), length), np.int64)
            for row, place in zip(padded, places, strict=True):
                row[: lengths[place]] = tokens[place]
            rows[places] = self._text.run(padded)
        return rows


class _Graph:
    """One tower's file, opened by the first run."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = threads
        self._lock = Lock()

    def run(self, given: Any) -> Matrix:
        """Raises InputError for a graph that cannot be opened or run."""
        with self._lock:
            session = self._session
        try:
            rows: Matrix = session.run(None, {session.get_inputs()[0].name: given})[0]
        except _FAILURES as error:
            raise InputError(f"{self._path} cannot be run: {_line(error)}") from error
        return rows

    @cached_property
    def _session(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _WARNINGS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(self._path, options, providers=["CPUExecutionProvider"])
        except _REFUSALS as error:
            raise InputError(f"{self._path} cannot be opened: {_line(error)}") from error


def open_exported(folder: Path, towers: Towers, threads: int | None = None, batch: int = 64) -> ExportedEncoder:
    """The encoder exported to `folder`; `threads` for each tower, all cores when None.

    Every byte of the towers' files is compared with what was exported; the graphs are opened when first needed.
    Raises InputError for a directory without an export, a tower that was not exported so, damaged files, and int8
    from a machine whose sums of bytes this one's processor would not give.
    """
    record = read_record(folder)
    if record.bits == 8 and "int8" in (towers.text, towers.image) and not sums_bytes_exactly():
        raise InputError(f"{folder} was exported on a processor that computes with bytes more exactly than this one.")
    demand_intact(folder, record, [towers])
    tokenizer = open_tokenizer(folder / TOKENIZER, record.tokenizer)

    def tower(name: Tower) -> _Graph:
        return _Graph(folder / graph(name, getattr(towers, name)), threads or cores())

    return ExportedEncoder(record, tokenizer, tower("text"), tower("image"), batch)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
