"""FLUX of a few thousand random parameters, saved as the real one is, with a tokenizer made on the spot."""

from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextModel, T5Config, T5EncoderModel, T5Tokenizer

from tests.tiny_diffusion.sdxl import LETTERS, MADE, WIDTH, text_config, tokenizer, vae

LATENT_CHANNELS = 4


def write_schnell(folder: Path) -> None:
    """FLUX.1 schnell: from words alone, distilled without guidance."""
    MADE.FluxPipeline(**_components(guided=False)).save_pretrained(folder)


def write_kontext(folder: Path) -> None:
    """FLUX.1 Kontext: edits an image as it is told."""
    MADE.FluxKontextPipeline(**_components(guided=True)).save_pretrained(folder)


def _components(*, guided: bool) -> dict[str, Any]:
    torch.manual_seed(21)
    return {
        "scheduler": MADE.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=guided),
        "vae": vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1159, scaling_factor=0.3611),
        "transformer": _transformer(guided=guided),
        "text_encoder": CLIPTextModel(text_config()),
        "tokenizer": tokenizer(),
        **_t5(),
    }


def _transformer(*, guided: bool) -> Any:
    """Its channels are those of 2 × 2 packed latents."""
    return MADE.FluxTransformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guided,
    )


def _t5() -> dict[str, Any]:
    """A unigram model of letters and a few words."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(f"▁{word}", -1.0) for word in ("but", "blue", "red", "shirt")] + [(letter, -4.0) for letter in LETTERS]
    config = T5Config(
        vocab_size=len(pieces),
        d_model=WIDTH,
        d_kv=8,
        d_ff=WIDTH,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return {
        "text_encoder_2": T5EncoderModel(config),
        "tokenizer_2": T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512),
    }
