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

PUT_EXAMPLES: dict[str, Example] = {
    "one": Example(
        summary="A mug with two photos of the catalog's folder",
        value=[
            {
                "id": "MUG-0900-TL",
                "title": "Tall teal mug",
                "category": ["Kitchen", "Mugs"],
                "price": "14.90",
                "currency": "EUR",
                "attributes": {"colour": "teal"},
                "images": ["photos/mug-0900.jpg", "photos/mug-0900-side.jpg"],
            }
        ],
    ),
}

UPDATE_EXAMPLES: dict[str, Example] = {
    "sale": Example(summary="A new price", value={"price": "9.90"}),
    "gone": Example(summary="Sold out", value={"availability": "out_of_stock"}),
    "label": Example(summary="An attribute set, and one taken away", value={"attributes": {"fit": "slim", "sale": ""}}),
}
