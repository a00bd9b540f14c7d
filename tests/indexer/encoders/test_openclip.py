"""The open_clip adapter, on a model of a few thousand parameters."""

import gzip
import json
import logging
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file

from indexer.domain import Pixels
from indexer.encoders import KNOWN_MODELS, Encoder, EncoderSettings, open_encoder
from indexer.errors import HubUnreachable, InputError, SettingsError, UnknownModel
from tests.indexer.encoders.tiny import CONFIG, CONFIGURATION, MERGES, WEIGHTS, save_tiny

CLOSE = 2e-5
"""Two orders of the same float32 sums."""
TEXTS = ["red mug", "a blue shoe for rainy days", "", "Größe 42"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def encoder(tiny: Path) -> Encoder:
    return open_encoder(str(tiny))


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """Of the model, to be damaged."""
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def photo(height: int = 32, width: int = 32) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)], axis=-1).astype(np.uint8)


def configured(directory: Path, **changes: object) -> None:
    """Change members of the model's configuration, by their path with dots."""
    configuration = deepcopy(CONFIGURATION)
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner: dict[str, Any] = configuration
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    (directory / CONFIG).write_text(json.dumps(configuration))


def test_what_the_encoder_says_of_itself(encoder: Encoder, tiny: Path) -> None:
    spec = encoder.spec

    assert (spec.name, spec.dim, spec.context_length, spec.precision) == (str(tiny), 24, 16, "fp32")
    assert (spec.fit.size, spec.fit.mode, spec.fit.interpolation) == ((32, 32), "shortest", "bilinear")
    assert spec.scale == pytest.approx(1.12602, abs=1e-4), "exp of the logit_scale that the weights hold"
    assert (spec.identity.name, spec.identity.fingerprint, spec.identity.dim) == (str(tiny), spec.fingerprint, 24)


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_unit_vectors_of_float32(encoder: Encoder, count: int) -> None:
    for rows in (encoder.encode_images([photo()] * count), encoder.encode_texts(TEXTS[:count])):
        assert rows.shape == (count, 24)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_nothing_gives_no_rows(encoder: Encoder) -> None:
    assert encoder.encode_images([]).shape == (0, 24)
    assert encoder.encode_texts([]).shape == (0, 24)


def test_the_first_numbers_are_pinned(encoder: Encoder) -> None:
    """Weights are numpy's, so these change only with the model code, the tokenizer or the preprocessing."""
    image, text = encoder.encode_images([photo()])[0], encoder.encode_texts(["red mug"])[0]

    np.testing.assert_allclose(image[:4], [-0.39146, 0.38661, -0.11779, 0.06322], atol=1e-4)
    np.testing.assert_allclose(text[:4], [-0.04372, -0.14958, -0.31894, -0.03999], atol=1e-4)


def test_images_and_texts_are_encoded_as_open_clip_does(encoder: Encoder, tiny: Path) -> None:
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tiny}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tiny}", bpe_path=str(tiny / MERGES))
    picture = photo(50, 90)
    with torch.inference_mode():
        image = model.eval().encode_image(preprocess(Image.fromarray(picture)).unsqueeze(0), normalize=True)
        texts = model.encode_text(tokenizer(TEXTS), normalize=True)

    np.testing.assert_allclose(encoder.encode_images([picture]), image.numpy(), atol=CLOSE)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), texts.numpy(), atol=CLOSE)


def test_a_batch_gives_what_its_items_give_alone(tiny: Path) -> None:
    in_twos = open_encoder(EncoderSettings(name=str(tiny), batch_size=2))
    pictures = [photo(), photo()[::-1].copy(), photo(40, 33), photo()[:, ::-1].copy(), photo(64, 64)]
    alone = [in_twos.encode_images([picture])[0] for picture in pictures]

    np.testing.assert_allclose(in_twos.encode_images(pictures), alone, atol=CLOSE)
    np.testing.assert_allclose(
        in_twos.encode_texts(TEXTS), [in_twos.encode_texts([text])[0] for text in TEXTS], atol=CLOSE
    )


def test_long_texts_are_cut_at_the_context_length(encoder: Encoder) -> None:
    short, long, longer = encoder.encode_texts(["red " * 3, "red " * 50, "red " * 500])

    np.testing.assert_allclose(long, longer, atol=CLOSE)
    assert np.abs(short - long).max() > 1e-3


def test_photos_that_differ_have_vectors_that_differ(encoder: Encoder) -> None:
    one, other = encoder.encode_images([photo(), 255 - photo()])

    assert np.abs(one - other).max() > 1e-3


