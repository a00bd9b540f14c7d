"""The manifest of a build: what it was made from and with."""

from datetime import UTC, datetime
from importlib.metadata import version

from indexer.builds.jobs import Job
from indexer.builds.survey import Survey
from indexer.domain import BuildManifest
from indexer.encoders import EncoderSpec

LIBRARIES = ("vitrine", "numpy", "open_clip_torch", "pillow", "qdrant-edge-py", "torch")
"""Their versions are recorded."""


def describe_build(job: Job, encoder: EncoderSpec, surveyed: Survey, images: int, rejected: int) -> BuildManifest:
    """`images` can be searched, `rejected` were left out by the gate."""
    return BuildManifest(
        build=job.build,
        catalog=job.catalog,
        generation=job.generation,
        created=datetime.now(UTC),
        encoder=encoder.identity,
        precision=encoder.precision,
        language=job.language,
        products=surveyed.products,
        images=images,
        rejected=rejected,
        points=surveyed.points,
        fields=surveyed.fields,
        vocabulary=surveyed.vocabulary,
        spreads=surveyed.spreads,
        fill={channel: [float(value) for value in vector] for channel, vector in surveyed.fill.items()},
        libraries={name: version(name) for name in LIBRARIES},
        scale=encoder.scale,
        tagging=surveyed.tagging,
        attributes=surveyed.attributes,
        closeness=surveyed.closeness,
    )
