"""An open_clip model of a few thousand parameters, saved as a directory the way real ones are."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
from safetensors.numpy import save_file

from indexer.domain import Matrix

MERGES = "tiny_merges.txt.gz"
WEIGHTS = "open_clip_model.safetensors"
CONFIG = "open_clip_config.json"

CONFIGURATION: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 517,
            "width": 32,
            "heads": 2,
            "layers": 1,
            "tokenizer_kwargs": {"bpe_path": MERGES},
        },
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "interpolation": "bilinear"},
}


def save_tiny(directory: Path, seed: int = 0, configuration: dict[str, Any] = CONFIGURATION) -> Path:
    """Write configuration, merges and weights; the weights come from numpy's generator, so no torch version counts."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CONFIG).write_text(json.dumps(configuration))
    (directory / MERGES).write_bytes(gzip.compress(b"#version: 0.2\nr e\nre d</w>\nb l", mtime=0))
    random = np.random.default_rng(seed)
    weights = {
        name: _drawn(random, tuple(tensor.shape)) for name, tensor in sorted(_empty(directory).state_dict().items())
    }
    save_file(weights, directory / WEIGHTS)
    return directory


def _empty(directory: Path) -> Any:
    return open_clip.create_model(f"local-dir:{directory}", load_weights=False, pretrained_text=False)


def _drawn(random: np.random.Generator, shape: tuple[int, ...]) -> Matrix:
    return random.normal(0.02, 0.3, shape).astype(np.float32)
