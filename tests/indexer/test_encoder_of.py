"""A build exports its encoder, and who searches the build opens the export: without torch, with the same vectors."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.bootstrap import encoder_of, open_pipeline
from indexer.builds.live import published_build, read_layout
from indexer.domain import BuildManifest
from indexer.encoders import EncoderSettings
from indexer.encoders.choice import folder_of, read_choice
from indexer.encoders.choosing import towers_found
from indexer.errors import InputError
from indexer.settings import Settings
from indexer.sources import open_source
from tests.indexer.builds.shop import Shop, catalogue, sell_mugs
from tests.indexer.encoders.tiny import save_tiny

SEARCH = """
import json, sys
from pathlib import Path
from indexer.bootstrap import encoder_of, load_settings
from indexer.domain import BuildManifest

encoder = encoder_of(BuildManifest.model_validate_json(Path(sys.argv[1]).read_bytes()), load_settings())
rows = encoder.encode_texts(["red mug"])
print(json.dumps([rows.tolist(), sorted({"torch", "open_clip", "timm", "onnx", "onnxscript"} & set(sys.modules))]))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BuildManifest]:
    """Built twice, as `vitrine build` does; a build of so small a catalogue measures what there is."""
    folder = tmp_path_factory.mktemp("exported")
    shop = Shop.at(folder)
    sell_mugs(shop)
    encoder = EncoderSettings(name=str(save_tiny(folder / "model")), device="cpu", runtime="onnx", threads=1)
    settings = shop.settings.model_copy(update={"encoder": encoder})
    with catalogue(settings) as database:
        open_pipeline(database, settings).run(open_source(shop.file), "shop", lambda progress: None)
        manifest, _ = read_layout(database, published_build(database, "shop")[1])
    return settings, manifest


@pytest.fixture
def copied(built: tuple[Settings, BuildManifest], tmp_path: Path) -> tuple[Settings, BuildManifest]:
    settings, manifest = built
    shutil.copytree(settings.home / "encoders", tmp_path / "encoders")
    return settings.model_copy(update={"home": tmp_path}), manifest


def test_a_build_measures_what_it_exports_on_its_own_texts_and_photos(built: tuple[Settings, BuildManifest]) -> None:
    settings, manifest = built
    measured = read_choice(folder_of(settings.home, manifest.encoder)).catalogs["shop"]

    assert (measured.texts, measured.photos) == (5, 4)
    assert measured.tried[0].agrees


def test_queries_are_encoded_without_torch_and_to_the_same_vectors(
    built: tuple[Settings, BuildManifest], tmp_path: Path
) -> None:
    settings, manifest = built
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
    chosen = {"NAME": settings.encoder.name, "DEVICE": "cpu", "RUNTIME": "onnx", "THREADS": "1"}
    environment = {f"VITRINE_ENCODER__{name}": value for name, value in chosen.items()}
    ran = subprocess.run(
        [sys.executable, "-c", SEARCH, str(tmp_path / "manifest.json")],
        env={**os.environ, **environment, "VITRINE_HOME": str(settings.home), "PYTHONPATH": os.getcwd()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    rows, heavy = json.loads(ran.stdout)
    by_torch = settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"runtime": "torch"})})
    assert heavy == []
    assert np.sum(np.array(rows) * encoder_of(manifest, by_torch).encode_texts(["red mug"])) > 0.998


def test_a_damaged_export_is_told_and_torch_encodes(
    copied: tuple[Settings, BuildManifest], caplog: pytest.LogCaptureFixture
) -> None:
    settings, manifest = copied
    for weights in folder_of(settings.home, manifest.encoder).glob("export/*.onnx"):
        weights.write_bytes(weights.read_bytes()[:-1])

    assert encoder_of(manifest, settings).spec.identity == manifest.encoder
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert len(told) == 1
    assert "is damaged" in told[0]
    with pytest.raises(InputError, match="is damaged"):
        towers_found(settings.home, manifest.encoder, settings.encoder)


def test_the_weights_are_not_needed_where_their_export_is(
    copied: tuple[Settings, BuildManifest], caplog: pytest.LogCaptureFixture
) -> None:
    settings, manifest = copied
    elsewhere = settings.encoder.model_copy(update={"name": "/no/such/model"})

    encoder = encoder_of(manifest, settings.model_copy(update={"encoder": elsewhere}))
    assert encoder.spec.identity == manifest.encoder
    assert caplog.messages == []
