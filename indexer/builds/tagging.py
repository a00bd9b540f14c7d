"""What products lack, guessed from their photos by zero-shot classification, the colour also by their palettes.

While the catalogue is surveyed, values that it gives are hidden and guessed; a field that comes out wrong too often is
not guessed at all. When points are written the guesses need no encoder: prompts and photos are in the cache.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Entry, Page
from indexer.builds.texts import FIXED_FIELDS, values_of
from indexer.catalog.records import ImageRecord
from indexer.domain import BuildManifest, FieldType, Matrix, Tagging
from indexer.encoders import Encoder
from indexer.encoders.attributes import COLOUR, Attribute, read_attributes
from indexer.encoders.zero_shot import class_vectors, classify, unit
from indexer.errors import SettingsError
from indexer.images.names import COLOUR_NAMES, colours_named_in, name_colours
from indexer.images.palette import Palette, PaletteColour
from indexer.settings import AttributeSettings

ABSENT_SHARE = 0.02
"""What counts as the share of a colour that a palette lacks, so that a sure encoder can still name it."""
MIN_PRECISION = 0.7
"""Share of right guesses from which a measured field is guessed."""
MEASURED = 500
"""Products at most whose given values are hidden and guessed."""
FEWEST = 10
"""Guesses from which their precision says something."""
OWN_VALUES = range(2, 61)
"""How many values a catalogue gives a field when those are what is guessed."""

Shares = Mapping[str, float]
"""Named colours of a photo's foreground with their shares, the largest first; empty where it has no palette."""


def attributes_of(settings: AttributeSettings, encoder: str) -> dict[str, Attribute]:
    """What can be guessed, by field. Raises SettingsError, also for a field that products always have."""
    attributes = read_attributes(settings, encoder)
    taken = sorted(attributes.keys() & FIXED_FIELDS.keys())
    if taken:
        raise SettingsError(f"attributes.file: {taken[0]!r} is a field of every catalogue and cannot be guessed.")
    return attributes


def palette_shares(image: ImageRecord) -> Shares:
    """Of every colour that the photo's palette has."""
    colours = tuple(PaletteColour((lightness, a, b), share) for lightness, a, b, share in image.palette or ())
    return name_colours(Palette(colours)) if colours else {}


def prompts_of(tagging: Mapping[str, Tagging]) -> list[str]:
    """Every prompt of the fields that are guessed."""
    used = [one.values.values() for one in tagging.values() if one.used]
    return [prompt for values in used for prompts in values for prompt in prompts]


class Tagger:
    """Guesses what products lack."""

    def __init__(self, tagging: Mapping[str, Tagging], scale: float, embeddings: Embeddings) -> None:
        """`scale` is the encoder's. Raises KeyError for a prompt that was never encoded."""
        self._fields = {name: _Guessing.of(name, one, scale, embeddings) for name, one in tagging.items() if one.used}

    @classmethod
    def of(cls, manifest: BuildManifest, embeddings: Embeddings) -> "Tagger":
        return cls(manifest.tagging, manifest.scale, embeddings)

    def guesses(self, page: Page, photos: Matrix, colours: Sequence[Shares]) -> list[dict[str, str]]:
        """Field → guessed value of each product: of fields it gives nothing for, where the encoder is sure enough.

        `photos` are the vectors (n, dim) of all the page's photos in their order, `colours` those of each product's
        first photo. Without photos nothing is guessed.
        """
        guessed: list[dict[str, str]] = [{} for _ in page]
        rows, means = mean_vectors(page, photos)
        for name, guessing in self._fields.items():
            lacking = [place for place, row in enumerate(rows) if name not in page[row].product.attributes]
            values = guessing.guess(means[lacking], [colours[rows[place]] for place in lacking])
            for place, value in zip(lacking, values, strict=True):
                if value is not None:
                    guessed[rows[place]][name] = value
        return guessed


def mean_vectors(page: Page, photos: Matrix) -> tuple[list[int], Matrix]:
    """Which products of the page have photos, and the unit mean (m, dim) of each one's photo vectors."""
    counts = np.array([len(entry.images) for entry in page], np.int64)
    rows = np.flatnonzero(counts)
    starts = (np.cumsum(counts) - counts)[rows]
    means = np.add.reduceat(photos, starts, axis=0) if rows.size else photos[:0]
    return rows.tolist(), unit(means)


