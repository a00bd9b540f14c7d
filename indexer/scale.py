"""The photo and text stages of a build on Ray Data: decoding on CPUs and encoding on GPUs, on any number of hosts.

The rest of a build, its ledger included, stays in the process that runs it: results come back as they are made and
are marked there, so that a killed build goes on behind the last of them. Vectors are written to the embedding cache by
the actors that made them, which is why hosts must share it.
"""

import logging
import re
import socket
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from indexer.builds.embedder import (
    COMMIT_BATCHES,
    TEXTS,
    Beat,
    Equipment,
    Looked,
    OpenEncoder,
    Photo,
    chunks,
    encode_missing,
    outcome_of,
)
from indexer.catalog.outcomes import Outcome
from indexer.domain import ImageRef
from indexer.encoders import EncoderSpec, open_encoder
from indexer.errors import (
    EncoderMismatch,
    HubUnreachable,
    ImageRejected,
    InputError,
    SettingsError,
    StoreMismatch,
    StoreUnavailable,
    UnavailableError,
    UnknownModel,
    VitrineError,
)
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.places import Place

SHARD: Final = 200_000
"""Photos or texts of one execution, for which actors are started; their references are held in memory meanwhile."""
BEAT_SECONDS: Final = 1.0

Batch = Mapping[str, "np.ndarray[Any, Any]"]
"""Columns of equal length."""
Row = dict[str, str]

_RAISED: Final = re.compile(r"^\s*indexer\.errors\.(\w+): (.+)$", re.MULTILINE)
_OURS: Final = {
    kind.__name__: kind
    for kind in (
        EncoderMismatch,
        HubUnreachable,
        InputError,
        SettingsError,
        StoreMismatch,
        StoreUnavailable,
        UnavailableError,
        UnknownModel,
    )
}
"""What actors raise."""

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


