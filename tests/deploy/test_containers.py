"""The Dockerfile, what reaches a builder, and the script that tries the images on a machine with Docker."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, ROOT

DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
PROGRAMS = Path(sys.executable).parent
IMAGES = ("cpu", "gpu", "ray")


def instructions() -> list[str]:
    """One line each."""
    plain = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [line for line in plain.splitlines() if line.strip()]


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in instructions():
        if line.startswith("FROM "):
            found[line.split()[-1]] = [line]
        elif found:
            found[list(found)[-1]].append(line)
    return found


def lineage(stage: str) -> list[str]:
    """The stage's lines behind those of what it is made from."""
    base = stages()[stage][0].split()[1]
    return [*(lineage(base) if base in stages() else []), *stages()[stage]]


def test_the_linter_has_nothing_to_say() -> None:
    said = subprocess.run([PROGRAMS / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("script", ["smoke.sh"])
def test_scripts_are_clean(script: str) -> None:
    said = subprocess.run([PROGRAMS / "shellcheck", DEPLOY / script], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_nobody_in_particular(image: str) -> None:
    assert [line for line in lineage(image) if line.startswith("USER ")][-1] == "USER 10001:10001"


@pytest.mark.parametrize("image", ["cpu", "gpu"])
def test_a_service_says_whether_it_is_alive(image: str) -> None:
    lines = "\n".join(lineage(image))
    assert "HEALTHCHECK" in lines
    assert "/v1/health" in lines
    assert 'ENTRYPOINT ["vitrine"]' in lines


def test_the_last_stage_is_the_plain_one() -> None:
    assert list(stages())[-1] == "cpu"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_no_tools_that_built_it(image: str) -> None:
    copied = [line for line in lineage(image) if line.startswith("COPY ")]
    assert [line.split()[1] for line in copied] == [f"--from=packages-{image}"]
    assert not any(line.startswith("ADD ") for line in instructions())


def test_what_is_installed_is_checked_by_its_hash() -> None:
    """All but PyTorch without CUDA, whose hashes are checked once they were fetched (deploy/requirements/README.md)."""
    installs = [line for line in instructions() if "pip install" in line and "--requirement" in line]
    unchecked = [line for line in installs if "--require-hashes" not in line]
    assert len(installs) == 5
    assert [line.split()[-1] for line in unchecked] == ["torch-cpu.txt"]
    assert all("--only-binary :all:" in line for line in installs)


def test_no_secret_is_built_in() -> None:
    assert not re.search(r"(?i)(password|secret|token|api_key)\s*=", DOCKERFILE)


def test_only_what_is_copied_reaches_a_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    shown = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {
        source
        for line in instructions()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    }
    assert rules[0] == "*"
    assert {name for name in copied if not any(fnmatch(f"{name}/", f"{one}/*") for one in shown)} == set()
    assert {name for name in shown if not (ROOT / name).exists()} == set()


def test_everything_of_the_wheel_is_copied() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = re.search(r"wheel\]\npackages = \[(.*)\]", pyproject)
    assert packages
    assert {f"COPY {name} {name}" for name in re.findall(r'"(\w+)"', packages.group(1))} <= set(instructions())


def test_the_image_and_the_manifests_say_which_version_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"ARG VERSION={project['version']}" in instructions()
    kustomization = (DEPLOY / "kubernetes" / "base" / "kustomization.yaml").read_text("utf-8")
    assert f"newTag: {project['version']}-cpu" in kustomization
