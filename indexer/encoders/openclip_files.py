"""From an encoder's name to the files open_clip loads: safetensors only, and no network but for hub models."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.encoders.known import KNOWN_MODELS
from indexer.errors import HubUnreachable, InputError, UnknownModel

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
"""Names open_clip's own loader looks for, most preferred first."""

SHOWROOM = Path(__file__).parent.parent / "showroom" / "model"
_HUB = "hf-hub:"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class ModelFiles:
    """`directory` holds the configuration; for an open_clip pair it is absent and `architecture` names it instead."""

    name: str
    weights: Path
    directory: Path | None
    architecture: str | None
    preprocess: dict[str, Any]


def locate(name: str) -> ModelFiles:
    """Find `showroom`, a directory, `hf-hub:OWNER/REPO` or an open_clip `ARCHITECTURE/PRETRAINED` pair.

    Raises UnknownModel, InputError for a directory that cannot be used, HubUnreachable for a missing hub file.
    """
    if name == "showroom":
        return _in_directory(name, SHOWROOM)
    if name.startswith(_HUB):
        return _on_hub(name)
    directory = Path(name).expanduser()
    if directory.is_dir():
        return _in_directory(str(directory.resolve()), directory.resolve())
    return _pair(name)


def demand_known(name: str) -> None:
    """What `locate` says of a name before it asks the hub. Raises UnknownModel, InputError."""
    directory = SHOWROOM if name == "showroom" else Path(name).expanduser()
    if name.startswith(_HUB):
        repository = name.removeprefix(_HUB)
        if not _REPOSITORY.fullmatch(repository):
            raise _no_repository(name, repository)
    elif directory.is_dir():
        _in_directory(name, directory)
    else:
        _published(name)


def fingerprint(files: ModelFiles, model_config: dict[str, Any]) -> str:
    """SHA-256 over weights, model configuration, preprocessing and a tokenizer's own merges file."""
    digest = hashlib.sha256(json.dumps([model_config, files.preprocess], sort_keys=True).encode())
    merges = merges_file(files, model_config)
    for path in filter(None, (files.weights, merges)):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def merges_file(files: ModelFiles, model_config: dict[str, Any]) -> Path | None:
    """The BPE merges a model directory brings along; open_clip would look for it in the working directory."""
    named = model_config.get("text_cfg", {}).get("tokenizer_kwargs", {}).get("bpe_path")
    if named is None or files.directory is None:
        return None
    if Path(named).name != named:
        raise InputError(
            f"{files.name}: tokenizer_kwargs.bpe_path must be a bare file name inside the model directory."
        )
    path = files.directory / str(named)
    if not path.is_file():
        raise InputError(f"{files.name}: the tokenizer's merges file {named} is missing from {files.directory}.")
    return path


def _in_directory(name: str, directory: Path) -> ModelFiles:
    config = directory / CONFIG
    if not config.is_file():
        raise InputError(f"{directory} has no {CONFIG}; an encoder directory needs it beside its .safetensors weights.")
    weights = next((directory / file for file in WEIGHTS if (directory / file).is_file()), None)
    if weights is None:
        unsafe = sorted(path.name for path in directory.iterdir() if path.suffix in {".bin", ".pth", ".pt"})
        found = f" ({', '.join(unsafe)} can run code when opened and is never loaded)" if unsafe else ""
        raise InputError(f"{directory} has no {WEIGHTS[0]}{found}; convert the weights to safetensors.")
    return ModelFiles(name, weights, directory, None, read_config(config).get("preprocess_cfg", {}))


def read_config(path: Path) -> dict[str, Any]:
    """Raises InputError when it is not an open_clip configuration."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("model_cfg"), dict):
        raise InputError(f"{path} has no model_cfg; it is not an open_clip configuration.")
    return content


def _on_hub(name: str) -> ModelFiles:
    repository = name.removeprefix(_HUB)
    config = _fetch(name, repository, CONFIG)
    weights = _fetch(name, repository, WEIGHTS[0])
    return ModelFiles(name, weights, config.parent, None, read_config(config).get("preprocess_cfg", {}))


def _pair(name: str) -> ModelFiles:
    architecture, repository, pretrained = _published(name)
    weights = _fetch(name, repository, WEIGHTS[0])
    keys = ("mean", "std", "interpolation", "resize_mode")
    preprocess = {key: pretrained[key] for key in keys if key in pretrained}
    return ModelFiles(name, weights, None, architecture, preprocess)


def _published(name: str) -> tuple[str, str, dict[str, Any]]:
    """Of an open_clip pair: architecture, hub repository, how it was trained. Raises UnknownModel, InputError."""
    from open_clip import get_model_config
    from open_clip.pretrained import get_pretrained_cfg

    architecture, _, tag = name.partition("/")
    config = get_model_config(architecture)
    pretrained = get_pretrained_cfg(architecture, tag) if config is not None else None
    if not config or not pretrained:
        known = ", ".join(row.name for row in KNOWN_MODELS)
        raise UnknownModel(f"No encoder named {name!r}: not a directory, nor an open_clip pair. Known models: {known}.")
    if bool(pretrained.get("quick_gelu")) != bool(config.get("quick_gelu")):
        raise InputError(
            f"{name}: these weights were trained with another activation than {architecture} has; "
            f"use {architecture}-quickgelu/{tag}."
        )
    repository = str(pretrained.get("hf_hub", "")).split("/")[:2]
    if len(repository) < 2:
        raise InputError(f"{name}: these weights are not published as safetensors; choose another pretrained tag.")
    return architecture, "/".join(repository), pretrained


def _no_repository(name: str, repository: str) -> UnknownModel:
    return UnknownModel(f"{name}: {repository!r} is not a hub repository; write hf-hub:OWNER/NAME.")


def _fetch(name: str, repository: str, file: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repository, file))
    except HFValidationError as error:
        raise _no_repository(name, repository) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise HubUnreachable(
            f"{name}: could not fetch {file} of {repository} ({type(error).__name__}). Check the network, or put "
            f"{CONFIG} and {WEIGHTS[0]} into a directory by hand and give its path as the encoder."
        ) from error