class OnRay:
    """An embedder on the Ray cluster that RAY_ADDRESS names; without it on a new one of this machine.

    Each GPU of the cluster gets one encoder. A cluster without GPUs gets encoders of `encoder.threads` cores each, one
    if absent, on all its cores but one per host. Decoding takes the cores that are left.
    """

    def __init__(self, equipment: Equipment, spec: EncoderSpec, open_encoder: OpenEncoder = open_encoder) -> None:
        """`spec` is of the driver's encoder. `open_encoder` must be importable by name on every host.

        Raises SettingsError when Ray is not installed.
        """
        self._ray = _installed()
        device = "cpu" if equipment.encoder.device == "cpu" else "auto"
        self._equipment = equipment.model_copy(
            update={"encoder": equipment.encoder.model_copy(update={"device": device})}
        )
        self._spec = spec
        self._open_encoder = open_encoder

    def photos(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        """Raises SettingsError when hosts share no embedding cache or do not see the photos."""
        portion = self._equipment.encoder.batch_size * COMMIT_BATCHES
        for shard in chunks(photos, SHARD):
            rows = [photo._asdict() for photo in shard]
            decoded = self._dataset(rows, portion).map_batches(
                Decoding,
                fn_constructor_args=(self._equipment, self._spec, root),
                batch_size=self._equipment.encoder.batch_size,
                num_cpus=self._equipment.images.decoders or 1,
                compute=self._ray.data.ActorPoolStrategy(min_size=1),
            )
            for batch in self._encoded(decoded, Encoding, len(shard), portion, beat):
                outcomes = tuple(_OUTCOME.validate_json(one) for one in batch["outcome"])
                beat(len(outcomes))
                yield Looked(outcomes, int(batch["encoded"].sum()))

    def texts(self, texts: Iterable[str], beat: Beat) -> Generator[int, None, None]:
        for shard in chunks(texts, SHARD):
            rows = [{"text": text} for text in shard]
            for batch in self._encoded(self._dataset(rows, TEXTS), Reading, len(shard), TEXTS, beat):
                beat(int(batch["texts"].sum()))
                yield int(batch["encoded"].sum())

    def close(self) -> None:
        """Leave the cluster; what it was doing for this process ends."""
        self._ray.shutdown()

    def _dataset(self, rows: list[Row], block: int) -> Any:
        self._connect()
        return self._ray.data.from_items(rows, override_num_blocks=_portions(len(rows), block))

    def _encoded(self, dataset: Any, actor: type, items: int, portion: int, beat: Beat) -> Iterator[Batch]:
        """What the actors return, in the order in which it is there."""
        encoders, cpus, gpus = self._encoders()
        results = dataset.map_batches(
            actor,
            fn_constructor_args=(self._equipment, self._open_encoder),
            batch_size=portion,
            num_cpus=cpus,
            num_gpus=gpus,
            compute=self._ray.data.ActorPoolStrategy(size=min(encoders, _portions(items, portion))),
        )
        try:
            yield from self._beating(iter(results.iter_batches(batch_size=None, batch_format="numpy")), beat)
        except self._ray.exceptions.RayError as error:
            raise _cause(error) from error

    def _beating(self, batches: Iterator[Batch], beat: Beat) -> Iterator[Batch]:
        """The batches; `beat` is called while one is waited for. Whoever stops early ends the work on the cluster."""
        with ThreadPoolExecutor(1, "ray-results") as thread:
            try:
                while (batch := self._next(thread.submit(next, batches, None), beat)) is not None:
                    yield batch
            except BaseException:
                self.close()
                raise

    @staticmethod
    def _next(coming: "Future[Batch | None]", beat: Beat) -> Batch | None:
        while not wait([coming], BEAT_SECONDS).done:
            beat(0)
        return coming.result()

    def _encoders(self) -> tuple[int, int, int]:
        """How many, and the cores and GPUs of each."""
        there = self._ray.cluster_resources()
        gpus = int(there.get("GPU", 0))
        if gpus and self._equipment.encoder.device != "cpu":
            return gpus, 1, 1
        each = self._equipment.encoder.threads or 1
        return max(1, (int(there.get("CPU", 1)) - len(self._nodes())) // each), each, 0

    def _nodes(self) -> list[Mapping[str, Any]]:
        """Those that have cores."""
        return [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]

    def _connect(self) -> None:
        if not self._ray.is_initialized():
            try:
                self._ray.init(logging_level=logging.WARNING, log_to_driver=False)
            except (ConnectionError, RuntimeError, self._ray.exceptions.RayError) as error:
                raise UnavailableError(f"Ray cannot be reached: {_first_line(error)}. Is RAY_ADDRESS right?") from error
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        self._ray.data.DataContext.get_current().enable_progress_bars = False
        hosts = {node["NodeManagerAddress"] for node in self._ray.nodes() if node["Alive"]}
        if len(hosts) > 1 and self._equipment.embeddings is None:
            raise SettingsError(
                f"embeddings.url: the {len(hosts)} hosts of the Ray cluster must share the embedding cache; name a "
                "bucket, such as s3://shop/embeddings, or a directory that all of them have mounted."
            )


class Decoding:
    """An actor that decodes photos as a build here does; columns `outcome`, `key` (hexadecimal) and `pixels`."""

    def __init__(self, equipment: Equipment, spec: EncoderSpec, root: Place) -> None:
        """Raises SettingsError when the photos' folder is not there, lest all of them were rejected."""
        if isinstance(root, Path) and not root.is_dir():
            raise SettingsError(
                f"The host {socket.gethostname()} has no folder {root}: mount the photos on every host of the Ray "
                "cluster, or keep them in a bucket."
            )
        self._root = root
        self._fit = spec.fit
        self._decoders = DecoderPool.of(
            equipment.images.model_copy(update={"decoders": equipment.images.decoders or 1})
        )

    def __call__(self, batch: Batch) -> dict[str, object]:
        photos = [Photo(*map(str, row)) for row in zip(*(batch[name] for name in Photo._fields), strict=True)]
        tasks = (DecodeTask(ImageRef(photo.uri), self._fit, self._root) for photo in photos)
        outcomes, keys = [], []
        pixels = np.zeros((len(photos), *self._fit.size, 3), np.uint8)
        for row, (_, decoded) in enumerate(self._decoders.map(tasks)):
            outcomes.append(_OUTCOME.dump_json(outcome_of(photos[row], decoded)).decode())
            keys.append("" if isinstance(decoded, ImageRejected) else decoded.content_hash)
            if not isinstance(decoded, ImageRejected):
                pixels[row] = decoded.pixels
        return {"outcome": outcomes, "key": keys, "pixels": pixels}


class Encoding:
    """An actor that puts the vectors of decoded photos into the cache; columns `outcome` and `encoded`."""

    def __init__(self, equipment: Equipment, open_encoder: OpenEncoder) -> None:
        """Raises like `Equipment.open_encoder`."""
        self._encoder = equipment.open_encoder(open_encoder)
        self._cache = equipment.open_embeddings().images

    def __call__(self, batch: Batch) -> dict[str, object]:
        rows = {bytes.fromhex(key): row for row, key in enumerate(batch["key"]) if key}
        missing = self._cache.missing(list(rows))
        self._cache.put(missing, self._encoder.encode_images([batch["pixels"][rows[key]] for key in missing]))
        new = {rows[key] for key in missing}
        return {"outcome": batch["outcome"], "encoded": [row in new for row in range(len(batch["key"]))]}


class Reading:
    """An actor that puts the vectors of texts into the cache; columns `texts` and `encoded`, one row a batch."""

    def __init__(self, equipment: Equipment, open_encoder: OpenEncoder) -> None:
        """Raises like `Equipment.open_encoder`."""
        self._encoder = equipment.open_encoder(open_encoder)
        self._embeddings = equipment.open_embeddings()

    def __call__(self, batch: Batch) -> dict[str, object]:
        texts = [str(text) for text in batch["text"]]
        return {"texts": [len(texts)], "encoded": [encode_missing(texts, self._encoder, self._embeddings)]}


def _portions(items: int, size: int) -> int:
    """How many there are, the last one included."""
    return -(-items // size)


def _installed() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise SettingsError("Building on Ray needs it: pip install 'vitrine[ray]', here and on every host.") from error
    return ray


def _cause(error: BaseException) -> VitrineError:
    """The error of ours that ended the work, which Ray has as text only; else one that says what Ray says."""
    for name, sentence in reversed(_RAISED.findall("\n".join(_told(error)))):
        if name in _OURS:
            return _OURS[name](sentence)
    return UnavailableError(f"The work on Ray ended: {_first_line(error)}. What was finished is kept.")


def _told(error: BaseException | None) -> Iterator[str]:
    """What it says, and what those say that led to it."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
