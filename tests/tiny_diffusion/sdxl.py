"""SDXL of a few thousand random parameters, saved as the real one is, with tokenizers made on the spot."""

from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

MADE: Final[Any] = diffusers
WIDTH = 16
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_sdxl(folder: Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    MADE.StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config()),
        text_encoder_2=CLIPTextModelWithProjection(text_config()),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=unet(context=2 * WIDTH, numbers=6),
        scheduler=scheduler(),
    ).save_pretrained(folder)


def write_refiner(folder: Path) -> None:
    """SDXL's refiner: with the second text encoder alone, and told how fine a picture is to be."""
    torch.manual_seed(31)
    MADE.StableDiffusionXLImg2ImgPipeline(
        vae=vae(),
        text_encoder=None,
        text_encoder_2=CLIPTextModelWithProjection(text_config()),
        tokenizer=None,
        tokenizer_2=tokenizer(),
        unet=unet(context=WIDTH, numbers=5),
        scheduler=scheduler(),
        requires_aesthetics_score=True,
    ).save_pretrained(folder)


def unet(context: int, numbers: int) -> Any:
    """Conditioned on the text encoders side by side, on so many numbers, and on the second encoder's pooled text."""
    each = 8
    return MADE.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 1),
        cross_attention_dim=context,
        addition_embed_type="text_time",
        addition_time_embed_dim=each,
        projection_class_embeddings_input_dim=numbers * each + WIDTH,
    )


def vae(**changed: Any) -> Any:
    """Four blocks: eight pixels a latent, as the real one has. Its decoder is made loud, for all but grey."""
    made = MADE.AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
        mid_block_add_attention=False,
        **{"scaling_factor": 0.13025, **changed},
    )
    torch.nn.init.normal_(made.decoder.conv_out.weight, std=0.3)
    return made


def scheduler() -> Any:
    """As SDXL base brings it along."""
    return MADE.EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1
    )


def text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=2 + 2 * len(LETTERS),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def tokenizer() -> CLIPTokenizer:
    """Knows letters, within words and at their ends."""
    words = ("<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS))
    return CLIPTokenizer(
        vocab={word: place for place, word in enumerate(words)},
        merges=[],
        model_max_length=77,
    )
