"""How the showroom model is built and trained, in numbers; no torch here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from indexer.showroom.bpe import BASE_SYMBOLS, MERGES_FILE, SPECIAL_SYMBOLS
from indexer.showroom.training_looks import training_family
from indexer.showroom.wordlists import SHOP_WORDS
from indexer.showroom.words import caption

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
CARD_FILE = "card.json"


@dataclass(frozen=True)
class Recipe:
    """Model, data and schedule.

    A batch holds `batch_kinds` × `batch_families` × `batch_variants` products, each as a studio view, a photo and
    `captions` texts: families of one kind and variants of one family are each other's hard negatives. `kinship` is
    the share of a photo's target that goes to its family's other variants. The `head_` numbers are for the second part,
    in which the text tower and the image head learn from finished features: families of so many kinds with all their
    variants, features disturbed by so many standard deviations, photos counting so much beside texts.
    """

    size: int = 112
    tower: str = "test_resnet"
    dim: int = 192
    text_width: int = 192
    text_layers: int = 2
    text_heads: int = 4
    context: int = 64
    merges: int = 1200
    families: int = 9_000
    variants: int = 4
    batch_kinds: int = 8
    batch_families: int = 4
    batch_variants: int = 3
    captions: int = 2
    rate: float = 3e-3
    decay: float = 0.05
    warm_up: float = 0.04
    kinship: float = 0.1
    head_kinds: int = 12
    head_families: int = 10
    head_rate: float = 1.5e-3
    head_noise: float = 0.1
    head_photos: float = 0.5
    seed: int = 7

    @property
    def batch(self) -> int:
        """Products in a batch."""
        return self.batch_kinds * self.batch_families * self.batch_variants

    def vocabulary(self, merges: int) -> int:
        """Size of the token table for that many merges."""
        return BASE_SYMBOLS + merges + SPECIAL_SYMBOLS


def open_clip_config(recipe: Recipe, vocabulary: int) -> dict[str, Any]:
    """The content of open_clip_config.json; the merges file is named without its directory."""
    vision = {"timm_model_name": recipe.tower, "timm_pool": "avg", "timm_proj": "mlp", "image_size": recipe.size}
    text = {
        "context_length": recipe.context,
        "vocab_size": vocabulary,
        "tokenizer_kwargs": {"bpe_path": MERGES_FILE},
        "width": recipe.text_width,
        "heads": recipe.text_heads,
        "layers": recipe.text_layers,
    }
    return {
        "model_cfg": {"embed_dim": recipe.dim, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "longest",
            "fill_color": 255,
        },
    }


def merge_corpus(recipe: Recipe, captions: int = 20_000) -> Sequence[str]:
    """Texts that the byte-pair merges are learned from: training captions and words that shops use."""
    rng = Random(f"merges|{recipe.seed}")
    looks = [look for number in range(2_400) for look in training_family(number, 2)]
    return [caption(rng.choice(looks), rng).text for _ in range(captions)] + list(SHOP_WORDS) * 20


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, for the model's card."""
    return asdict(recipe)
