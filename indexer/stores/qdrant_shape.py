"""How a build's collection is made: the one-vector layout of the Edge store in a server's words.

The names of vectors and payload keys are those of the Edge shard, so that a shard restored from a server's snapshot
is an Edge store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from qdrant_client import QdrantClient, models

from indexer.domain import VECTOR_CHANNELS, FieldType
from indexer.store_settings import Coding, QdrantSettings
from indexer.stores.points import DENSE, EXACT_BELOW, LEXICAL, keys_of
from indexer.stores.seam import Layout

CODED_ABOVE: Final = 200_000
"""Points from which the default is int8 codes: 1 GB of originals at 2 × 512 dimensions."""
OVERSAMPLING: Final[Mapping[str, float]] = {"int8": 2.0, "turboquant": 4.0, "binary": 8.0}

EXACT: Final = models.SearchParams(exact=True, quantization=models.QuantizationSearchParams(ignore=True))


@dataclass(frozen=True)
class Shape:
    """What a collection is, kept with it as metadata. `exact`: it has no graph and is scanned."""

    layout: str
    """Fingerprint of the layout."""
    exact: bool
    coding: Coding

    @classmethod
    def of(cls, layout: Layout, settings: QdrantSettings, expected: int) -> "Shape":
        wanted = settings.quantization
        if wanted == "auto":
            wanted = "int8" if expected > CODED_ABOVE else "none"
        return cls(layout.fingerprint(), wanted == "none" and expected <= EXACT_BELOW, wanted)

    @classmethod
    def read(cls, metadata: Mapping[str, object] | None) -> "Shape | None":
        """None when the metadata are not those of a collection that Vitrine made."""
        kept = (metadata or {}).get("vitrine")
        if not isinstance(kept, dict) or not {"layout", "exact", "coding"} <= kept.keys():
            return None
        return cls(str(kept["layout"]), bool(kept["exact"]), cast(Coding, kept["coding"]))

    def metadata(self, finished: bool) -> dict[str, object]:
        kept = {"layout": self.layout, "exact": self.exact, "coding": self.coding}
        return {"vitrine": kept, "finished": finished}

    def search(self, settings: QdrantSettings) -> models.SearchParams:
        """Parameters of a search by vector; whatever finds the candidates, original vectors give the scores."""
        if self.exact:
            return EXACT
        if self.coding == "none":
            return models.SearchParams(hnsw_ef=settings.ef)
        codes = models.QuantizationSearchParams(
            rescore=True, oversampling=settings.oversampling or OVERSAMPLING[self.coding]
        )
        return models.SearchParams(hnsw_ef=settings.ef, quantization=codes)


def create(client: QdrantClient, name: str, layout: Layout, shape: Shape, settings: QdrantSettings) -> None:
    """An empty collection in place of what had the name, its payload indexes made, its graph put off by m = 0."""
    if client.collection_exists(name):
        client.delete_collection(name)
    on_disk = settings.vectors_on_disk if settings.vectors_on_disk is not None else shape.coding != "none"
    dense = models.VectorParams(
        size=len(VECTOR_CHANNELS) * layout.dim, distance=models.Distance.DOT, memory=_placed(on_disk)
    )
    words = models.SparseIndexParams(memory=models.Memory.COLD if settings.words_on_disk else models.Memory.PINNED)
    client.create_collection(
        name,
        vectors_config={DENSE: dense},
        sparse_vectors_config={LEXICAL: models.SparseVectorParams(index=words)},
        hnsw_config=models.HnswConfigDiff(
            m=0, ef_construct=settings.ef_construct, memory=_placed(settings.graph_on_disk)
        ),
        quantization_config=_codes(shape.coding),
        shard_number=settings.shard_number,
        replication_factor=settings.replication_factor,
        write_consistency_factor=settings.write_consistency_factor,
        payload=models.PayloadStorageParams(memory=_placed(settings.payload_on_disk)),
        metadata=shape.metadata(finished=False),
    )
    for field, key in keys_of(layout).items():
        number = layout.fields[field] is FieldType.NUMBER
        schema = models.PayloadSchemaType.FLOAT if number else models.PayloadSchemaType.KEYWORD
        client.create_payload_index(name, key, schema, wait=True)


def _placed(on_disk: bool) -> models.Memory:
    return models.Memory.COLD if on_disk else models.Memory.CACHED


def _codes(coding: Coding) -> models.QuantizationConfig | None:
    """Codes stay in memory: they are read for every candidate, the originals for a few."""
    pinned = models.Memory.PINNED
    match coding:
        case "int8":
            scalar = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, memory=pinned)
            return models.ScalarQuantization(scalar=scalar)
        case "binary":
            return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(memory=pinned))
        case "turboquant":
            turbo = models.TurboQuantQuantizationConfig(bits=models.TurboQuantBitSize.BITS4, memory=pinned)
            return models.TurboQuantization(turbo=turbo)
        case "none":
            return None
