"""deploy/compose.yaml and what is laid over it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.settings import Settings
from tests.deploy.env_example import FILE, names
from tests.deploy.files import DEPLOY, ROOT, document, inside, mapping, several

FILES = ("compose.yaml", "compose.gpu.yaml")
PLAIN = DEPLOY / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(?::?-((?:[^{}])*))?\}")


def interpolated(given: object) -> object:
    """As Compose reads it where nothing is set: value by value, behind the YAML."""
    if isinstance(given, dict):
        return {name: interpolated(value) for name, value in given.items()}
    if isinstance(given, list):
        return [interpolated(value) for value in given]
    return VARIABLE.sub(lambda found: found.group(2) or "", given) if isinstance(given, str) else given


def services() -> dict[str, object]:
    return mapping(inside(interpolated(document(PLAIN)), "services"))


OURS = {"api", "worker"}


@pytest.mark.parametrize("file", FILES)
def test_the_files_are_as_the_specification_has_them(file: str, tmp_path: Path) -> None:
    read = tmp_path / file
    read.write_text(json.dumps(interpolated(document(DEPLOY / file))), "utf-8")
    checker = Path(sys.executable).parent / "check-jsonschema"
    checked = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", read], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", FILES)
def test_every_variable_has_a_default(file: str) -> None:
    """So that nothing has to be set for a first look; what has no default is left out of the container."""
    text = (DEPLOY / file).read_text("utf-8")
    assert {name for name, default in VARIABLE.findall(text) if not default} == set()
    assert text.count("${") == len(VARIABLE.findall(text))


def test_without_a_profile_only_the_stores_start() -> None:
    """`docker compose -f deploy/compose.yaml up --wait`, as the README has it, has always meant these two."""
    assert {name for name, service in services().items() if not inside(service, "profiles")} == {"qdrant", "postgres"}
    assert {
        str(several(inside(service, "profiles"))[0]) for service in services().values() if inside(service, "profiles")
    } == {*("shop", "redis", "vlm", "observe")}


@pytest.mark.parametrize("name", sorted(services()))
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    ports = inside(services()[name], "ports")
    assert all(str(port).startswith("127.0.0.1:") for port in several(ports or []))


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_are_locked_in(name: str) -> None:
    service = mapping(services()[name])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "network_mode" not in service


@pytest.mark.parametrize("name", sorted(services()))
def test_images_are_pinned_and_volumes_declared(name: str) -> None:
    image = str(inside(services()[name], "image"))
    assert ":" in image
    assert not image.endswith(":latest")
    declared = mapping(document(PLAIN)["volumes"])
    sources = [str(volume).split(":")[0] for volume in several(inside(services()[name], "volumes") or [])]
    assert {source for source in sources if not source.startswith(".") and source not in declared} == set()
    assert {source for source in sources if source.startswith(".") and not (DEPLOY / source).exists()} == set()


def test_qdrant_has_the_minor_version_of_its_client() -> None:
    client = re.search(r"^qdrant-client==(\d+\.\d+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert client
    assert f"qdrant/qdrant:v{client.group(1)}." in str(inside(services()["qdrant"], "image"))


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_settings_of_our_containers_are_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = mapping(inside(services()[name], "environment"))
    assert {one for one in given if one.startswith("VITRINE_")} - set(names()) == set()
    monkeypatch.chdir(tmp_path)
    for variable, value in given.items():
        if value is not None:
            monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.store.kind == "qdrant"
    assert settings.access.public == (("search", "metrics") if name == "api" else None)


def test_what_is_laid_over_it_is_laid_over_services_that_are_there() -> None:
    over = mapping(document(DEPLOY / "compose.gpu.yaml")["services"])
    assert set(over) <= set(services())
    assert {str(inside(service, "build", "target")) for service in over.values()} == {"gpu"}


def test_targets_are_stages_of_the_dockerfile() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    targets = re.findall(r"^\s+target: (\w+)$", PLAIN.read_text("utf-8"), re.MULTILINE)
    assert targets
    assert {one for one in targets if f" AS {one}\n" not in dockerfile} == set()


def test_variables_of_compose_are_in_the_example() -> None:
    example = FILE.read_text("utf-8")
    used = {name for file in FILES for name, _ in VARIABLE.findall((DEPLOY / file).read_text("utf-8"))}
    assert {name for name in used if f"# {name}=" not in example} == {"IMAGE"}
