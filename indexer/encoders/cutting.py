"""Text towers over as few tokens as a text has.

open_clip pads every text to the context length. Where attention is causal and the tower's answer is read at the end
of the text, what stands behind that changes nothing, and costs most of the time.
"""

from typing import Any

import torch
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.transformer import TextTransformer, text_global_pool


class CausalText(torch.nn.Module):
    """The text tower of CLIP, for tokens of any shape (texts, length) with length at most the context length.

    It gives what the whole tower gives for the same tokens padded, as long as no text was cut before its end.
    """

    def __init__(self, tower: Any, pool: str, end: int) -> None:
        super().__init__()
        self._embedding = tower.token_embedding
        self._positions = tower.positional_embedding
        self.transformer = tower.transformer
        self._norm = tower.ln_final
        self._projection = tower.text_projection
        self._mask: torch.Tensor
        self.register_buffer("_mask", tower.attn_mask, persistent=False)
        self._pool = pool
        self._end = end

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Features (texts, dim), not of unit length."""
        length = tokens.shape[1]
        dtype = self.transformer.get_cast_dtype()
        states = self._embedding(tokens).to(dtype) + self._positions[:length].to(dtype)
        states = self._norm(self.transformer(states, attn_mask=self._mask[:length, :length]))
        features: torch.Tensor = text_global_pool(states, tokens, self._pool, eos_token_id=self._end)
        if isinstance(self._projection, torch.nn.Module):
            features = self._projection(features)
        elif self._projection is not None:
            features = features @ self._projection
        return features

    def lengths(self, tokens: torch.Tensor) -> list[int]:
        """Of each text, as many tokens as its features depend on."""
        ends = tokens.argmax(dim=-1) if self._pool == "argmax" else (tokens == self._end).int().argmax(dim=-1)
        lengths: list[int] = (ends + 1).tolist()
        return lengths


def causal_text(model: Any) -> CausalText | None:
    """The model's text tower if it can be cut; None where a token sees those behind it, or the padding counts."""
    if isinstance(model, CLIP):
        return _causal(model, model.text_pool_type, model.text_eos_id)
    text = model.text if isinstance(model, CustomTextCLIP) else None
    if not isinstance(text, TextTransformer) or text.cls_emb is not None or text.use_pad_mask or text.output_tokens:
        return None
    return _causal(text, text.pool_type, text.eos_id)


def _causal(tower: Any, pool: str, end: int) -> CausalText | None:
    mask = tower.attn_mask
    if pool not in {"argmax", "eos"} or mask is None:
        return None
    unseen = torch.full_like(mask, float("-inf")).triu_(1)
    return CausalText(tower, pool, end) if torch.equal(mask, unseen) else None
