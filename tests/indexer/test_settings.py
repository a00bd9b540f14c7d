"""Where settings come from, and what they refuse."""

from pathlib import Path

import pytest

from indexer.bootstrap import load_settings, open_catalogue, override
from indexer.domain import Channel, QueryKind
from indexer.errors import CatalogueUnavailable, SettingsError
from indexer.settings import DatabaseSettings, Settings


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory; nothing about Vitrine in the environment."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_everything_has_a_default() -> None:
    settings = load_settings()

    assert (settings.home, settings.store.kind, settings.encoder.name) == (Path(".vitrine"), "edge", "showroom")


def test_the_environment_wins_over_dotenv_over_toml(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    toml = 'catalog = "toml"\n[encoder]\nname = "toml"\nbatch_size = 7\ndevice = "toml"\n'
    (folder / "vitrine.toml").write_text(toml)
    (folder / ".env").write_text("VITRINE_ENCODER__NAME=dotenv\nVITRINE_ENCODER__DEVICE=dotenv\n")
    monkeypatch.setenv("VITRINE_ENCODER__DEVICE", "environment")

    settings = load_settings()

    assert settings.catalog == "toml"
    assert (settings.encoder.batch_size, settings.encoder.name, settings.encoder.device) == (7, "dotenv", "environment")


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("STORE__KIND", "cassandra", "store.kind"),
        ("STORE__KINDD", "edge", "store.kindd"),
        ("ENCODER__BATCH_SIZE", "0", "encoder.batch_size"),
        ("ENCODER__BATCH_SIZE", "many", "encoder.batch_size"),
        ("ENCODER__PRECISION", "int4", "encoder.precision"),
        ("IMAGES__MAX_ASPECT", "1", "images.max_aspect"),
        ("SERVICE__PORT", "70000", "service.port"),
        ("SEARCH__WEIGHTS", '{"text": {"image": -1}}', "search.weights.text.image"),
        ("SEARCH__WEIGHTS", '{"text": {"smell": 1}}', "search.weights.text.smell"),
        ("SEARCH__WEIGHTS", '{"text": {"image": "NaN"}}', "search.weights.text.image"),
        ("SEARCH__WEIGHTS", "image=1", "VITRINE_SEARCH__WEIGHTS"),
        ("STORE", "edge", "VITRINE_STORE"),
    ],
)
def test_a_wrong_setting_is_refused_by_the_name_of_its_field(
    variable: str, value: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"VITRINE_{variable}", value)

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert field in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_STORE__KIND", "cassandra")
    monkeypatch.setenv("VITRINE_SERVICE__PORT", "-1")

    with pytest.raises(SettingsError, match=r"store\.kind: .*; service\.port: "):
        load_settings()


@pytest.mark.parametrize(("content", "told"), [("[store\n", "not TOML"), ("[stor]\nkind = 'edge'\n", "stor: ")])
def test_a_wrong_toml_file_is_refused(content: str, told: str, folder: Path) -> None:
    (folder / "vitrine.toml").write_text(content)

    with pytest.raises(SettingsError, match=told):
        load_settings()


def test_a_dotenv_may_hold_other_programs_variables_but_no_misspelt_ones_of_ours(folder: Path) -> None:
    (folder / ".env").write_text("OPENAI_API_KEY=x\nVITRINE_CATALOG=shop\nDEBUG=1\n")
    assert load_settings().catalog == "shop"

    (folder / ".env").write_text("VITRINE_CATALOGUE=shop\n")
    with pytest.raises(SettingsError, match="vitrine_catalogue"):
        load_settings()


def test_a_secret_is_never_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATABASE__URL", "postgresql://u:hunter2@host/db")
    monkeypatch.setenv("VITRINE_DATABASE__PASSWORD", "hunter2")

    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_weights_can_be_set_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_SEARCH__WEIGHTS", '{"text": {"image": 0.3, "lexical": 1}}')

    weights = load_settings().search.weights
    assert weights[QueryKind.TEXT] == {Channel.IMAGE: 0.3, Channel.LEXICAL: 1.0}
    assert weights[QueryKind.EDIT] == Settings().search.weights[QueryKind.EDIT]


def test_a_commands_own_choice_wins_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_ENCODER__BATCH_SIZE", "5")

    settings = override(store="memory", encoder="ViT-B-16-SigLIP/webli")

    assert (settings.store.kind, settings.encoder.name) == ("memory", "ViT-B-16-SigLIP/webli")
    assert settings.encoder.batch_size == 5
    assert override(store=None, encoder=None) == load_settings()


def test_a_commands_own_choice_is_checked_as_a_setting_is() -> None:
    with pytest.raises(SettingsError, match=r"store\.kind: Input should be 'edge'"):
        override(store="cassandra", encoder=None)


def test_a_home_that_cannot_be_made_is_refused_by_name(folder: Path) -> None:
    (folder / "occupied").write_text("a file")

    with pytest.raises(SettingsError, match=r"home: the directory .*occupied.* cannot be made"):
        open_catalogue(Settings(home=folder / "occupied" / "home"))


def test_a_database_that_cannot_be_opened_is_unavailable(folder: Path) -> None:
    url = f"sqlite:///{folder}/nowhere/shop.db"
    settings = Settings(home=folder, database=DatabaseSettings.model_validate({"url": url}))

    with pytest.raises(CatalogueUnavailable, match="unable to open database file"):
        open_catalogue(settings)
