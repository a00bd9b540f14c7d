"""The table of models Vitrine knows by name. Any other open_clip model works too; a row only saves looking it up."""

from dataclasses import dataclass

GENERAL = "attributes.toml"
"""What models trained on photos of everything can tell apart."""
SUGGESTED = "ViT-L-14-quickgelu/openai"
"""What the deployments encode with."""
OWN = "showroom"
"""The encoder that ships with Vitrine, and the catalog of the demo, whose drawn products are all that it has seen."""
UNSUITED = "The demo's own encoder knows the demo's products and nothing else: name one with --encoder"


@dataclass(frozen=True)
class KnownModel:
    """`name` is what the encoder setting takes; `image_size` in pixels, `context_length` in tokens.

    `attributes` is the file, in this package, of what it may guess of a product from its photos.
    """

    name: str
    dim: int
    image_size: int
    context_length: int
    licence: str
    note: str
    attributes: str = GENERAL


def suits(encoder: str, catalog: str) -> bool:
    """Whether UNSUITED is not to be said of a catalog of that name."""
    return encoder != OWN or catalog == OWN


KNOWN_MODELS: tuple[KnownModel, ...] = (
    KnownModel(
        "showroom",
        192,
        112,
        32,
        "Apache-2.0",
        "ships with Vitrine; knows its own rendered catalogue only",
        "attributes_showroom.toml",
    ),
    KnownModel(SUGGESTED, 768, 224, 77, "MIT", "CLIP ViT-L/14, the model of the real case"),
    KnownModel("ViT-L-14/laion2b_s32b_b82k", 768, 224, 77, "MIT", "the same shape trained on LAION-2B"),
    KnownModel(
        "hf-hub:Marqo/marqo-ecommerce-embeddings-B",
        768,
        224,
        64,
        "Apache-2.0",
        "shop photos; needs vitrine[transformers]",
    ),
    KnownModel(
        "hf-hub:Marqo/marqo-ecommerce-embeddings-L",
        1024,
        256,
        64,
        "Apache-2.0",
        "shop photos; needs vitrine[transformers]",
    ),
    KnownModel("ViT-B-16-SigLIP/webli", 768, 224, 64, "Apache-2.0", "SigLIP; needs vitrine[transformers]"),
    KnownModel("ViT-B-16-SigLIP2/webli", 768, 224, 64, "Apache-2.0", "SigLIP 2; needs vitrine[transformers]"),
)
