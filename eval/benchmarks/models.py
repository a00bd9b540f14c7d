"""Models to measure with, made once: random weights in a published shape, and their export. Torch is imported by the
first call."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from eval.benchmarks.results import wordings
from indexer.encoders.exported.record import read_record
from indexer.errors import InputError
from indexer.settings import EncoderSettings

if TYPE_CHECKING:
    from indexer.encoders.openclip import OpenClipEncoder


def random_model(directory: Path, architecture: str) -> Path:
    """That architecture with random weights, always the same, in open_clip's directory format; made where it is not."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    weights = directory / "open_clip_model.safetensors"
    if weights.is_file():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": {}}
    (directory / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    logging.disable(logging.WARNING)  # "No pretrained weights loaded" is the point
    model = open_clip.create_model(architecture)
    logging.disable(logging.NOTSET)
    unfinished = directory / "unfinished"
    save_file({name: one.contiguous() for name, one in model.state_dict().items()}, unfinished)
    unfinished.rename(weights)
    return directory


def by_torch(name: str) -> "OpenClipEncoder":
    """On a CPU at full precision, with all cores."""
    from indexer.encoders.openclip import open_openclip

    return open_openclip(EncoderSettings(name=name, device="cpu", precision="fp32"))


def random_export(work: Path, architecture: str) -> tuple["OpenClipEncoder", Path]:
    """`random_model` by torch, and where its export is; both are kept in `work`. Raises NotExportable."""
    name = architecture.lower()
    encoder = by_torch(str(random_model(work / name, architecture)))
    return encoder, exported(encoder, work / f"{name}-export", wordings(64))


def exported(encoder: "OpenClipEncoder", folder: Path, texts: list[str]) -> Path:
    """The folder with the encoder's export in it, as it was found there if it is of the same weights.

    Raises NotExportable.
    """
    from indexer.encoders.exported.exporting import export

    try:
        if read_record(folder).spec.fingerprint == encoder.spec.fingerprint:
            return folder
    except InputError:
        pass
    export(encoder, folder, texts)
    return folder
