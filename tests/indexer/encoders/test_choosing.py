"""What an export is used for, and when torch stays: nothing is gained by it that would change an answer."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder, EncoderSettings
from indexer.encoders.choice import Choice, Measured, Pace, Runtime, Tried, folder_of, read_choice
from indexer.encoders.choosing import exports_wanted, open_chosen
from indexer.encoders.devices import SIGNS, on_cpu, shows_gpu
from indexer.encoders.exported.record import FORMAT, ExportRecord, NotExportable, TokenizerRecord, Towers, graph, kept
from indexer.encoders.exports import Exports
from indexer.encoders.measuring import Sample
from indexer.errors import InputError, SettingsError
from tests.fakes import COLOURS, FakeEncoder

FP32, INT8 = Towers(), Towers(text="int8", image="int8")
INT8_TEXT, INT8_IMAGE = Towers(text="int8"), Towers(image="int8")
PAIRS = (FP32, INT8_TEXT, INT8_IMAGE, INT8)
ONNX, AUTO = EncoderSettings(runtime="onnx", device="cpu"), EncoderSettings(device="cpu")


def measured(
    torch: tuple[float, float] = (40, 70),
    fp32: tuple[float, float] = (25, 60),
    int8: tuple[float, float] = (5, 12),
    agreeing: Sequence[Towers] = PAIRS,
) -> Measured:
    """Milliseconds for a text and for a photo."""
    paces: dict[Runtime, tuple[float, float]] = {"torch": torch, "fp32": fp32, "int8": int8}
    return Measured(
        texts=128,
        photos=64,
        paces={name: Pace(text=text / 1e3, photo=photo / 1e3) for name, (text, photo) in paces.items()},
        tried=tuple(Tried(towers=towers, agrees=towers in agreeing, figures={}) for towers in PAIRS),
    )


@pytest.mark.parametrize(
    ("catalogs", "towers"),
    [
        ([measured()], INT8),
        ([measured(agreeing=[FP32, INT8_TEXT])], INT8_TEXT),
        ([measured(agreeing=[FP32, INT8_TEXT, INT8_IMAGE])], INT8_IMAGE),
        ([measured(int8=(24, 12))], INT8_IMAGE),
        ([measured(int8=(30, 70))], FP32),
        ([measured(), measured(agreeing=[FP32, INT8_IMAGE])], INT8_IMAGE),
        ([measured(agreeing=[INT8_TEXT]), measured(agreeing=[INT8_IMAGE])], None),
        ([measured(agreeing=[])], None),
        ([], None),
    ],
    ids=[
        "the fastest",
        "that agrees",
        "or the faster of two",
        "int8 pays for the photos only",
        "int8 is slower",
        "in every catalog",
        "no pair agrees in both",
        "nothing agrees",
        "nothing was measured",
    ],
)
def test_the_fastest_towers_that_agree_in_every_catalog_are_chosen(
    catalogs: list[Measured], towers: Towers | None
) -> None:
    assert Choice(catalogs=dict(zip("abc", catalogs, strict=False))).towers(at_any_pace=False) == towers


@pytest.mark.parametrize(
    ("torch", "towers"),
    [((22, 50), FP32), ((19, 60), None), ((25, 40), None)],
    ids=["a little slower", "slow texts", "slow photos"],
)
def test_an_export_that_is_much_slower_than_torch_is_left_alone_unless_it_is_asked_for(
    torch: tuple[float, float], towers: Towers | None
) -> None:
    choice = Choice(catalogs={"shop": measured(torch, fp32=(25, 60), int8=(25, 60))})
    assert choice.towers(at_any_pace=False) == towers
    assert choice.towers(at_any_pace=True) == FP32


def test_a_catalog_without_photos_gives_no_reason_for_another_arithmetic_of_photos() -> None:
    choice = Choice(catalogs={"shop": measured((40, 0), (25, 0), (5, 0))})
    assert choice.towers(at_any_pace=False) == INT8_TEXT


@pytest.mark.parametrize("sign", [*SIGNS, ""])
def test_a_machine_shows_whether_it_may_have_a_gpu(tmp_path: Path, sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    if sign:
        path = tmp_path / sign.replace("[0-9]*", "0").replace("*", "0000:01:00.0")
        path.parent.mkdir(parents=True)
        path.touch()
    assert shows_gpu(tmp_path) is bool(sign)


@pytest.mark.parametrize(("device", "is_cpu"), [("cpu", True), ("cpu,cpu", True), ("cuda", False), ("cuda:1", False)])
def test_a_device_that_is_named_needs_no_look_at_the_machine(device: str, is_cpu: bool) -> None:
    assert on_cpu(device) is is_cpu


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"device": "cpu"}, True),
        ({"device": "cpu", "precision": "fp32", "runtime": "onnx"}, True),
        ({"device": "cpu", "precision": "bf16"}, False),
        ({"device": "cpu", "runtime": "torch"}, False),
        ({"device": "cuda"}, False),
    ],
)
def test_exports_take_torchs_place_on_a_cpu_and_in_full_precision(settings: dict[str, str], wanted: bool) -> None:
    assert exports_wanted(EncoderSettings.model_validate(settings)) is wanted


@pytest.mark.parametrize("other", [{"device": "cuda:1"}, {"precision": "bf16"}])
def test_onnx_runtime_on_a_gpu_or_in_half_precision_is_refused_by_the_settings(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="computes on a CPU"):
        EncoderSettings.model_validate({"runtime": "onnx", **other})


def test_onnx_runtime_is_refused_where_the_devices_turn_out_to_be_gpus() -> None:
    settings = EncoderSettings(runtime="onnx").model_copy(update={"device": "cuda"})
    with pytest.raises(SettingsError, match=r"set encoder\.device to cpu or encoder\.runtime to auto"):
        exports_wanted(settings)


class Works:
    """Where exports are made and opened: files that hold nothing, and encoders that are FakeEncoders.

    `drift` is how far each tower's int8 form is from torch's; a form that is not as fast sleeps.
    """

    def __init__(self, home: Path, drift: float = 0.0, refusal: str = "", encoder: FakeEncoder | None = None) -> None:
        self.home = home
        self.torch = encoder or FakeEncoder()
        self.folder = folder_of(home, self.torch.spec.identity)
        self.made: list[int] = []
        self.drawn: list[str] = []
        self._drift = drift
        self._refusal = refusal

    def encoder_for(self, catalog: str, settings: EncoderSettings = ONNX, photos: int = 24) -> Encoder:
        exports = Exports(self.home, settings, self.torch, self.export, self.open)

        def draw() -> Sample:
            self.drawn.append(catalog)
            return sample(photos)

        return exports.encoder_for(catalog, draw)

    def export(self, encoder: Encoder, folder: Path, texts: Sequence[str]) -> None:
        if self._refusal:
            raise NotExportable(self._refusal)
        folder.mkdir()
        names = ["text.onnx", "text-int8.onnx", "image.onnx", "image-int8.onnx"]
        for name in names:
            (folder / name).write_bytes(b"weights")
        record = ExportRecord(
            spec=encoder.spec,
            tokenizer=TokenizerRecord(clean="lower", specials=(), start=1, end=2, context_length=77),
            cut=True,
            files={name: kept(folder / name) for name in names},
            versions={},
        )
        (folder / "encoder.json").write_text(record.model_dump_json())
        self.made.append(len(texts))

    def open(self, folder: Path, towers: Towers, threads: int | None, batch: int) -> "Opened":
        for name in (graph("text", towers.text), graph("image", towers.image)):
            if (folder / name).read_bytes() != b"weights":
                raise InputError(f"{folder / name} is damaged: it differs from what was exported.")
        return Opened(towers, self.torch, self._drift)


class Opened(FakeEncoder):
    def __init__(self, towers: Towers, torch: FakeEncoder, drift: float) -> None:
        super().__init__()
        self.spec = replace(torch.spec)
        self.towers = towers
        self._drift = drift

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self._computed(super().encode_texts(texts), self.towers.text)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._computed(super().encode_images(images), self.towers.image)

    def _computed(self, rows: Matrix, arithmetic: str) -> Matrix:
        if arithmetic == "fp32":
            time.sleep(0.01)
            return rows
        off = np.random.default_rng(0).standard_normal(rows.shape).astype(np.float32)
        drifted = rows + self._drift * off / np.linalg.norm(off, axis=1, keepdims=True)
        unit: Matrix = drifted / np.linalg.norm(drifted, axis=1, keepdims=True)
        return unit


def sample(photos: int) -> Sample:
    colours = list(COLOURS)
    texts = tuple(f"{colours[number % len(colours)]} mug {number}" for number in range(48))
    drawn = [np.full((32, 32, 3), COLOURS[colours[number % len(colours)]], np.uint8) for number in range(photos)]
    for number, photo in enumerate(drawn):
        photo[0, 0] = number
    return Sample(texts, tuple(drawn))


def towers_of(encoder: Encoder) -> Towers | None:
    return encoder.towers if isinstance(encoder, Opened) else None


def test_a_first_build_exports_and_measures_once_and_later_ones_use_what_was_chosen(tmp_path: Path) -> None:
    works = Works(tmp_path)

    assert towers_of(works.encoder_for("shop")) == INT8
    assert towers_of(works.encoder_for("shop")) == INT8
    assert (works.made, works.drawn) == ([48], ["shop"])
    kept_measures = read_choice(works.folder).catalogs["shop"]
    assert (kept_measures.texts, kept_measures.photos) == (48, 24)


def test_another_catalog_is_measured_with_the_same_export(tmp_path: Path) -> None:
    works = Works(tmp_path)
    works.encoder_for("shop")
    works.encoder_for("outlet", photos=0)

    assert (works.made, works.drawn) == ([48], ["shop", "outlet"])
    assert set(read_choice(works.folder).catalogs) == {"shop", "outlet"}


def test_int8_that_answers_differently_is_not_chosen(tmp_path: Path) -> None:
    works = Works(tmp_path, drift=0.5)

    assert towers_of(works.encoder_for("shop")) == FP32
    assert [one.agrees for one in read_choice(works.folder).catalogs["shop"].tried] == [True, False, False, False]


def test_what_cannot_be_exported_is_told_once_a_build_and_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    works = Works(tmp_path, refusal="its tokenizer has no like.")
    for _ in range(2):
        assert works.encoder_for("shop") is works.torch

    assert works.drawn == ["shop"]
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told == ["Torch encodes for fake: its tokenizer has no like."] * 2
    assert open_chosen(tmp_path, works.torch.spec.identity, ONNX) is None


@pytest.mark.parametrize("damage", ["text-int8.onnx", "encoder.json", "../choice.json"])
def test_a_damaged_export_is_made_and_measured_again_by_the_next_build(tmp_path: Path, damage: str) -> None:
    works = Works(tmp_path)
    works.encoder_for("shop")
    (works.folder / "export" / damage).write_bytes(b"torn")

    assert towers_of(works.encoder_for("shop")) == INT8
    assert works.drawn == ["shop", "shop"]
    assert towers_of(works.encoder_for("shop")) == INT8
    assert works.drawn == ["shop", "shop"], "it is intact again"


@pytest.mark.parametrize(("settings", "drift", "towers"), [(ONNX, 0.0, INT8), (AUTO, 9.0, None)])
def test_an_export_of_an_older_format_is_made_and_measured_again_whether_it_was_chosen_or_not(
    settings: EncoderSettings, drift: float, towers: Towers | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    works = Works(tmp_path, drift)
    works.encoder_for("shop", settings)
    record = json.loads((works.folder / "export" / "encoder.json").read_text()) | {"format": FORMAT - 1}
    (works.folder / "export" / "encoder.json").write_text(json.dumps(record))

    assert [towers_of(works.encoder_for("shop", settings)) for _ in range(2)] == [towers, towers]
    assert works.drawn == ["shop", "shop"]
    assert (
        f"looked at again: {works.folder}/export/encoder.json is not the record of an export of format" in caplog.text
    )


@pytest.mark.parametrize("damage", ["export/encoder.json", "choice.json"])
def test_queries_pass_over_a_damaged_export_and_say_so(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    works = Works(tmp_path)
    works.encoder_for("shop")
    (works.folder / damage).write_text(json.dumps({"torn": True}))

    assert open_chosen(tmp_path, works.torch.spec.identity, ONNX) is None
    assert [one.levelno for one in caplog.records] == [logging.WARNING]
    assert "Torch encodes for fake until the next build exports it again" in caplog.text


def test_a_full_disk_costs_the_export_and_not_the_build(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    works = Works(tmp_path)

    def full(encoder: Encoder, folder: Path, texts: Sequence[str]) -> None:
        raise OSError(28, "No space left on device")

    exports = Exports(tmp_path, ONNX, works.torch, full, works.open)
    assert exports.encoder_for("shop", lambda: sample(0)) is works.torch
    assert "No space left on device" in caplog.text


def test_an_empty_catalogue_has_nothing_to_measure(tmp_path: Path) -> None:
    works = Works(tmp_path)
    exports = Exports(tmp_path, ONNX, works.torch, works.export, works.open)

    assert exports.encoder_for("shop", lambda: Sample((), ())) is works.torch
    assert works.made == []


def test_the_same_weights_under_another_name_have_an_export_of_their_own(tmp_path: Path) -> None:
    works = Works(tmp_path)
    renamed = FakeEncoder()
    renamed.spec = replace(renamed.spec, name="elsewhere")

    assert folder_of(tmp_path, renamed.spec.identity) != works.folder
    assert folder_of(tmp_path, renamed.spec.identity).name[:16] == works.folder.name[:16]
