"""Pipelines of diffusers, loaded on first use and kept; those of the same weights share what they are made of."""

import inspect
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.fetching import Fetches
from service.generate.diffusion.weights import (
    INDEX,
    NotHere,
    UnusableWeights,
    Weights,
    located,
    repository_of,
    tokenizer_of,
    verify,
)

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "fp16", "bf16"]
Offload = Literal["none", "model", "sequential"]
_NAMES: Final = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
_HALF: Final = "fp16"
"""Variant of the hub's files that is half as large; for every precision but fp32."""
_LOADS: Final = threading.RLock()
"""diffusers replaces functions of torch while it loads, for all threads."""
SAFELY: Final[Mapping[str, bool]] = {"use_safetensors": True, "local_files_only": True}
"""How everything is read that comes from a directory: no pickle, and nothing fetched beside it."""


@dataclass(frozen=True)
class Target:
    """Where a pipeline runs, and how exactly it computes."""

    device: "torch.device"
    precision: Precision

    @property
    def dtype(self) -> "torch.dtype":
        import torch

        dtype: torch.dtype = getattr(torch, _NAMES[self.precision])
        return dtype

    @property
    def on_gpu(self) -> bool:
        return self.device.type != "cpu"


def target(settings: DiffusionSettings) -> Target:
    """Raises UnusableWeights for a device that is not there, and for fp16 on a CPU, which has no arithmetic for it."""
    import torch

    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(automatic if settings.device == "auto" else settings.device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UnusableWeights(
            f"generate.diffusion.device: {settings.device!r} is not available here; use auto, cpu or cuda."
        ) from error
    if settings.precision != "auto":
        if settings.precision == "fp16" and device.type == "cpu":
            raise UnusableWeights("generate.diffusion.precision: fp16 needs a GPU; use auto, fp32 or bf16 on a CPU.")
        return Target(device, settings.precision)
    if device.type == "cpu":
        return Target(device, "fp32")
    has_bf16 = device.type != "cuda" or torch.cuda.is_bf16_supported()
    return Target(device, "bf16" if has_bf16 else "fp16")


@dataclass(eq=False)
class Shared:
    """What the pipelines of the same weights have in common.

    One call at a time runs on them: diffusers moves and converts parts of a pipeline while it runs. Hold `turn`.
    """

    weights: Weights
    offload: Offload
    """As set, or further where memory did not do."""
    batch: int
    """Pictures at once; as set, or 1 where memory did not do."""
    turn: threading.RLock = field(default_factory=threading.RLock)
    base: Any = None
    pipes: dict[str, Any] = field(default_factory=dict)


class Loader:
    """Thread-safe. Nothing is loaded before it is asked for."""

    def __init__(self, settings: DiffusionSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._of_hub: dict[tuple[str, str], Weights] = {}
        self._weights: Fetches[Weights] = Fetches()
        self._tokenizers: Fetches[Path] = Fetches()
        self._shared: dict[Weights, Shared] = {}
        logging.getLogger("diffusers.models.modeling_utils").addFilter(_meant)

    @property
    def target(self) -> Target:
        """Found on first use. Raises UnusableWeights."""
        if self._target is None:
            self._target = target(self.settings)
        return self._target

    @property
    def batch(self) -> int:
        """Pictures at once; on a CPU, which gains nothing by it, one unless it is set. Raises UnusableWeights."""
        gains = self.target.on_gpu or "batch" in self.settings.model_fields_set
        return self.settings.batch if gains else 1

    def located(self, name: str, marker: str = INDEX) -> Weights:
        """The weights that a setting names; a directory is looked through each time, and the hub asked for what is not
        on this machine. Raises UnusableWeights, soon, where that takes long; see `Fetches`."""
        known = self._of_hub.get((name, marker))
        if known is not None:
            return known
        try:
            found = located(name, marker, here=True)
        except NotHere:
            found = self._weights.get((name, marker), lambda: located(name, marker))
        if found.folder is None:
            self._of_hub[name, marker] = found
        return found

    def tokenizer(self, weights: Weights, name: str) -> Path:
        """The directory of one of their tokenizers. Raises UnusableWeights as `located` does."""
        try:
            return tokenizer_of(weights, name, here=True)
        except NotHere:
            return self._tokenizers.get((weights, name), lambda: tokenizer_of(weights, name))

    def shared(self, weights: Weights) -> Shared:
        with self._lock:
            fresh = Shared(weights, self.settings.offload, self.batch)
            return self._shared.setdefault(weights, fresh)

    def pipe(self, weights: Weights, class_name: str, key: str = "", **parts: Any) -> Any:
        """The pipeline of that class of diffusers with those weights; raises UnusableWeights.

        `parts` are components that are not among the weights, or stand for those; pipelines with other parts go by
        another `key`. It is not placed on a device yet, see `memory`.
        """
        shared = self.shared(weights)
        with shared.turn:
            key = f"{class_name} {key}"
            if key not in shared.pipes:
                shared.pipes[key] = self._made(self._base(shared), class_name, parts)
            pipe = shared.pipes[key]
            if pipe.vae.dtype != self.target.dtype:  # a call was broken off while it had more bits, to decode
                pipe.remove_all_hooks()
                pipe.vae.to(self.target.dtype)
            return pipe

    def make_room(self, wanted: Shared) -> bool:
        """Take what others than these weights have off the GPU, where they are not at work; whether there was any."""
        with self._lock:
            others = [shared for shared in self._shared.values() if shared is not wanted and shared.pipes]
        moved = False
        for shared in others:
            if shared.turn.acquire(blocking=False):
                try:
                    moved |= _leave(shared.pipes.values())
                finally:
                    shared.turn.release()
        return moved

    def drop(self, shared: Shared) -> None:
        """Let go of what is loaded of these weights."""
        with self._lock:
            self._shared.pop(shared.weights, None)

    def forget(self) -> None:
        """Let go of everything that is loaded."""
        self._weights.close()
        self._tokenizers.close()
        with self._lock:
            self._shared.clear()

    def _made(self, base: Any, class_name: str, parts: dict[str, Any]) -> Any:
        """Of the components and options of `base`, which stays as it is.

        Not by `from_pipe`, which converts everything to one precision; layers of T5 need more than half.
        """
        import diffusers

        made_by = getattr(diffusers, class_name)
        options = {**base.config, **base.components, **parts}
        taken = inspect.signature(made_by.__init__).parameters
        with loading(class_name):
            pipe = made_by(**{name: option for name, option in options.items() if name in taken})
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _base(self, shared: Shared) -> Any:
        """As the weights' own index describes it."""
        if shared.base is None:
            import diffusers

            library: Any = diffusers
            folder = shared.weights.folder or self._downloaded(shared.weights)
            verify(folder)
            with loading(shared.weights.name):
                shared.base = library.DiffusionPipeline.from_pretrained(
                    folder, dtype=self.target.dtype, variant=self._variant(folder), **SAFELY
                )
            if self.settings.compile:
                (shared.base.unet if hasattr(shared.base, "unet") else shared.base.transformer).compile()
        return shared.base

    def _variant(self, folder: Path) -> str | None:
        """The smaller files, where they are what is wanted or all there is."""
        halves = {path.parent for path in folder.glob(f"*/*.{_HALF}*.safetensors")}
        wholes = {path.parent for path in folder.glob("*/*.safetensors") if f".{_HALF}" not in path.name}
        return _HALF if halves and (self.target.precision != "fp32" or halves - wholes) else None

    def _downloaded(self, weights: Weights) -> Path:
        """Of just the revision that was found before; in half precision the smaller files, where there are any."""
        from diffusers import DiffusionPipeline
        from huggingface_hub.errors import HfHubHTTPError

        repository, _ = repository_of(weights.name)
        wanted = {"revision": weights.revision, "use_safetensors": True}
        try:
            if self.target.precision != "fp32":
                try:
                    return Path(DiffusionPipeline.download(repository, variant=_HALF, **wanted))
                except ValueError:  # there are none
                    pass
            return Path(DiffusionPipeline.download(repository, **wanted))
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise UnusableWeights(
                f"{weights.name}: could not fetch it from the hub ({type(error).__name__}). Check the network, or "
                "download the repository and give its directory."
            ) from error


@contextmanager
def loading(name: str) -> Iterator[None]:
    """While models are loaded: one thing at a time, quietly, and what goes wrong is UnusableWeights."""
    import diffusers
    import transformers

    libraries: tuple[Any, ...] = (diffusers, transformers)
    for library in libraries:
        library.utils.logging.disable_progress_bar()
    with reading(name), _LOADS:
        yield


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What goes wrong while files are read is UnusableWeights."""
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError,
        ValueError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        SafetensorError,
    ) as error:
        reason = " ".join(str(error).split())[:300]
        raise UnusableWeights(f"{name}: the weights do not load ({type(error).__name__}: {reason}).") from error


def _leave(pipes: Iterable[Any]) -> bool:
    """Whether any of them was on a GPU."""
    there = [pipe for pipe in pipes if pipe.device.type not in ("cpu", "meta")]
    for pipe in there:
        pipe.remove_all_hooks()
        pipe.to("cpu")
    return bool(there)


def _meant(record: logging.LogRecord) -> bool:
    """Not what is said each time a VAE is converted to decode, as diffusers' own pipelines do, that none of its layers
    needs more bits."""
    return not record.getMessage().startswith("There are modules in") or ": []." not in record.getMessage()
