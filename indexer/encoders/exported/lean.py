"""open_clip's transformers as they are exported: the same weights, in fewer and larger steps than torch takes.

Attention is one node of ONNX's (opset 23) where torch.nn.MultiheadAttention becomes some thirty. A photo's patches are
one product of its bytes with weights that hold the normalisation. Where only the class token is read, the last block
computes nothing else.
"""

from copy import deepcopy
from typing import Any

import torch
from open_clip.transformer import ResidualAttentionBlock, Transformer, VisionTransformer
from torch.nn.functional import linear

from indexer.encoders.cutting import CausalText

OPSET = 23
"""Of ONNX, the first with attention."""


def lean_text(tower: CausalText) -> CausalText:
    """The tower with the same weights; itself where its blocks are not known here."""
    if not _plain(tower.transformer):
        return tower
    lean: CausalText = _sharing(tower)
    for block in lean.transformer.resblocks:
        block.attn = _Attention(block.attn, causal=True)
    return lean


def lean_image(tower: Any, normalisation: tuple[torch.Tensor, torch.Tensor]) -> torch.nn.Module | None:
    """The tower with the same weights for photos of bytes, (n, height, width, 3); None where it is not known here.

    `normalisation` is the mean and the deviation of each channel, of shape (1, 3, 1, 1).
    """
    if not isinstance(tower, VisionTransformer) or not _plain(tower.transformer) or not _tiled(tower):
        return None
    lean = _sharing(tower)
    lean.conv1 = _Patches(lean.conv1, *normalisation)
    blocks = lean.transformer.resblocks
    for block in blocks:
        block.attn = _Attention(block.attn, causal=False)
    if lean.attn_pool is None and lean.pool_type == "tok" and not lean.output_tokens:
        blocks[-1] = _ClassToken(blocks[-1])
    whole: torch.nn.Module = lean
    return whole


def _plain(transformer: Any) -> bool:
    return isinstance(transformer, Transformer) and all(
        type(block) is ResidualAttentionBlock and block.attn.in_proj_bias is not None for block in transformer.resblocks
    )


def _tiled(tower: Any) -> bool:
    """Whether every pixel is in one patch."""
    patch = tower.conv1
    return patch.stride == patch.kernel_size and all(
        side % step == 0 for side, step in zip(tower.image_size, patch.stride, strict=True)
    )


def _sharing(tower: torch.nn.Module) -> Any:
    """Other modules with the same weights."""
    return deepcopy(tower, {id(weight): weight for weight in (*tower.parameters(), *tower.buffers())})


class _Attention(torch.nn.Module):
    """Stands where a block has a MultiheadAttention, and is called as that is."""

    def __init__(self, original: Any, causal: bool) -> None:
        super().__init__()
        self.weight, self.bias, self._out = original.in_proj_weight, original.in_proj_bias, original.out_proj
        self._heads = original.num_heads
        self._causal = causal

    def forward(
        self,
        states: torch.Tensor,
        _keys: torch.Tensor,
        _values: torch.Tensor,
        need_weights: bool,
        attn_mask: torch.Tensor | None,
    ) -> tuple[torch.Tensor, None]:
        return self.attended(*linear(states, self.weight, self.bias).chunk(3, dim=-1)), None

    def attended(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        heads = self._heads
        rows, *_ = torch.onnx.ops.attention(
            queries, keys, values, is_causal=self._causal, q_num_heads=heads, kv_num_heads=heads
        )
        projected: torch.Tensor = self._out(rows)
        return projected


class _ClassToken(torch.nn.Module):
    """The last block, for its first token: (n, tokens, width) to (n, 1, width)."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self._block = block
        width = block.attn.weight.shape[1]
        self._query, self._others = (_cut(block.attn, rows) for rows in (slice(width), slice(width, None)))

    def forward(self, states: torch.Tensor, attn_mask: None) -> torch.Tensor:
        block, normal = self._block, self._block.ln_1(states)
        attended = block.attn.attended(self._query(normal[:, :1]), *self._others(normal).chunk(2, dim=-1))
        token = states[:, :1] + block.ls_1(attended)
        answer: torch.Tensor = token + block.ls_2(block.mlp(block.ln_2(token)))
        return answer


def _cut(attention: _Attention, rows: slice) -> torch.nn.Linear:
    """A part of its first product."""
    return _linear(attention.weight[rows], attention.bias[rows])


class _Patches(torch.nn.Module):
    """Stands where a tower has the convolution that makes patches: bytes (n, height, width, 3) to (n, width, patches).

    The normalisation goes into the weights: w · (x / 255 - mean) / deviation = w / (255 deviation) · x - w · mean /
    deviation.
    """

    def __init__(self, original: Any, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        weight = original.weight.double() / deviation
        offset = -(weight * mean).sum(dim=(1, 2, 3))
        bias = offset if original.bias is None else offset + original.bias
        self._size = original.kernel_size
        self._product = _linear((weight / 255.0).permute(0, 2, 3, 1).flatten(1).float(), bias.float())

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        number, height, width, channels = photos.shape
        down, across = self._size
        rows, columns = height // down, width // across
        tiles = photos.reshape(number, rows, down, columns, across * channels).transpose(2, 3)
        patches: torch.Tensor = self._product(tiles.reshape(number, rows * columns, -1).float())
        return patches.transpose(1, 2)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> torch.nn.Linear:
    made = torch.nn.Linear(weight.shape[1], weight.shape[0])
    made.weight, made.bias = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())
    return made
