import shutil
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.encoders import open_encoder
from indexer.settings import EncoderSettings, Settings
from tests.fakes import ThingEncoder
from tests.indexer.commands import run_main
from tests.service.two_builds import TwoBuilds
from tests.service.worlds import (
    DRAWING,
    ITEMS,
    Command,
    Item,
    Outcome,
    build,
    photo_of,
    settings_of,
    tiny_model,
    write_catalogue,
)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VITRINE_HOME with the small catalogue built and published in it; tests only read it."""
    folder = tmp_path_factory.mktemp("shop")
    build(settings_of(folder / "home"), write_catalogue(folder / "catalogue"))
    return folder / "home"


@pytest.fixture(scope="session")
def memory(home: Path) -> Settings:
    """The memory store is filled from the ledger of the same home, so any number of tests can have one."""
    return settings_of(home, store={"kind": "memory"})


@pytest.fixture(scope="session")
def both(home: Path, tmp_path_factory: pytest.TempPathFactory) -> TwoBuilds:
    """Two finished builds of one catalog; the second has one product more."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copytree(home, folder / "home")
    settings = settings_of(folder / "home")
    database = open_catalogue(settings)
    _, first = published_build(database, None)
    new = Item("mug-new", "New mug", "red")
    second = build(settings, write_catalogue(folder / "catalogue", [*ITEMS, new]))
    return TwoBuilds(settings, database, first, second)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same catalogue built with an encoder that commands can open, the smallest there is."""
    folder = tmp_path_factory.mktemp("real")
    encoder = EncoderSettings(name=str(tiny_model(folder / "model")), device="cpu")
    settings = settings_of(folder / "home", encoder=encoder)
    build(settings, write_catalogue(folder / "catalogue"), open_encoder(encoder))
    return settings


@pytest.fixture(scope="session")
def drawing_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a shop that is built and published, and whose encoder sees one thing in every photo."""
    folder = tmp_path_factory.mktemp("drawing")
    settings = settings_of(folder / "home", store={"kind": "memory"}, generate={**DRAWING, "queue": 2})
    build(settings, write_catalogue(folder / "catalogue"), ThingEncoder())
    return settings


@pytest.fixture
def vitrine(
    real: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The command over the `real` catalogue, in a folder that holds nothing but red.png."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRINE_HOME", str(real.home))
    monkeypatch.setenv("VITRINE_IMAGES__DECODERS", "1")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "red.png").write_bytes(photo_of("red", seed=99))

    def run(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as end:
            run_main(*arguments)
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return run
