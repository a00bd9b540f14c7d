"""ControlNets, an IP-Adapter and a depth estimator of a few thousand random parameters, saved as real ones are."""

from pathlib import Path
from typing import Any, Final

import torch
import transformers
from safetensors.torch import save_file

from tests.tiny_diffusion.sdxl import MADE, WIDTH

MODELS: Final[Any] = transformers
IMAGE_TOKENS = 4
"""Of an IP-Adapter's image, in the cross-attention."""


def write_controlnet(folder: Path, base: Path, seed: int) -> None:
    """One for the UNet of `base`, a directory of SDXL. A ControlNet begins with weights of zero, which steer nothing;
    these are not zero."""
    torch.manual_seed(seed)
    unet = MADE.UNet2DConditionModel.from_pretrained(base / "unet")
    control = MADE.ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    for silent in (*control.controlnet_down_blocks, control.controlnet_mid_block):
        torch.nn.init.normal_(silent.weight)
    for layer in control.controlnet_cond_embedding.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.weight, std=0.3)
    control.save_pretrained(folder)


def write_ip_adapter(folder: Path, base: Path) -> None:
    """One for the UNet of `base`, named and laid out like SDXL's in h94/IP-Adapter."""
    torch.manual_seed(11)
    unet = MADE.UNet2DConditionModel.from_pretrained(base / "unet")
    context = unet.config.cross_attention_dim
    weights = {
        "image_proj.proj.weight": torch.randn(IMAGE_TOKENS * context, WIDTH),
        "image_proj.proj.bias": torch.zeros(IMAGE_TOKENS * context),
        "image_proj.norm.weight": torch.ones(context),
        "image_proj.norm.bias": torch.zeros(context),
    }
    attentions = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    for place, name in enumerate(attentions):
        own = unet.get_submodule(name.removesuffix(".processor"))
        for part in ("k", "v"):
            weights[f"ip_adapter.{2 * place + 1}.to_{part}_ip.weight"] = torch.randn(own.inner_dim, context)
    models = folder / "sdxl_models"
    models.mkdir(parents=True)
    save_file(weights, models / "ip-adapter_sdxl.safetensors")
    MODELS.CLIPVisionModelWithProjection(
        MODELS.CLIPVisionConfig(
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=32,
            patch_size=16,
            projection_dim=WIDTH,
        )
    ).save_pretrained(models / "image_encoder")


def write_depth_estimator(folder: Path, kind: str = "relative") -> None:
    """`kind` is `relative`, which says how near a thing is, or `metric`, which says how far in metres."""
    torch.manual_seed(12)
    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = MODELS.Dinov2Config(
        hidden_size=WIDTH,
        mlp_ratio=1,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_features=stages,
        reshape_hidden_states=False,
    )
    config = MODELS.DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=WIDTH,
        neck_hidden_sizes=[8] * len(stages),
        fusion_hidden_size=8,
        head_hidden_size=8,
        depth_estimation_type=kind,
    )
    model = MODELS.DepthAnythingForDepthEstimation(config)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.2)
    torch.nn.init.constant_(model.head.conv3.bias, 1.0)
    model.save_pretrained(folder)
    MODELS.DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    ).save_pretrained(folder)
