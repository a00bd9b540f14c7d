import json
import resource
import shutil
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build, read_layout
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.states import Scope
from indexer.encoders.choice import folder_of
from indexer.settings import Settings
from service.access import Access
from service.address import announce
from service.doctor import Finding, State, examine
from service.doctor.examining import OF_DATABASE, OTHERS
from tests.openai_server import OpenAiServer, refusing, saying
from tests.service.worlds import CATALOG, Command


@pytest.fixture(scope="module")
def healthy(real: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of its own, built, with a key and a port that is free."""
    home = tmp_path_factory.mktemp("doctor") / "home"
    shutil.copytree(real.home, home)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    service = real.service.model_copy(update={"port": port})
    settings = real.model_copy(update={"home": home, "service": service})
    Access(open_catalogue(settings)).add("Kim", (Scope.ADMIN,), days=90)
    return settings


def found(settings: Settings, online: bool = False) -> dict[str, Finding]:
    return {one.part: one for one in examine(settings, online)}


def one_of(part: str, settings: Settings, online: bool = False) -> Sequence[Finding]:
    """What its check finds, without waiting for the others."""
    from indexer.bootstrap import catalogue_of
    from service.doctor.patient import Patient

    check = dict([*OF_DATABASE, *OTHERS])[part]
    return list(check(Patient(settings, catalogue_of(settings), online)))


def test_what_is_in_order_is_said_part_by_part(healthy: Settings) -> None:
    told = found(healthy)
    assert {part for part, one in told.items() if one.state is State.FAULT} == set()
    in_order = {part for part, one in told.items() if one.state is State.OK}
    assert {"home", "database", "published", "clock", f"build of {CATALOG}", "decoders", "keys", "service"} <= in_order
    assert any(part.startswith("encoder ") for part in in_order)
    assert (told["backups"].state, told["backups"].todo) == (
        State.WARNING,
        "take one, and each day after: vitrine backup",
    )


def test_whatever_is_not_in_order_comes_with_what_to_do(healthy: Settings) -> None:
    assert all(bool(one.todo) == (one.state is not State.OK) for one in examine(healthy))


def test_looking_makes_no_database(tmp_path: Path) -> None:
    told = found(Settings(home=tmp_path))
    assert told["database"].state is State.WARNING
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    (one,) = one_of("home", Settings(home=tmp_path / "gone"))
    assert (one.state, "No such file" in one.said) == (State.FAULT, True)


def test_a_database_that_is_none_is_one_fault_and_what_needs_it_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "vitrine.db").write_bytes(b"no database at all" * 100)
    told = found(Settings(home=tmp_path))
    assert told["database"].state is State.FAULT
    assert {told[part].said for part in ("published", "builds", "keys")} == {"not looked at: the database is away"}
    assert told["home"].state is State.OK


def test_of_a_database_server_that_is_away_it_says_where_to_look(tmp_path: Path) -> None:
    url = "postgresql+psycopg://vitrine:secret-word@127.0.0.1:9/vitrine"
    told = found(Settings.model_validate({"home": tmp_path, "database": {"url": url}}))
    assert told["database"].todo == "is it running? see host, port, user and password in database.url"
    assert [part for part, one in told.items() if one.state is State.FAULT] == ["database"]
    assert "secret-word" not in repr(told)


def test_a_store_that_is_away_is_not_to_be_copied_into_and_the_encoder_is_looked_at(healthy: Settings) -> None:
    away = {"kind": "qdrant", "qdrant": {"url": "http://127.0.0.1:9", "grpc_port": 9}}
    settings = healthy.model_copy(update={"store": type(healthy.store).model_validate(away)})
    store, encoder = one_of("builds", settings)
    assert (store.part, store.state) == ("store", State.FAULT)
    assert store.todo.startswith("is Qdrant running?")
    assert (encoder.part.split()[0], encoder.state) == ("encoder", State.OK)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("showroom", State.OK),
        ("ViT-L-14-quickgelu/openai", State.OK),
        ("hf-hub:OWNER/NAME", State.OK),
        ("nosuch", State.FAULT),
        ("hf-hub:nosuch", State.FAULT),
        ("tests", State.FAULT),
    ],
)
def test_the_name_of_the_encoder_is_looked_up_and_not_loaded(tmp_path: Path, name: str, state: State) -> None:
    (one,) = one_of("encoder", Settings.model_validate({"home": tmp_path, "encoder": {"name": name}}))
    assert (one.part, one.state) == ("encoder.name", state)


def test_a_store_that_lacks_the_published_build_is_a_fault(healthy: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(healthy.home, home)
    shutil.rmtree(home / "stores", ignore_errors=True)
    for left in home.glob("*edge*"):
        shutil.rmtree(left)
    one = next(iter(one_of("builds", healthy.model_copy(update={"home": home}))))
    assert one.state is State.FAULT
    assert "vitrine builds copy" in one.todo


def test_another_encoder_than_the_builds_is_a_fault(healthy: Settings, tmp_path: Path) -> None:
    name = Path(healthy.encoder.name)
    moved = tmp_path / "elsewhere"
    name.rename(moved)
    try:
        told = one_of("builds", healthy)
    finally:
        moved.rename(name)
    assert told[-1].part.startswith("encoder ")
    assert told[-1].state is State.FAULT


def test_what_computes_for_queries_is_said_and_an_export_that_is_damaged_is_a_warning(
    healthy: Settings, tmp_path: Path
) -> None:
    settings = healthy.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(healthy.home, settings.home)
    whole = one_of("builds", settings)[-1]
    database = open_catalogue(settings)
    manifest, _ = read_layout(database, published_build(database, CATALOG)[1])
    folder = folder_of(settings.home, manifest.encoder)
    folder.mkdir(parents=True)
    (folder / "choice.json").write_text("torn")
    damaged = one_of("builds", settings)[-1]

    assert (whole.state, damaged.state) == (State.OK, State.WARNING)
    assert whole.said.endswith(", with torch")
    assert "choice.json cannot be read" in damaged.said


def test_a_port_that_another_one_has_is_a_fault(healthy: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = healthy.service.model_copy(update={"port": taken.getsockname()[1]})
        (one,) = one_of("service", healthy.model_copy(update={"service": service}))
    assert (one.state, "Address already in use" in one.said) == (State.FAULT, True)


def test_a_leftover_of_a_dead_service_is_no_service(healthy: Settings, tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:9", "dead")
    (one,) = one_of("service", healthy.model_copy(update={"home": tmp_path}))
    assert one.said.startswith("it does not run")


def test_keys_that_soon_open_nothing_are_named(healthy: Settings) -> None:
    database = open_catalogue(healthy)
    Access(database).add("Tablet in the shop", (Scope.SEARCH,), days=3)
    told = one_of("keys", healthy)
    assert [one.said.split(" (")[0] for one in told[1:]] == ["Tablet in the shop"]


def test_a_build_that_nobody_works_on_and_a_clock_that_is_behind_are_told(tmp_path: Path) -> None:
    settings, now = Settings(home=tmp_path), datetime.now(UTC)
    with open_catalogue(settings).begin() as session:
        for name, at in (("shoes", now - timedelta(hours=1)), ("mugs", now + timedelta(hours=1))):
            CatalogRepository(session).ensure(name, root=str(tmp_path), source="s")
            BuildRepository(session).create(f"b-{name}", name, owner="w", store="edge", source="s", settings={}, now=at)
    told = {one.part: one for one in one_of("published", settings)}
    assert told["published"].state is told["worker"].state is State.WARNING
    assert "b-shoes" in told["worker"].said
    assert told["clock"].state is State.FAULT


@pytest.fixture
def few_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
def test_few_files_are_a_warning(tmp_path: Path) -> None:
    (one,) = one_of("file limit", Settings(home=tmp_path))
    assert one.state is State.WARNING


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.OK),
        ({"service": {"host": "0.0.0.0"}, "access": {"public": ["search"], "hosts": ["shop.example"]}}, State.OK),
        ({"service": {"host": "0.0.0.0"}, "access": {"public": ["search"]}}, State.WARNING),
        ({"service": {"host": "0.0.0.0"}, "access": {"public": ["metrics"], "hosts": ["s"]}}, State.WARNING),
    ],
)
def test_what_is_open_to_whom_is_told(tmp_path: Path, changes: dict[str, object], state: State) -> None:
    (one,) = one_of("exposure", Settings.model_validate({"home": tmp_path, **changes}))
    assert one.state is state


def test_an_endpoint_is_asked_only_if_that_is_wanted_and_what_it_costs_is_told(tmp_path: Path) -> None:
    with OpenAiServer() as server:
        rerank = {"base_url": server.url, "model": "gpt-4o-mini", "api_key": "secret-key"}
        settings = Settings.model_validate({"home": tmp_path, "rerank": rerank})
        (untried,) = one_of("endpoints", settings)
        assert server.asked == []
        server.always(saying("ok"))
        (tried,) = one_of("endpoints", settings, online=True)
        assert len(server.asked) == 1
        server.always(refusing())
        (refused,) = one_of("endpoints", settings, online=True)
    (gone,) = one_of("endpoints", settings, online=True)
    assert "--online" in untried.said
    assert "at most $" in untried.said
    assert [one.state for one in (untried, tried, refused, gone)] == [State.OK, State.OK, State.FAULT, State.FAULT]
    assert "secret-key" not in repr((untried, tried, refused, gone))


def test_what_lies_elsewhere_is_written_read_and_deleted_once(tmp_path: Path) -> None:
    kept = tmp_path / "elsewhere"
    settings = Settings.model_validate({"home": tmp_path, "backup": {"url": str(kept)}})
    (one,) = one_of("storage", settings)
    assert one.state is State.OK
    assert list(kept.iterdir()) == []
    (kept / "file").write_bytes(b"")
    (bad,) = one_of("storage", Settings.model_validate({"home": tmp_path, "backup": {"url": str(kept / "file")}}))
    assert bad.state is State.FAULT
    assert not (tmp_path / ".doctor-probe").exists()


def test_a_redis_that_does_not_answer_is_a_warning(tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path, "access": {"redis": "redis://:secret-word@127.0.0.1:9/0"}})
    (one,) = one_of("redis", settings)
    assert one.state is State.WARNING
    assert "secret-word" not in repr(one)


def test_a_provider_that_does_not_answer_is_a_fault(tmp_path: Path) -> None:
    oidc = {"issuer": "https://127.0.0.1:9/", "audience": "vitrine"}
    told = found(Settings.model_validate({"home": tmp_path, "access": {"oidc": oidc}}))
    assert told["oidc"].state is State.FAULT


def test_weights_that_are_not_there_are_a_warning(tmp_path: Path) -> None:
    diffusion = {"pipelines": {"sdxl-turbo": str(tmp_path)}}
    generate = {"generators": ["diffusion"], "diffusion": diffusion}
    (one,) = one_of("generators", Settings.model_validate({"home": tmp_path, "generate": generate}))
    assert (one.part, one.state) == ("generator sdxl-turbo", State.WARNING)


def test_the_command_tells_all_and_ends_with_1_for_a_fault(
    vitrine: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path))
    fine = vitrine("doctor", "--json")
    assert fine.code == 0
    assert {one["part"] for one in json.loads(fine.out)} >= {"home", "database", "service"}
    monkeypatch.setenv("VITRINE_SERVICE__PORT", "none")
    wrong = vitrine("doctor")
    assert wrong.code == 1
    assert wrong.out.startswith("fault   settings: Settings are wrong. service.port")