def test_opening_says_nothing(tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_encoder(str(tiny)).encode_texts(["red mug"])

    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_the_fingerprint_is_of_what_makes_the_vectors_not_of_where_they_lie(encoder: Encoder, copy: Path) -> None:
    assert open_encoder(str(copy)).spec.fingerprint == encoder.spec.fingerprint


@pytest.mark.parametrize("part", ["weights", "configuration", "preprocessing", "merges"])
def test_the_fingerprint_changes_with(part: str, encoder: Encoder, copy: Path) -> None:
    match part:
        case "weights":
            weights = load_file(copy / WEIGHTS)
            weights["logit_scale"] += 1e-3
            save_file(weights, copy / WEIGHTS)
        case "configuration":
            configured(copy, model_cfg__quick_gelu=True)
        case "preprocessing":
            configured(copy, preprocess_cfg__mean=[0.5, 0.4, 0.31])
        case "merges":
            (copy / MERGES).write_bytes(gzip.compress(b"#version: 0.2\nr e\nre d</w>\ng r"))

    assert open_encoder(str(copy)).spec.fingerprint != encoder.spec.fingerprint


def test_weights_that_can_run_code_are_never_loaded(copy: Path) -> None:
    (copy / WEIGHTS).rename(copy / "open_clip_pytorch_model.bin")

    with pytest.raises(InputError, match=r"open_clip_pytorch_model\.bin can run code .* convert .* safetensors"):
        open_encoder(str(copy))


def test_a_directory_without_weights_says_which_file_it_needs(copy: Path) -> None:
    (copy / WEIGHTS).unlink()

    with pytest.raises(InputError, match=f"has no {WEIGHTS}; convert"):
        open_encoder(str(copy))


def test_a_directory_without_a_configuration_says_which_file_it_needs(copy: Path) -> None:
    (copy / CONFIG).unlink()

    with pytest.raises(InputError, match=f"has no {CONFIG}"):
        open_encoder(str(copy))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"model_cfg": 1}'])
def test_a_configuration_of_something_else_is_refused(copy: Path, content: str) -> None:
    (copy / CONFIG).write_text(content)

    with pytest.raises(InputError, match=CONFIG):
        open_encoder(str(copy))


@pytest.mark.parametrize("named", ["../merges.txt.gz", "/etc/passwd", "sub/merges.txt.gz"])
def test_merges_are_only_taken_from_the_models_own_directory(copy: Path, named: str) -> None:
    configured(copy, model_cfg__text_cfg__tokenizer_kwargs={"bpe_path": named})

    with pytest.raises(InputError, match="bare file name"):
        open_encoder(str(copy))


def test_missing_merges_are_named(copy: Path) -> None:
    (copy / MERGES).unlink()

    with pytest.raises(InputError, match=f"merges file {MERGES} is missing"):
        open_encoder(str(copy))


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    configured(copy, model_cfg__embed_dim=48)

    with pytest.raises(InputError, match=f"{WEIGHTS} does not fit its configuration: .*text_projection"):
        open_encoder(str(copy))


def test_a_model_configuration_that_open_clip_does_not_know_is_refused(copy: Path) -> None:
    configured(copy, model_cfg__towers=3)

    with pytest.raises(InputError, match="does not fit its configuration"):
        open_encoder(str(copy))


def test_a_preprocessing_that_open_clip_does_not_know_is_refused(copy: Path) -> None:
    configured(copy, preprocess_cfg__rotate=90)

    with pytest.raises(InputError, match="preprocess_cfg"):
        open_encoder(str(copy))


def test_damaged_weights_are_refused(copy: Path) -> None:
    whole = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InputError, match=WEIGHTS):
        open_encoder(str(copy))


def test_an_unknown_name_lists_the_known_models() -> None:
    with pytest.raises(UnknownModel) as refused:
        open_encoder("ViT-X/nobody")

    assert all(model.name in str(refused.value) for model in KNOWN_MODELS)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What HF_HUB_OFFLINE=1 and an empty HF_HOME set when the library is imported."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("no_hub")
def test_weights_of_another_activation_are_refused_before_anything_is_fetched() -> None:
    with pytest.raises(InputError, match="use ViT-L-14-quickgelu/openai"):
        open_encoder("ViT-L-14/openai")


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("name", ["hf-hub:Marqo/marqo-ecommerce-embeddings-B", "ViT-L-14-quickgelu/openai"])
def test_an_unreachable_hub_is_said_with_the_way_round_it(name: str) -> None:
    with pytest.raises(HubUnreachable, match=f"could not fetch open_clip_.* of .*put {CONFIG} and {WEIGHTS} into"):
        open_encoder(name)


@pytest.mark.usefixtures("no_hub")
def test_a_hub_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(UnknownModel, match="hf-hub:OWNER/NAME"):
        open_encoder("hf-hub:no/such/thing at all")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:3", "toaster"])
def test_a_device_that_is_not_there_is_refused(tiny: Path, device: str) -> None:
    with pytest.raises(SettingsError, match=f"encoder.device: '{device}' is not available"):
        open_encoder(EncoderSettings(name=str(tiny), device=device))


def test_half_precision_needs_a_gpu(tiny: Path) -> None:
    with pytest.raises(SettingsError, match=r"encoder\.precision: fp16 needs a GPU"):
        open_encoder(EncoderSettings(name=str(tiny), device="cpu", precision="fp16"))


def test_bfloat16_on_a_cpu_stays_near_full_precision(encoder: Encoder, tiny: Path) -> None:
    half = open_encoder(EncoderSettings(name=str(tiny), device="cpu", precision="bf16"))
    images, texts = half.encode_images([photo()]), half.encode_texts(["red mug"])

    assert half.spec.precision == "bf16"
    assert half.spec.fingerprint == encoder.spec.fingerprint
    assert images.dtype == texts.dtype == np.float32
    assert float((images @ encoder.encode_images([photo()]).T).item()) > 0.999
    assert float((texts @ encoder.encode_texts(["red mug"]).T).item()) > 0.999


def test_importing_encoders_does_not_import_torch() -> None:
    script = "import sys, indexer.encoders; sys.exit(bool({'torch', 'open_clip'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
