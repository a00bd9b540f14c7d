"""Exports of open_clip models of a few thousand parameters, against the models themselves."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from indexer.domain import Pixels
from indexer.encoders import Encoder, EncoderSettings, open_encoder
from indexer.encoders.exported.exporting import export
from indexer.encoders.exported.record import FORMAT, NotExportable, Towers, read_record
from indexer.encoders.exported.runtime import open_exported
from indexer.errors import InputError
from tests.indexer.encoders.tiny import CONFIGURATION, save_tiny

CLOSE = 2e-5
TEXTS = ["red mug", "a blue shoe for rainy days " * 3, "", "red " * 50, "Größe 42 <end_of_text> blue", "r"]
FP32, INT8 = Towers(), Towers(text="int8", image="int8")


def photo(height: int = 32, width: int = 32) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)], axis=-1).astype(np.uint8)


PHOTOS = [photo(), photo()[::-1].copy(), photo(40, 33), 255 - photo(), photo(64, 64)]


def opened(directory: Path, **settings: Any) -> Any:
    return open_encoder(EncoderSettings(name=str(directory), device="cpu", **settings))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a vision transformer most of whose weights are not its patches'."""
    configured = deepcopy(CONFIGURATION)
    configured["model_cfg"]["vision_cfg"] |= {"patch_size": 8}
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny", configuration=configured)


@pytest.fixture(scope="module")
def encoder(model: Path) -> Any:
    return opened(model)


