"""`vitrine eval probe` writes a page of what was seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from eval.errors import ExperimentError
from eval.experiments.probes import run_probe
from indexer.errors import ImageRejected
from indexer.settings import Settings
from service.generate.seam import Request
from tests.indexer.commands import run_main
from tests.service.worlds import photo_of, settings_of
from tests.tiny_diffusion.sdxl import write_sdxl

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("probes")
    write_sdxl(folder / "sdxl")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    weights = str(folder / "sdxl")
    diffusion = {"pipelines": {"sdxl-text": weights, "sdxl-image": weights}, "device": "cpu"}
    yield settings_of(folder / "home", generate={"diffusion": diffusion, "most_side": 64})
    torch.set_num_threads(before)


def test_a_page_has_the_picture_three_charts_and_what_the_decoder_loses(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(photo_of("red"))
    request = Request("but <b>blue</b>", pipeline="sdxl-image", steps=5)

    probed = run_probe(settings, request, tmp_path / "red.png", tmp_path / "probe.html")

    page = (tmp_path / "probe.html").read_text("utf-8")
    assert page.count('<svg class="chart"') == 3
    assert "data:image/webp;base64," in page
    assert f"{probed.findings.round_trip.psnr:.1f} dB" in page
    assert "but &lt;b&gt;blue&lt;/b&gt;" in page
    assert "<b>blue" not in page
    assert "<script" not in page
    assert probed.picture.provenance.recipe.inputs.keys() == {"reference"}


def test_one_step_of_one_token_is_said_to_show_nothing(settings: Settings, tmp_path: Path) -> None:
    request = Request("b", pipeline="sdxl-text", steps=1)

    run_probe(settings, request, None, tmp_path / "probe.html")

    page = (tmp_path / "probe.html").read_text("utf-8")
    assert "with one token nothing else" in page
    assert page.count("one step has nothing between steps") == 2


def test_what_cannot_be_drawn_is_refused_and_leaves_no_page(settings: Settings, tmp_path: Path) -> None:
    page, photo = tmp_path / "probe.html", tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(photo)

    with pytest.raises(ExperimentError, match="name its weights"):
        run_probe(settings, Request("but blue", pipeline="sdxl-turbo"), None, page)
    with pytest.raises(ExperimentError, match=r"missing\.png: No such file"):
        run_probe(settings, Request("but blue"), tmp_path / "missing.png", page)
    photo.write_bytes(b"no picture")
    with pytest.raises(ImageRejected):
        run_probe(settings, Request("but blue"), photo, page)
    assert not page.exists()


def test_the_command_prints_what_was_seen_and_leaves_the_page(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRINE_HOME", str(settings.home))
    monkeypatch.setenv("VITRINE_GENERATE", settings.generate.model_dump_json())

    with pytest.raises(SystemExit) as end:
        run_main("eval", "probe", "but blue", "--pipeline", "sdxl-text", "--json")

    assert not end.value.code
    assert len(json.loads(capsys.readouterr().out)["entropy"]) == 30
    assert (tmp_path / "probe.html").read_text("utf-8").startswith("<!doctype html>")
