"""What is installed: pinned, hashed, of no particular registry, and not below what is known to be safe."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT: Final = Path(__file__).parent.parent
LOCKED: Final = ROOT / "deploy" / "requirements"
TESTED: Final = ROOT / "requirements.txt"
UNHASHED: Final = LOCKED / "torch-cpu.txt"
LOCKS: Final = [TESTED, *sorted(LOCKED.glob("*.txt"))]
HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")

FLOORS: Final = {
    "aiohttp": ("3.13.3", "CVE-2025-69223: a compressed body fills the memory"),
    "certifi": ("2024.7.4", "CVE-2024-39689: an authority that is no longer trusted"),
    "cryptography": ("44.0.1", "CVE-2024-12797: OpenSSL's raw public keys"),
    "h11": ("0.16.0", "CVE-2025-43859: smuggled requests in chunked bodies"),
    "h2": ("4.3.0", "CVE-2025-57804: smuggled requests"),
    "jinja2": ("3.1.6", "CVE-2025-27516: the sandbox is left through |attr"),
    "pillow": ("13.0.0", "CVE-2026-112403: heap overflow in JPEGs"),
    "protobuf": ("6.31.1", "CVE-2025-4565: recursion without end"),
    "pyarrow": ("14.0.1", "CVE-2023-47248: code in a Parquet file"),
    "pyjwt": ("2.10.1", "CVE-2024-53861: an issuer that only contains the right one"),
    "python-multipart": ("0.0.34", "forms that take time and memory without bound; CVE-2024-53981 and later"),
    "requests": ("2.32.4", "CVE-2024-47081: credentials sent to another host"),
    "setuptools": ("78.1.1", "CVE-2025-47273: a path that leads out"),
    "starlette": ("1.10", "forms and ranges that take time without bound; CVE-2025-62727 and later"),
    "torch": ("2.6.0", "CVE-2025-32434: code in a checkpoint, although only weights are loaded"),
    "urllib3": ("2.6.0", "CVE-2025-66471: a compressed answer fills the memory"),
}
"""What lies in the way of what strangers send. Raise one when an advisory comes out; `make audit` tells of them."""


def pinned(lock: Path) -> dict[str, set[str]]:
    """Versions by name; several where they differ by Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", lock.read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def demanded() -> dict[str, Requirement]:
    """What pyproject.toml asks for, extras and all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {one.name.lower().replace("_", "-"): one for group in groups for one in map(Requirement, group)}


@pytest.mark.parametrize("package", FLOORS)
def test_nothing_is_locked_below_its_floor(package: str) -> None:
    floor, reason = FLOORS[package]
    locked = {version for lock in LOCKS for version in pinned(lock).get(package, ())}
    assert locked, "nothing needs it any more: drop this line"
    assert {one for one in locked if Version(one) < Version(floor)} == set(), reason


@pytest.mark.parametrize("package", sorted(set(FLOORS) & set(demanded())))
def test_nothing_below_its_floor_satisfies_pyproject(package: str) -> None:
    floor, reason = FLOORS[package]
    specified = [Version(one.version) for one in demanded()[package].specifier if one.operator in (">=", "==")]
    assert specified, "has no lower bound"
    assert max(specified) >= Version(floor), reason


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_registry(lock: Path) -> None:
    """No host, no index, no file of the machine that wrote it: each takes packages from where it is set up to."""
    text = lock.read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("-")]
    assert lines == []
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links| @ ", text)


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock != UNHASHED], ids=lambda lock: lock.name)
def test_every_package_is_pinned_by_the_hashes_of_its_files(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text("utf-8").strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry.splitlines()[0]
        assert HASH.search(entry), entry.splitlines()[0]


def test_torch_without_cuda_is_the_version_that_is_tested() -> None:
    tested, locked = pinned(TESTED), pinned(UNHASHED)
    assert set(locked) == {"torch", "torchvision"}
    assert {name: {one.removesuffix("+cpu") for one in versions} for name, versions in locked.items()} == {
        name: tested[name] for name in locked
    }


@pytest.mark.parametrize("lock", [*sorted(LOCKED.glob("*u.txt")), LOCKED / "ray.txt"], ids=lambda lock: lock.name)
def test_containers_have_the_versions_that_are_tested(lock: Path) -> None:
    tested = pinned(TESTED)
    differing = {
        name: versions
        for name, versions in pinned(lock).items()
        if name in tested and not {one.removesuffix("+cpu") for one in versions} <= tested[name]
    }
    assert differing == {}


def test_the_image_for_cpus_has_no_cuda() -> None:
    assert [name for name in pinned(LOCKED / "cpu.txt") if re.match("nvidia|cuda|triton|torch", name)] == []


def test_together_the_locks_of_an_image_have_everything_once() -> None:
    cpu, gpu, ray = (set(pinned(LOCKED / f"{name}.txt")) for name in ("cpu", "gpu", "ray"))
    assert cpu & gpu == set()
    assert (cpu | gpu) & ray == set()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = {Requirement(one).name.lower().replace("_", "-") for one in project["dependencies"]}
    assert core - (cpu | gpu) == set()


def test_everything_that_is_demanded_for_development_is_locked() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    locked = pinned(TESTED)
    for one in map(Requirement, extras["dev"]):
        versions = locked[one.name.lower().replace("_", "-")]
        assert all(one.specifier.contains(version) for version in versions), one


def test_every_lock_is_audited() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile[makefile.index("\naudit:") :].partition("\n\n")[0]
    named = set(re.findall(r"[\w-]+\.txt", recipe))
    assert named == {lock.name for lock in LOCKS} - {UNHASHED.name}, "PyPI knows no PyTorch without CUDA"
    assert "--strict" in recipe