@pytest.fixture(scope="module")
def exported(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "tiny"
    export(encoder, folder, TEXTS, small=0)
    return folder


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """Of the export, to be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_the_export_encodes_as_the_model_does(encoder: Encoder, exported: Path) -> None:
    ours = open_exported(exported, FP32, threads=1, batch=2)

    np.testing.assert_allclose(ours.encode_texts(TEXTS), encoder.encode_texts(TEXTS), atol=CLOSE)
    np.testing.assert_allclose(ours.encode_images(PHOTOS), encoder.encode_images(PHOTOS), atol=CLOSE)


def test_in_int8_it_stays_near(encoder: Encoder, exported: Path) -> None:
    ours = open_exported(exported, INT8, threads=1, batch=64)
    texts = np.sum(ours.encode_texts(TEXTS) * encoder.encode_texts(TEXTS), axis=1)
    images = np.sum(ours.encode_images(PHOTOS) * encoder.encode_images(PHOTOS), axis=1)

    assert 0.98 < texts.min() < texts.max() < 1 - 1e-6
    assert 0.98 < images.min() < images.max() < 1 - 1e-6


def test_rows_are_unit_vectors_of_float32_and_nothing_gives_none(exported: Path) -> None:
    ours = open_exported(exported, Towers(text="int8"), threads=None, batch=64)

    for rows in (ours.encode_texts(TEXTS), ours.encode_images(PHOTOS)):
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert ours.encode_texts([]).shape == ours.encode_images([]).shape == (0, 24)


def test_it_says_of_itself_what_the_model_says(encoder: Encoder, exported: Path) -> None:
    record = read_record(exported)

    assert open_exported(exported, FP32).spec == encoder.spec
    assert record.cut
    assert record.towers == (FP32, Towers(text="int8"), Towers(image="int8"), INT8)
    assert {"torch", "onnxruntime"} < record.versions.keys()


def test_threads_that_come_at_once_are_all_answered(encoder: Encoder, exported: Path) -> None:
    ours, gate = open_exported(exported, FP32, threads=1, batch=64), Barrier(4)

    def encode(number: int) -> Any:
        gate.wait()
        return ours.encode_texts([TEXTS[number]])[0]

    with ThreadPoolExecutor(4) as threads:
        rows = list(threads.map(encode, range(4)))

    np.testing.assert_allclose(rows, encoder.encode_texts(TEXTS[:4]), atol=CLOSE)


WITHOUT_TORCH = """
import sys
from pathlib import Path
import numpy as np
from indexer.encoders.exported.record import Towers
from indexer.encoders.exported.runtime import open_exported

encoder = open_exported(Path(sys.argv[1]), Towers(), 1, 8)
encoder.encode_texts(["red mug"]), encoder.encode_images([np.zeros((32, 32, 3), np.uint8)])
print(sorted({"torch", "open_clip", "torchvision", "onnx", "onnxscript", "transformers", "ftfy"} & set(sys.modules)))
"""


def test_encoding_needs_no_torch(exported: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(exported)], capture_output=True, text=True, check=False
    )

    assert (ran.stdout, ran.stderr) == ("[]\n", "")


@pytest.mark.parametrize("name", ["text.onnx", "text.onnx.data", "image.onnx", "image.onnx.data", "tokenizer.json"])
def test_a_damaged_file_is_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)

    with pytest.raises(InputError, match=f"{name} is damaged"):
        open_exported(copy, FP32)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "image-int8.onnx").unlink()

    with pytest.raises(InputError, match=r"image-int8\.onnx cannot be read"):
        open_exported(copy, INT8)
    open_exported(copy, FP32)


def test_a_directory_without_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"encoder\.json cannot be read"):
        open_exported(tmp_path, FP32)


@pytest.mark.parametrize(
    "change", [{"format": FORMAT - 1}, {"format": FORMAT + 1}, {"format": None}, {"spec": {}}, {"run": "this"}]
)
def test_the_record_of_another_format_is_refused(copy: Path, change: dict[str, object]) -> None:
    record = json.loads((copy / "encoder.json").read_text()) | change
    (copy / "encoder.json").write_text(json.dumps(record))

    with pytest.raises(InputError, match=f"not the record of an export of format {FORMAT}"):
        open_exported(copy, FP32)


def test_a_graph_that_cannot_be_run_is_named(copy: Path) -> None:
    record = json.loads((copy / "encoder.json").read_text())
    record["tokenizer"]["end"] = 1_000_000
    (copy / "encoder.json").write_text(json.dumps(record))

    with pytest.raises(InputError, match=r"text\.onnx cannot be run: .*out of"):
        open_exported(copy, FP32).encode_texts(["red mug"])


def test_an_intact_export_stays(encoder: Any, copy: Path) -> None:
    made = (copy / "text.onnx.data").stat().st_mtime_ns
    record = export(encoder, copy, TEXTS, small=0)

    assert record == read_record(copy)
    assert (copy / "text.onnx.data").stat().st_mtime_ns == made


@pytest.mark.parametrize(("bits", "refused"), [(8, True), (7, False)])
def test_int8_is_not_computed_where_it_would_overflow(
    bits: int, refused: bool, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads((copy / "encoder.json").read_text()) | {"bits": bits}
    (copy / "encoder.json").write_text(json.dumps(record))
    monkeypatch.setattr("indexer.encoders.exported.runtime.sums_bytes_exactly", lambda: False)

    open_exported(copy, FP32)
    with pytest.raises(InputError, match="more exactly than this one") if refused else nullcontext():
        open_exported(copy, INT8)


def test_half_precision_is_not_exported(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NotExportable, match="full precision"):
        export(opened(model, precision="bf16"), tmp_path / "export", TEXTS)

    assert list(tmp_path.iterdir()) == []


def test_a_tower_of_convolutions_stays_fp32_and_a_text_tower_that_sees_ahead_gets_its_padding(
    copy: Path, tmp_path: Path
) -> None:
    """Exported over a damaged export of something else, which it replaces."""
    (copy / "text.onnx.data").write_bytes(b"")
    configured = deepcopy(CONFIGURATION)
    configured["model_cfg"]["vision_cfg"] = {"timm_model_name": "test_resnet", "timm_pool": "avg", "image_size": 32}
    configured["model_cfg"]["text_cfg"] |= {"no_causal_mask": True}
    encoder = opened(save_tiny(tmp_path / "model", configuration=configured))
    record = export(encoder, copy, TEXTS, small=0)
    ours = open_exported(copy, FP32)

    assert record.towers == (FP32, Towers(text="int8"))
    assert not record.cut
    np.testing.assert_allclose(ours.encode_texts(TEXTS), encoder.encode_texts(TEXTS), atol=CLOSE)
    np.testing.assert_allclose(ours.encode_images(PHOTOS), encoder.encode_images(PHOTOS), atol=CLOSE)
    with pytest.raises(InputError, match="not exported in that arithmetic"):
        open_exported(copy, INT8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "model"]
