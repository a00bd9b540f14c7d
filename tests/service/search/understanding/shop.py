"""A catalogue as understanding sees it: fields, values and words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from indexer.builds.words import Words
from indexer.domain import BuildManifest, EncoderIdentity, FieldType, Tagging
from service.search.understanding import Understood, understand

VOCABULARY = {
    "colour": ["blue", "gray", "light blue", "crimson", "heather"],
    "pattern": ["striped", "plain", "no show"],
    "material": ["cotton", "stainless steel", "stone"],
    "category": ["men", "women", "hoodies & sweatshirts", "socks", "mugs"],
    "brand": ["acme", "kestrel & co"],
    "size": ["s", "m", "l", "xl", "42", "uk 8"],
    "washable": ["yes", "no"],
}
FIELDS = {
    **dict.fromkeys([*VOCABULARY, "palette", "parent"], FieldType.KEYWORD),
    "price": FieldType.NUMBER,
}
WORDS = Words(
    {
        "mug": 50,
        "hoodie": 30,
        "striped": 20,
        "cotton": 9,
        "stripe": 8,
        "socks": 4,
        "acme": 4,
        "crème": 3,
        "waterproof": 0,
    }
)


def manifest(
    vocabulary: dict[str, list[str]] = VOCABULARY,
    fields: dict[str, FieldType] = FIELDS,
    language: str = "en",
    guessed: Sequence[str] = (),
) -> BuildManifest:
    return BuildManifest(
        build="b1",
        catalog="shop",
        generation=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        encoder=EncoderIdentity(name="fake", fingerprint="f", dim=2),
        precision="fp32",
        language=language,
        products=1,
        images=1,
        rejected=0,
        points=1,
        fields=fields,
        vocabulary=vocabulary,
        spreads={},
        fill={},
        libraries={},
        tagging={field: Tagging(values={}, threshold=0.5, used=True) for field in guessed},
    )


SHOP = manifest()


def understood(text: str, *, avoid: Sequence[str] = (), ignore: Sequence[str] = ()) -> Understood:
    return understand(text, SHOP, WORDS, avoid=avoid, ignore=ignore)


def chips(found: Understood) -> dict[str, str]:
    """Id → words it came from."""
    return {chip.id: chip.text for chip in found.chips}
