"""Between Product values and the columns of a product's row, and the hash that tells whether a product changed."""

import hashlib
import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP

from indexer.catalog.columns import CENT
from indexer.domain import AttributeValue, Product


def product_columns(product: Product) -> dict[str, object]:
    """Everything of the product, by column name."""
    return {
        "id": product.id,
        "parent": product.parent,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": list(product.category),
        "price": None if product.price is None else product.price.quantize(CENT, ROUND_HALF_UP),
        "currency": product.currency,
        "availability": product.availability,
        "attributes": {name: _plain(value) for name, value in product.attributes.items()},
        "url": product.url,
        "images": [image.uri for image in product.images],
    }


def content_hash(product: Product) -> str:
    """64 hex digits: SHA-256 of the product's columns as JSON with sorted keys.

    The order of attributes does not matter, that of categories, images and listed values does.
    """
    return columns_hash(product_columns(product))


def columns_hash(columns: Mapping[str, object]) -> str:
    """`content_hash` of the product that has these columns."""
    canonical = json.dumps(columns, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def attributes_of(stored: Mapping[str, str | list[str]]) -> dict[str, AttributeValue]:
    """Attributes as a Product has them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}


def _plain(value: AttributeValue) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
