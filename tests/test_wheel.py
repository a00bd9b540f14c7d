"""The built wheel, in an empty environment, away from the repository, indexes a shop and searches it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.faults.extents import extents

ROOT = Path(__file__).parent.parent
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
RUNTIME = "VITRINE_ENCODER__RUNTIME"
FIND = """
from importlib.util import find_spec
for name in ("onnx", "onnxruntime", "onnxscript", "tokenizers"):
    print(find_spec(name) is not None)
"""
COLOURS = {"red": (200, 30, 30), "green": (30, 140, 60), "blue": (40, 80, 200)}


@pytest.fixture(scope="module", autouse=True)
def certificates() -> None:
    """The system's own, as packages are fetched."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel and its pinned requirements, nothing else."""
    if UV is None:
        pytest.skip("uv is not installed; `make setup` brings it")
    work = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", str(work), cwd=ROOT)
    run(UV, "venv", "--quiet", "--python", sys.executable, str(work / "venv"), cwd=work)
    wheel = next(work.glob("*.whl"))
    python = work / "venv" / "bin" / "python"
    constraints = ROOT / "requirements.txt"
    run(
        UV, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(constraints), str(wheel), cwd=work
    )
    return python.parent


@pytest.mark.parametrize("runtime", extents(("torch",), ("auto",)))
def test_the_wheel_alone_indexes_and_searches(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    """In short without the export of the encoder, whose packages are there: `test_what_an_export_needs_is_there`."""
    monkeypatch.setenv(RUNTIME, runtime)
    catalogue = write_catalogue(tmp_path / "shop")
    vitrine = str(installed / "vitrine")
    report = json.loads(run(vitrine, "build", str(catalogue), "--json", cwd=tmp_path))
    answer = json.loads(run(vitrine, "search", "blue ball", "--page", "answer.html", "--json", cwd=tmp_path))
    assert (report["state"], report["products"], report["images"]) == ("published", 3, 3)
    assert {result["id"] for result in answer["results"]} == {"ball-red", "ball-green", "ball-blue"}
    assert answer["results"][0]["id"] == "ball-blue"
    assert "data:image/webp" in (tmp_path / "answer.html").read_text("utf-8")


def test_what_an_export_needs_is_there(installed: Path, tmp_path: Path) -> None:
    found = run(str(installed / "python"), "-c", FIND, cwd=tmp_path)
    assert found.split() == ["True"] * 4


def write_catalogue(folder: Path) -> Path:
    folder.mkdir()
    rows = ["id,title,colour,image"]
    for name, colour in COLOURS.items():
        picture = Image.new("RGB", (200, 200), "white")
        ImageDraw.Draw(picture).ellipse((30, 30, 170, 170), fill=colour)
        picture.save(folder / f"{name}.png")
        rows.append(f"ball-{name},{name} ball,{name},{name}.png")
    (folder / "products.csv").write_text("\n".join(rows), "utf-8")
    return folder / "products.csv"


def run(*command: str, cwd: Path) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == RUNTIME or not name.startswith(("VITRINE_", "PYTHON"))
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return done.stdout
