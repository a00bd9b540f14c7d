"""What is set about vector stores: which kind, and what each kind has to know."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator

from indexer.domain import Frozen

PositiveInt = Annotated[int, Field(gt=0)]
Port = Annotated[int, Field(gt=0, le=65535)]
Coding = Literal["none", "int8", "binary", "turboquant"]
"""How vectors are shortened for finding candidates; the original vectors always give the scores."""


class QdrantSettings(Frozen):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = "http://localhost:6333"
    """Of the REST interface. `https` switches TLS on for gRPC too. Keys belong into `api_key`."""
    api_key: SecretStr | None = None
    ca: Path | None = None
    """PEM file of the authority that signed the server's certificate; absent: those of the system."""
    prefer_grpc: bool = True
    """Off: everything goes through REST, which is slower and passes more proxies."""
    grpc_port: Port = 6334
    timeout: PositiveInt = 30
    """Seconds for one call."""
    search_timeout: PositiveInt = 5
    """Seconds for one search, tries that failed before included."""
    patience: PositiveInt = 7200
    """Seconds for the server's own long work: a graph being built, a snapshot made or recovered."""
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    """Further tries of a call when the server is away, busy or late; the waits between them double, from 0.2 s."""

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "vitrine"
    """Collections are named PREFIX_BUILD, aliases PREFIX_CATALOG; shops that share a server need one each."""
    shard_number: PositiveInt | None = None
    """Parts a collection is cut into; absent: one per node. One where Edge replicas are taken from snapshots."""
    replication_factor: PositiveInt = 1
    """Copies of each shard on different nodes of a cluster."""
    write_consistency_factor: PositiveInt = 1
    """Copies that must have taken a change before it counts as made."""

    quantization: Coding | Literal["auto"] = "auto"
    """`auto`: int8 above 200,000 expected points, else none."""
    oversampling: Annotated[float, Field(ge=1, le=64)] | None = None
    """Candidates taken by their codes for each hit wanted; absent: 2 for int8, 4 for turboquant, 8 for binary."""
    vectors_on_disk: bool | None = None
    """Whether the original vectors stay out of memory until needed; absent: when there are codes."""
    graph_on_disk: bool = False
    words_on_disk: bool = False
    """Of the lexical channel's inverted index."""
    payload_on_disk: bool = True
    """Products' names and values; the values that filters ask for are indexed in memory all the same."""
    m: Annotated[int, Field(ge=4, le=128)] = 16
    """Links per point in the graph."""
    ef_construct: Annotated[int, Field(ge=4, le=2000)] = 100
    """Neighbours considered per point while the graph is built."""
    ef: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Candidates kept while the graph is searched."""

    batch: Annotated[int, Field(ge=1, le=1024)] = 128
    """Points of one call; 64 to 256 is what the server likes."""
    streams: Annotated[int, Field(ge=1, le=16)] = 4
    """Calls under way at a time while a build is written."""

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must hold no user name, password or query: put the key into api_key")
        return url.rstrip("/")


class FaissSettings(Frozen):
    index: Literal["auto", "flat", "hnsw", "ivf-sq8", "ivf-pq"] = "auto"
    """`auto` chooses by size: `flat` scans exactly, the others find candidates that the original vectors rescore."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """`gpu` needs the extra `gpu` and one; `auto` takes it when it is there."""
    max_bytes: Annotated[int, Field(gt=0)] = 128 * 2**30
    """A build whose files are larger together is not opened."""


class StoreSettings(Frozen):
    kind: Literal["edge", "memory", "faiss", "qdrant"] = "edge"
    """`edge` is durable and owned by one process; `memory` is filled from the ledger at each start; `faiss` is files
    that any number of processes read; `qdrant` is a server or a cluster."""
    faiss: FaissSettings = FaissSettings()
    qdrant: QdrantSettings = QdrantSettings()
