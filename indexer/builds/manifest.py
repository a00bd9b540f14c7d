"""The manifest of a build: what it was made from and with."""

from datetime import UTC, datetime
from importlib.metadata import version

from indexer.builds.survey import Survey
from indexer.domain import BuildManifest
from indexer.encoders import EncoderSpec

LIBRARIES = ("vitrine", "numpy", "open_clip_torch", "pillow", "qdrant-edge-py", "torch")
"""Their versions are recorded."""


def describe_build(
    build: str, catalog: str, language: str, encoder: EncoderSpec, surveyed: Survey, images: int, rejected: int
) -> BuildManifest:
    """`images` can be searched, `rejected` were left out by the gate."""
    return BuildManifest(
        build=build,
        catalog=catalog,
        created=datetime.now(UTC),
        encoder=encoder.identity,
        precision=encoder.precision,
        language=language,
        products=surveyed.products,
        images=images,
        rejected=rejected,
        points=surveyed.points,
        fields=surveyed.fields,
        vocabulary=surveyed.vocabulary,
        spreads=surveyed.spreads,
        fill={channel: [float(value) for value in vector] for channel, vector in surveyed.fill.items()},
        libraries={name: version(name) for name in LIBRARIES},
    )
