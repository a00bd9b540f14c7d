"""A folder of photos indexed by us, and encoded as others encode a folder, with the same model on the same cores.

Ours is a whole build: photos decoded and encoded, texts too, rows in the ledger, a store that can be searched. The
others encode the photos and nothing else. The loop is that of sentence-transformers: Pillow and open_clip's transform
for one photo after the other, then the model, 32 at a time. clip-retrieval runs its own inference, four workers
preparing, in the environment that `make bench-peers` makes, once before the clock starts so that the model is loaded.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import open_clip
import torch
from PIL import Image

from eval.benchmarks.figures import Figure, Given, Missing, milliseconds
from eval.benchmarks.indexing import ARCHITECTURE, build, photos_of
from eval.benchmarks.models import random_export
from indexer.encoders import Encoder
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.settings import Settings
from indexer.showroom.catalogue import catalogue
from indexer.showroom.write import write_showroom

PRODUCTS: Final = 60
ROUNDS: Final = 3
TOGETHER: Final = 32
"""As sentence-transformers' `encode` has it."""
PEERS: Final = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
INFERENCE: Final = """
import sys, time
from clip_retrieval.clip_inference.main import main

folder, out, model = sys.argv[1:]
for number in range(2):
    started = time.perf_counter()
    main(folder, f"{out}/{number}", batch_size=32, enable_text=False, enable_image=True, clip_model=model)
print("seconds", time.perf_counter() - started)
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
        source = write_showroom(work / "showroom", catalogue()[:PRODUCTS])
        files = [source.parent / uri for uri in photos_of(source)]
        ours = _Ours(work, source, open_exported(export, Towers(text="int8", image="int8")))
        loop = _loop(files, weights)
        yield _figure("loop", "a loop as sentence-transformers has it, fp32", len(files), ours, lambda: _timed(loop))
        if not PEERS.is_file():
            yield Missing(name="peers.clip-retrieval", why="`make bench-peers` installs it, and was not run")
            return
        yield _figure(
            "clip-retrieval",
            "clip-retrieval's inference, fp32",
            len(files),
            ours,
            lambda: _inference(work, files, weights),
        )


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


def _figure(name: str, against: str, photos: int, ours: _Ours, theirs: Callable[[], float]) -> Figure:
    """Of seconds, in turn; the first of each is not counted."""
    spent = [(ours(), theirs()) for _ in range(ROUNDS + 1)][1:]
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
    """Raises CalledProcessError when it fails."""
    photos, out = work / "photos", work / "embeddings"
    photos.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, photos)
    model = f"open_clip:{ARCHITECTURE}/{weights}"
    ran = subprocess.run(
        [PEERS, "-c", INFERENCE, photos, out, model], check=True, stdout=subprocess.PIPE, text=True, cwd=work
    )
    shutil.rmtree(out)
    return float(next(line.split()[1] for line in ran.stdout.splitlines() if line.startswith("seconds ")))
