"""The command `vitrine` of the index side: what goes to which stream, and the exit codes."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants
from PIL import Image

from indexer.encoders import KNOWN_MODELS
from tests.indexer.commands import OUTSIDE, Ran, refused, vitrine
from tests.indexer.encoders.tiny import save_tiny

PRODUCTS = """sku,name,color,photo
mug,Red mug,red,mug.png
lamp,Desk lamp,black,text.jpg
hat,Straw hat,yellow,nowhere.png
mug,Mug again,red,mug.png
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="module")
def built(model: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A folder with a shop of one good photo, a text named .jpg and a photo that is not there; and its first build."""
    folder = tmp_path_factory.mktemp("cli")
    shop = folder / "Shop"
    shop.mkdir()
    (shop / "products.csv").write_text(PRODUCTS)
    (shop / "text.jpg").write_text("this is not a photo")
    Image.new("RGB", (40, 40), "red").save(shop / "mug.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_IMAGES__DECODERS", "1")
        patch.setenv("VITRINE_IMAGES__DECODE_SECONDS", "120")
        return folder, vitrine(folder, "build", "Shop", "--store", "memory", "--encoder", model, "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "products.csv").write_text("id,title\nhat,Straw hat\n")
    return tmp_path


def test_a_build_tells_its_report_on_stdout_and_its_progress_on_stderr(built: tuple[Path, Ran]) -> None:
    _, ran = built
    report = ran.json()

    assert ran.code == 0
    assert (report["catalog"], report["state"], report["products"], report["images"]) == ("shop", "published", 3, 1)
    assert report["rejected_images"] == {"missing": 1, "unsupported_format": 1}
    assert report["rejected_rows"] == 1
    for stage in ("reading", "embedding", "rows", "images", "texts"):
        assert stage in ran.err


def test_building_the_same_again_is_said_for_people_too(built: tuple[Path, Ran], model: str) -> None:
    folder, first = built
    again = vitrine(folder, "build", "Shop/products.csv", "--store", "memory", "--encoder", model)

    assert again.code == 0
    assert f"Nothing changed: build {first.json()['build']} of catalog shop stays published." in again.out
    assert "Left out: 1 broken rows, 1 photos missing, 1 photos unsupported_format" in again.out
    assert "vitrine builds errors shop" in again.out
    assert "Nothing changed" not in again.err


def test_every_row_and_photo_left_out_is_listed_with_its_reason(built: tuple[Path, Ran]) -> None:
    folder, first = built
    by_catalog = vitrine(folder, "builds", "errors", "shop", "--json")
    by_build = vitrine(folder, "builds", "errors", first.json()["build"], "--json")
    for_people = vitrine(folder, "builds", "errors", "shop")

    listed = [(row["line"], row["product"], row["photo"], row["reason"]) for row in by_catalog.json()]
    assert listed == [
        (5, None, None, "broken_row"),
        (None, "hat", "nowhere.png", "missing"),
        (None, "lamp", "text.jpg", "unsupported_format"),
    ]
    assert "duplicate id 'mug'" in by_catalog.json()[0]["detail"]
    assert by_build.json() == by_catalog.json()
    assert "nowhere.png" in for_people.out
    assert (by_catalog.err, for_people.err) == ("", "")


def test_builds_are_listed(built: tuple[Path, Ran]) -> None:
    folder, first = built
    ran = vitrine(folder, "builds", "list", "--json")

    (row,) = ran.json()
    assert {name: row[name] for name in ("build", "catalog", "state", "store", "error")} == {
        "build": first.json()["build"],
        "catalog": "shop",
        "state": "published",
        "store": "memory",
        "error": None,
    }
    assert first.json()["build"] in vitrine(folder, "builds", "list", "--catalog", "shop").out
    assert "published catalogs: shop" in refused(vitrine(folder, "builds", "list", "--catalog", "shoq"))


def test_a_build_on_the_embedded_store_says_what_it_published_and_read(folder: Path, model: str) -> None:
    ran = vitrine(folder, "build", "products.csv", "--name", "hats", "--encoder", model)

    assert ran.code == 0
    assert "of catalog hats: 1 products, 0 photos in " in ran.out
    assert "Columns: id ← id, title ← title" in ran.out
    assert "writing" in ran.err
    assert any((folder / ".vitrine" / "stores" / "edge").iterdir())


def test_nothing_built_yet_is_an_empty_list(folder: Path) -> None:
    assert vitrine(folder, "builds", "list", "--json").json() == []
    assert vitrine(folder, "builds", "list").out == "None.\n"


def test_models_lists_the_known_ones(folder: Path) -> None:
    assert [row["name"] for row in vitrine(folder, "models", "--json").json()] == [model.name for model in KNOWN_MODELS]
    assert "ViT-L-14-quickgelu/openai" in vitrine(folder, "models").out


def test_config_shows_the_effective_settings_without_secrets(folder: Path) -> None:
    environment = {"DATABASE__URL": "postgresql+psycopg://me:hunter2@host/db", "STORE__KIND": "memory"}
    for_people = vitrine(folder, "config", **environment)
    for_programs = vitrine(folder, "config", "--json", **environment)

    assert "store.kind = memory" in for_people.out
    assert for_programs.json()["store"]["kind"] == "memory"
    assert for_programs.json()["database"]["url"]
    assert "hunter2" not in for_people.out + for_people.err + for_programs.out + for_programs.err


def test_an_unknown_build_is_refused(folder: Path) -> None:
    assert "There is no build 'nothing'" in refused(vitrine(folder, "builds", "errors", "nothing"))


def test_a_wrong_setting_is_named(folder: Path) -> None:
    assert "service.port" in refused(vitrine(folder, "config", SERVICE__PORT="high"))
    assert "store.kind" in refused(vitrine(folder, "build", "products.csv", "--store", "cassandra"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("sku,color\nmug,red\n", "no column for title; found sku, color. Name one with --map title=COLUMN."),
        ("color\nred\n", "no column for id, title"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(content: str, told: str, folder: Path) -> None:
    (folder / "products.csv").write_text(content)

    assert told in refused(vitrine(folder, "build", "products.csv"))
    assert not (folder / ".vitrine").exists(), "nothing was begun"


def test_a_path_that_is_no_catalogue_is_refused(folder: Path) -> None:
    (folder / "photo.psd").touch()

    assert "nowhere does not exist" in refused(vitrine(folder, "build", "nowhere"))
    assert ".psd is not supported; give .csv" in refused(vitrine(folder, "build", "photo.psd"))
    assert "image root" in refused(vitrine(folder, "build", "products.csv", "--root", "nowhere"))


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("title", "write FIELD=COLUMN"),
        ("=title", "write FIELD=COLUMN"),
        ("smell=title", "no field 'smell' to map; the fields are id, title"),
        ("colour=Farben", "no column 'Farben' to map to colour; found id, title"),
    ],
)
def test_a_wrong_mapping_is_refused(mapping: str, told: str, folder: Path) -> None:
    assert told in refused(vitrine(folder, "build", "products.csv", "--map", mapping))


def test_a_mapping_names_columns_that_would_not_be_recognised(folder: Path, model: str) -> None:
    (folder / "products.csv").write_text("nr,what\nhat,Straw hat\n")
    mapping = ("--map", "id=nr", "--map", "title=what")
    ran = vitrine(folder, "build", "products.csv", *mapping, "--store", "memory", "--encoder", model, "--json")

    assert (ran.code, ran.json()["products"]) == (0, 1)


def test_an_unknown_model_is_refused_with_the_known_ones(folder: Path) -> None:
    told = refused(vitrine(folder, "build", "products.csv", "--encoder", "ViT-X/nobody"))

    assert "No encoder named 'ViT-X/nobody'" in told
    assert "showroom, ViT-L-14-quickgelu/openai" in told


def test_an_unknown_language_is_refused(folder: Path, model: str) -> None:
    told = refused(vitrine(folder, "build", "products.csv", "--language", "xx", "--encoder", model))

    assert "No lexical search for language 'xx'" in told


def test_unusable_rows_only_is_a_failure_that_is_listed(folder: Path, model: str) -> None:
    (folder / "products.csv").write_text("id,title\nhat,\n")
    ran = vitrine(folder, "build", "products.csv", "--name", "hats", "--store", "memory", "--encoder", model)

    assert "no usable row; see why with: vitrine builds errors" in refused(ran, OUTSIDE)
    (row,) = vitrine(folder, "builds", "errors", "hats", "--json").json()
    assert (row["line"], row["detail"]) == (2, "no title")


def test_a_hub_that_cannot_be_reached_is_outside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))

    told = refused(vitrine(folder, "build", "products.csv", "--encoder", "hf-hub:somebody/something"), OUTSIDE)
    assert "could not fetch open_clip_config.json of somebody/something" in told


def test_a_database_that_cannot_be_reached_is_outside(folder: Path) -> None:
    url = f"sqlite:///{folder}/nowhere/vitrine.db"

    assert "is unavailable" in refused(vitrine(folder, "builds", "list", DATABASE__URL=url), OUTSIDE)


def test_a_damaged_cache_segment_is_named(built: tuple[Path, Ran], model: str, tmp_path: Path) -> None:
    shutil.copytree(built[0], tmp_path, dirs_exist_ok=True)
    segment = next((tmp_path / ".vitrine" / "embeddings").rglob("*.safetensors"))
    segment.write_bytes(b"nothing")

    told = refused(vitrine(tmp_path, "build", "Shop", "--store", "memory", "--encoder", model))
    assert f"{segment.relative_to(tmp_path)} is damaged or not of this encoder; delete it" in told


def test_without_a_command_the_help_is_shown(folder: Path) -> None:
    ran = vitrine(folder)

    assert "Usage: " in ran.out
    assert {"build", "builds", "config", "models", "search", "serve", "demo"} <= set(ran.out.split())