def measure_tagging(
    attributes: Mapping[str, Attribute],
    fields: Mapping[str, FieldType],
    vocabulary: Mapping[str, Sequence[str]],
    sample: Page,
    encoder: Encoder,
    embeddings: Embeddings,
) -> tuple[dict[str, Tagging], int]:
    """How each field is guessed, measured on the sample, and how many prompts had to be encoded for that.

    A field that the encoder is not trusted with and that too few products give is left out, as is one of numbers.
    """
    planned: dict[str, Tagging] = {}
    owners: dict[str, Page] = {}
    for name, attribute in attributes.items():
        if fields.get(name, FieldType.KEYWORD) is not FieldType.KEYWORD:
            continue
        giving = [entry for entry in sample if entry.images and name in entry.product.attributes][:MEASURED]
        if attribute.trusted or len(giving) >= FEWEST:
            owners[name] = giving
            planned[name] = _planned(attribute, vocabulary.get(name, ()))
    from indexer.builds.embedder import encode_missing  # guessing does without it

    encoded = encode_missing(prompts_of(planned), encoder, embeddings) if planned else 0
    measured = {
        name: _measured(name, one, attributes[name].trusted, owners[name], encoder.spec.scale, embeddings)
        for name, one in planned.items()
    }
    return measured, encoded


def with_guesses(
    fields: Mapping[str, FieldType], vocabulary: Mapping[str, list[str]], tagging: Mapping[str, Tagging]
) -> tuple[dict[str, FieldType], dict[str, list[str]]]:
    """Fields and vocabulary of a catalogue together with those that are guessed."""
    used = {name: one for name, one in tagging.items() if one.used}
    said = {
        name: list(dict.fromkeys([*vocabulary.get(name, ()), *one.values]))
        for name, one in used.items()
        if name in vocabulary or name not in fields
    }
    return {**fields, **dict.fromkeys(used, FieldType.KEYWORD)}, {**vocabulary, **said}


@dataclass(frozen=True, eq=False)
class _Guessing:
    """Of one field. `meant`, of the colour: (names, values), 1 where the value's words mean the name."""

    values: tuple[str, ...]
    classes: Matrix
    threshold: float
    scale: float
    meant: Matrix | None

    @classmethod
    def of(cls, field: str, tagging: Tagging, scale: float, embeddings: Embeddings) -> "_Guessing":
        values = tuple(tagging.values)
        classes = class_vectors(embeddings.of_texts, list(tagging.values.values()))
        return cls(values, classes, tagging.threshold, scale, _meant(values) if field == COLOUR else None)

    def guess(self, means: Matrix, colours: Sequence[Shares]) -> list[str | None]:
        """The value of each product, or None. Of a colour, probability and share in the palette are multiplied:
        both err alone, the encoder between neighbouring colours and the palette on patterns.
        """
        likely = classify(means, self.classes, self.scale)
        if self.meant is not None:
            likely *= _table(colours) @ self.meant + ABSENT_SHARE
            likely /= likely.sum(axis=1, keepdims=True)
        best = likely.argmax(axis=1)
        sure = likely.max(axis=1) >= self.threshold
        return [self.values[place] if one else None for place, one in zip(best.tolist(), sure, strict=True)]


def _meant(values: Sequence[str]) -> Matrix:
    names = [set(colours_named_in(value)) for value in values]
    return np.array([[name in meant for meant in names] for name in COLOUR_NAMES], np.float32)


def _table(colours: Sequence[Shares]) -> Matrix:
    """Share of each name in each palette, (n, names)."""
    shares = [[palette.get(name, 0.0) for name in COLOUR_NAMES] for palette in colours]
    return np.array(shares, np.float32).reshape(-1, len(COLOUR_NAMES))


def _planned(attribute: Attribute, given: Sequence[str]) -> Tagging:
    values = given if len(given) in OWN_VALUES else attribute.values
    prompts = {value: attribute.prompts(value) for value in values}
    return Tagging(values=prompts, threshold=attribute.threshold, used=True)


def _measured(
    field: str, planned: Tagging, trusted: bool, owners: Page, scale: float, embeddings: Embeddings
) -> Tagging:
    photos = embeddings.of_images([one for entry in owners for one in entry.hashes])
    colours = [palette_shares(entry.images[0]) for entry in owners] if field == COLOUR else []
    guesses = _Guessing.of(field, planned, scale, embeddings).guess(mean_vectors(owners, photos)[1], colours)
    made = [(guess, entry) for guess, entry in zip(guesses, owners, strict=True) if guess is not None]
    right = sum(guess in _given(entry, field) for guess, entry in made)
    precision = right / len(made) if len(made) >= FEWEST else None
    return planned.model_copy(
        update={
            "measured": len(owners),
            "precision": precision,
            "coverage": len(made) / len(owners) if owners else None,
            "used": trusted if precision is None else precision >= MIN_PRECISION,
        }
    )


def _given(entry: Entry, field: str) -> list[str]:
    return [value.casefold() for value in values_of(entry.product.attributes[field])]
