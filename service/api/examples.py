"""Requests that OpenAPI shows."""

from fastapi.openapi.models import Example

SEARCH_EXAMPLES: dict[str, Example] = {
    "words": Example(
        summary="By words, filtered",
        value={"text": "red striped mug", "where": ["price<30"], "top_k": 5},
    ),
    "change": Example(
        summary="Like this product, but blue",
        value={"like": "MUG-0142-TL", "change": "but blue", "explain": True},
    ),
    "weights": Example(
        summary="By words, with other weights and raw scores",
        value={"text": "linen dress", "weights": {"image": 0.6, "text": 0.4}, "fusion": "raw"},
    ),
}
