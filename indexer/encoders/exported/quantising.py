"""Towers in int8: matrices of weights as bytes, each column with its own scale, and activations scaled as they come."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Final

from indexer.encoders.exported.record import NotExportable, Tower, graph

SMALL: Final = 16 << 20
"""Bytes of a tower's weights up to which a call takes a millisecond or two as it is: rounding would let products that
are nearly alike change places, for a gain that nobody feels."""
_MULTIPLIED = ("MatMul", "Gemm")


def quantise(folder: Path, bits: int, small: int) -> None:
    """Write the int8 graphs beside those of an export, with 7 or 8 bits for a weight. A tower of up to `small` bytes,
    or whose weights are convolutions, gets none.

    Raises NotExportable.
    """
    if _bytes(folder, "text") > small:
        _quantised(folder, "text", bits)
    if _bytes(folder, "image") > small and _share_multiplied(folder / graph("image", "fp32")) > 0.5:
        _quantised(folder, "image", bits)


def _quantised(folder: Path, tower: Tower, bits: int) -> None:
    from onnx.shape_inference import InferenceError
    from onnxruntime.quantization import QuantType, quantize_dynamic

    try:
        with _silent():
            quantize_dynamic(
                folder / graph(tower, "fp32"),
                folder / graph(tower, "int8"),
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                reduce_range=bits == 7,
                weight_type=QuantType.QInt8,
                use_external_data_format=True,
            )
    except (RuntimeError, ValueError, TypeError, InferenceError) as error:
        raise NotExportable(f"its {tower} tower cannot be written in int8: {error}") from error


def _bytes(folder: Path, tower: Tower) -> int:
    """Of a tower's graph and weights, as they are."""
    return sum(path.stat().st_size for path in folder.glob(f"{tower}.onnx*"))


def _share_multiplied(path: Path) -> float:
    """Of a graph's weights, the part that stands in matrix products."""
    import onnx

    inner = onnx.load(path, load_external_data=False).graph
    sizes = {weight.name: prod(weight.dims) for weight in inner.initializer}
    multiplied = {name for node in inner.node if node.op_type in _MULTIPLIED for name in node.input}
    share: float = sum(size for name, size in sizes.items() if name in multiplied) / max(1, sum(sizes.values()))
    return share


@contextmanager
def _silent() -> Iterator[None]:
    """The quantiser warns on the root logger that graphs could be prepared first; torch's exporter has done it."""
    logger = logging.getLogger()
    logger.addFilter(_never)
    try:
        yield
    finally:
        logger.removeFilter(_never)


def _never(_: logging.LogRecord) -> bool:
    return False
