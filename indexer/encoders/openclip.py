"""open_clip models behind the encoder seam: the only place of the query and build paths that imports torch."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import numpy as np
import open_clip
import torch
from open_clip.factory import load_checkpoint
from open_clip.transform import PreprocessCfg
from safetensors import SafetensorError

from indexer.domain import Matrix, Pixels
from indexer.encoders.cuda import on_gpu
from indexer.encoders.cutting import causal_text
from indexer.encoders.framing import framed
from indexer.encoders.lengths import alike
from indexer.encoders.openclip_files import CONFIG, ModelFiles, fingerprint, locate, merges_file, read_config
from indexer.encoders.seam import EncoderSpec
from indexer.errors import InputError, SettingsError
from indexer.images.fit import Fit
from indexer.settings import EncoderSettings

Precision = Literal["fp32", "fp16", "bf16"]

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_STEP = 8
_STEP_ON_GPU = 32
"""Tokens that lengths of texts are rounded up to; a GPU would rather compute some padding than small batches."""


class OpenClipEncoder:
    """Load with `open_openclip`. Calls may come from any thread, one at a time being fastest."""

    def __init__(
        self,
        spec: EncoderSpec,
        model: Any,
        tokenizer: Any,
        normalisation: tuple[torch.Tensor, torch.Tensor],
        batch: int,
    ) -> None:
        self.spec = spec
        self.model = model
        self.tokenizer = tokenizer
        self.causal = causal_text(model)
        """The text tower for texts without their padding; None where that would change the answer."""
        self.mean, self.std = normalisation
        self._batch = batch
        self._fixed = on_gpu(model, normalisation, self._dtype, spec.fit, batch)

    @property
    def device(self) -> torch.device:
        return self.mean.device

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        if self._fixed and images:
            return self._fixed(images)
        rows = np.empty((len(images), self.spec.dim), np.float32)
        with torch.inference_mode():
            for start in range(0, len(images), self._batch):
                rows[start : start + self._batch] = self._image_batch(images[start : start + self._batch])
        return rows

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        rows = np.empty((len(texts), self.spec.dim), np.float32)
        if not texts:
            return rows
        tokens = self.tokenizer(list(texts))
        whole = self.spec.context_length
        lengths = self.causal.lengths(tokens) if self.causal else [whole] * len(texts)
        step = _STEP if self.device.type == "cpu" else _STEP_ON_GPU
        with torch.inference_mode():
            for places, length in alike(lengths, self._batch, whole, step):
                rows[places] = self._text_batch(tokens[places, :length])
        return rows

    def _image_batch(self, images: Sequence[Pixels]) -> Matrix:
        pixels = torch.from_numpy(framed(images, self.spec.fit)).to(self.device).permute(0, 3, 1, 2)
        normal = (pixels.float() / 255.0 - self.mean) / self.std
        with self._autocast():
            return _rows(self.model.encode_image(normal.to(self._dtype), normalize=False))

    def _text_batch(self, tokens: torch.Tensor) -> Matrix:
        given = tokens.to(self.device)
        with self._autocast():
            return _rows(self.causal(given) if self.causal else self.model.encode_text(given, normalize=False))

    @property
    def _dtype(self) -> torch.dtype:
        return torch.float32 if self.device.type == "cpu" else _DTYPES[self.spec.precision]

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.device.type == "cpu" and self.spec.precision != "fp32":
            return torch.autocast("cpu", _DTYPES[self.spec.precision])
        return nullcontext()


def open_openclip(settings: EncoderSettings) -> OpenClipEncoder:
    """Load the model the settings name.

    Raises UnknownModel, HubUnreachable, SettingsError for a device that is not there, InputError for unusable files.
    """
    files = locate(settings.name)
    device = _device(settings.device)
    precision = _precision(settings.precision, device)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    architecture = files.architecture or f"local-dir:{files.directory}"
    config = _model_config(files)
    model = _model(files, architecture, precision, device)
    tokenizer = _tokenizer(files, architecture, config)
    framing = _framing(files, model.visual.image_size)
    spec = EncoderSpec(
        name=files.name,
        fingerprint=fingerprint(files, config),
        dim=int(config["embed_dim"]),
        context_length=int(tokenizer.context_length),
        fit=_fit(framing),
        precision=precision,
        scale=float(model.logit_scale.exp()),
    )
    normalisation = (_per_channel(framing.mean, device), _per_channel(framing.std, device))
    return OpenClipEncoder(spec, model, tokenizer, normalisation, settings.batch_size)


def gpus() -> tuple[str, ...]:
    """Every GPU of this machine by its name in torch."""
    return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"encoder.device: {wanted!r} is not available here; use auto, cpu or cuda.") from error
    return device


def _precision(wanted: str, device: torch.device) -> Precision:
    """fp32 on a CPU, where torch is fastest with it at batch one; bf16 on a GPU that has it, else fp16."""
    if wanted == "fp16" and device.type == "cpu":
        raise SettingsError("encoder.precision: fp16 needs a GPU; use auto, fp32 or bf16 on a CPU.")
    if wanted in _DTYPES:
        return wanted  # type: ignore[return-value]
    if device.type == "cpu":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def _model_config(files: ModelFiles) -> dict[str, Any]:
    if files.directory is None:
        config: dict[str, Any] = open_clip.get_model_config(files.architecture)
        return config
    inner: dict[str, Any] = read_config(files.directory / CONFIG)["model_cfg"]
    return inner


def _model(files: ModelFiles, architecture: str, precision: Precision, device: torch.device) -> Any:
    stored = precision if device.type != "cpu" else "fp32"
    try:
        with _unsaid(logging.getLogger()):
            model = open_clip.create_model(
                architecture, load_weights=False, pretrained_text=False, precision=stored, device=device
            )
        load_checkpoint(model, str(files.weights))
    except (RuntimeError, ValueError, KeyError, TypeError, AssertionError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{files.name}: {files.weights.name} does not fit its configuration: {reason}") from error
    return model.eval().requires_grad_(False)


@contextmanager
def _unsaid(logger: logging.Logger) -> Iterator[None]:
    """open_clip warns of random weights when it is not the one to load them; here they are loaded right after."""

    def other(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("No pretrained weights loaded")

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def _tokenizer(files: ModelFiles, architecture: str, config: dict[str, Any]) -> Any:
    merges = merges_file(files, config)
    arguments = {"bpe_path": str(merges)} if merges else {}
    try:
        return open_clip.get_tokenizer(architecture, **arguments)
    except ImportError as error:
        raise SettingsError(
            f"{files.name} needs the transformers tokenizers: pip install 'vitrine[transformers]'."
        ) from error


def _framing(files: ModelFiles, size: int | tuple[int, int]) -> PreprocessCfg:
    try:
        return PreprocessCfg(**{**files.preprocess, "size": size})
    except (TypeError, AssertionError) as error:
        raise InputError(f"{files.name}: preprocess_cfg is not one of open_clip's: {error}.") from error


def _fit(framing: Any) -> Fit:
    height, width = (framing.size, framing.size) if isinstance(framing.size, int) else framing.size
    return Fit((int(height), int(width)), framing.resize_mode, framing.interpolation, (framing.fill_color,) * 3)


def _per_channel(values: Sequence[float], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)


def _rows(features: torch.Tensor) -> Matrix:
    unit = torch.nn.functional.normalize(features.float(), dim=-1)
    rows: Matrix = unit.cpu().numpy()
    return rows
