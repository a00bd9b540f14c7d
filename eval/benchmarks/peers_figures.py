"""A folder of photos indexed by us, and encoded as others encode a folder, with the same model on the same cores.

Ours is a whole build: photos decoded and encoded, texts too, rows in the ledger, a store that can be searched. The
others encode the photos and nothing else. The loop is that of sentence-transformers: Pillow and open_clip's transform
for one photo after the other, then the model, 32 at a time. clip-retrieval runs its own inference, four workers
preparing, in the environment that `make bench-peers` makes; counted is what it says itself that reading and encoding
took, without its imports, its loading and its warming up, where ours is a build from its first second to its last.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import open_clip
import torch
from PIL import Image

from eval.benchmarks.figures import Figure, Given, Missing, milliseconds
from eval.benchmarks.indexing import ARCHITECTURE, build, photos_of, some_of_the_showroom
from eval.benchmarks.models import random_export
from indexer.encoders import Encoder
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.errors import UnavailableError
from indexer.settings import Settings

PRODUCTS: Final = 60
ROUNDS: Final = 3
INFERENCES: Final = 2
"""Of clip-retrieval, each of which loads its model and warms it up."""
PATIENCE: Final = 120.0
"""Seconds that one of them may take, with its imports and its warming up."""
TOGETHER: Final = 32
"""As sentence-transformers' `encode` has it."""
PEERS: Final = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
INFERENCE: Final = """
import sys
from clip_retrieval.clip_inference.main import main

folder, out, model = sys.argv[1:]
main(folder, out, batch_size=32, enable_text=False, enable_image=True, clip_model=model)
"""


def figures(given: Given) -> Iterator[Figure | Missing]:
    try:
        _, export = random_export(given.work, ARCHITECTURE)
    except NotExportable as error:
        yield Missing(name="peers", why=str(error))
        return
    weights = given.work / ARCHITECTURE.lower() / "open_clip_model.safetensors"
    with tempfile.TemporaryDirectory(prefix="vitrine-") as folder:
        work = Path(folder)
        source = some_of_the_showroom(given.work, work / "shop", PRODUCTS)
        files = [source.parent / uri for uri in photos_of(source)]
        ours = _Ours(work, source, open_exported(export, Towers(text="int8", image="int8")))
        loop = _loop(files, weights)
        ours()
        loop()
        spent = [(ours(), _timed(loop)) for _ in range(ROUNDS)]
        yield _figure("loop", "a loop as sentence-transformers has it, fp32", len(files), spent)
        if not PEERS.is_file():
            why = "not installed here; `make bench-peers` does so"
            yield Missing(name="peers.clip-retrieval", why=why, failed=False)
            return
        try:
            spent = [(ours(), _inference(work, files, weights)) for _ in range(INFERENCES)]
        except UnavailableError as error:
            yield Missing(name="peers.clip-retrieval", why=str(error))
            return
        yield _figure("clip-retrieval", "clip-retrieval's inference, fp32", len(files), spent)


class _Ours:
    """Builds in homes of their own."""

    def __init__(self, work: Path, source: Path, encoder: Encoder) -> None:
        self._work = work
        self._source = source
        self._encoder = encoder
        self._builds = 0

    def __call__(self) -> float:
        self._builds += 1
        return build(Settings(home=self._work / f"home-{self._builds}"), self._source, self._encoder)


def _figure(name: str, against: str, photos: int, spent: Sequence[tuple[float, float]]) -> Figure:
    """Of seconds: ours, theirs."""
    return Figure.of(
        f"peers.{name}",
        f"a build of {photos} photos with their texts, {ARCHITECTURE} exported, int8",
        [photos / mine for mine, _ in spent],
        unit="photos/s",
        kind="share",
        against=against,
        baseline=[photos / other for _, other in spent],
    )


def _timed(call: Callable[[], object]) -> float:
    return milliseconds(call) / 1_000


def _loop(files: Sequence[Path], weights: Path) -> Callable[[], None]:
    model, _, transform = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=str(weights))
    model.eval()

    def encode() -> None:
        with torch.no_grad():
            for start in range(0, len(files), TOGETHER):
                photos = [transform(Image.open(file)) for file in files[start : start + TOGETHER]]
                features = model.encode_image(torch.stack(photos))
                torch.nn.functional.normalize(features, dim=-1).numpy()

    return encode


def _inference(work: Path, files: Sequence[Path], weights: Path) -> float:
    """Seconds, as it keeps them. Raises UnavailableError when it is not done within PATIENCE or fails."""
    photos, out = work / "photos", work / "embeddings"
    photos.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, photos)
    model = f"open_clip:{ARCHITECTURE}/{weights}"
    run_patiently([str(PEERS), "-c", INFERENCE, str(photos), str(out), model], work, PATIENCE)
    seconds = float(json.loads((out / "stats" / "0.json").read_bytes())["total_duration"])
    shutil.rmtree(out)
    return seconds


def run_patiently(command: Sequence[str], folder: Path, patience: float) -> None:
    """A program, ended with all that it started when it takes longer.

    Raises UnavailableError when it is not done after `patience` seconds, or fails.
    """
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, start_new_session=True) as process:
        try:
            ended = process.wait(patience)
        except BaseException as error:  # it has a session of its own, which Ctrl-C does not reach
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise UnavailableError(f"it was not done after {patience:g} seconds") from error
    if ended:
        raise UnavailableError(f"it ended with {ended}")
