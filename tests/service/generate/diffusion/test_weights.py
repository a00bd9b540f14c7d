"""What weights may be, and what is said of those that may not."""

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from service.generate.diffusion.weights import UnusableWeights, located
from service.generate.seam import GenerationFailed, Unsuited
from tests.service.generate.diffusion.worlds import asked, diffusion, draw

UNET = Path("unet", "diffusion_pytorch_model.safetensors")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def own(sdxl: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(sdxl, tmp_path / "own"))


def with_index(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        index = folder / "model_index.json"
        content = json.loads(index.read_text())
        change(content)
        index.write_text(json.dumps(content))

    return spoil


def only_a_pickle(folder: Path) -> None:
    (folder / UNET).rename(folder / "unet" / "diffusion_pytorch_model.bin")


def shards_elsewhere(folder: Path) -> None:
    index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.weight": "../../../other.safetensors"}}))


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda folder: (folder / "model_index.json").unlink(), "has no model_index.json"),
    "an index that is no JSON": (
        lambda folder: (folder / "model_index.json").write_text("{"),
        "cannot be read as JSON",
    ),
    "an index without end": (lambda folder: (folder / "model_index.json").write_text("[" * 200_000), "cannot be read"),
    "an index that is no object": (lambda folder: (folder / "model_index.json").write_text("[]"), "is not an object"),
    "a pipeline with code": (with_index(lambda index: index.update(_class_name=["pipeline", "Mine"])), "with code"),
    "a component with code": (with_index(lambda index: index.update(unet=["mine", "Unet"])), "unet is from 'mine'"),
    "a component outside": (
        with_index(lambda index: index.update({"../unet": ["diffusers", "UNet2DConditionModel"]})),
        "'../unet' is no component",
    ),
    "a component in knots": (
        with_index(lambda index: index.update(unet=[["diffusers"], "UNet2DConditionModel"])),
        "'unet' is no component",
    ),
    "a pickle": (only_a_pickle, r"\(diffusion_pytorch_model.bin can run code"),
    "a component without weights": (lambda folder: (folder / UNET).unlink(), "unet has no weights as .safetensors"),
    "shards outside": (shards_elsewhere, "must name files beside it"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_and_broken_directories_are_refused_before_anything_is_loaded(own: Path, what: str) -> None:
    spoil, said = HOSTILE[what]
    spoil(own)

    with pytest.raises(Unsuited, match=said):
        diffusion(own).plan(asked("sdxl-text"))


def truncated(folder: Path) -> None:
    os.truncate(folder / UNET, (folder / UNET).stat().st_size // 2)


BROKEN: dict[str, Callable[[Path], object]] = {
    "truncated weights": truncated,
    "a component that lacks its configuration": lambda folder: (folder / "unet" / "config.json").unlink(),
    "a class that is not there": with_index(lambda index: index.update(_class_name="NoSuchPipeline")),
    "a class that is no pipeline": with_index(lambda index: index.update(_class_name="UNet2DConditionModel")),
    "a pipeline of another kind": with_index(lambda index: index.update(_class_name="DDPMPipeline")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_does_not_load_fails_with_its_name(own: Path, what: str) -> None:
    BROKEN[what](own)
    drawer = diffusion(own)

    with pytest.raises(GenerationFailed, match="do not load"):
        draw(drawer, asked("sdxl-text"))
    with pytest.raises(GenerationFailed, match="do not load"):
        draw(drawer, asked("sdxl-text"))
    drawer.close()


@pytest.mark.parametrize("name", ["nowhere", "/nowhere/at/all", "a/b/c", "a b/c", "https://example.org/x", "../up"])
def test_what_is_neither_a_directory_nor_a_repository_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableWeights, match="neither a directory nor a repository"):
        located(name)


def test_the_revision_of_a_directory_is_that_of_what_is_loaded_from_it(own: Path) -> None:
    before = located(str(own)).revision
    (own / "README.md").write_text("about")
    (own / ".cache").mkdir()
    (own / ".cache" / "state.json").write_text("{}")
    assert located(str(own)).revision == before

    (own / "scheduler" / "scheduler_config.json").write_text("{}")
    assert located(str(own)).revision != before


def test_weights_are_read_once_for_their_revision_as_long_as_they_are_not_touched(own: Path) -> None:
    before = located(str(own)).revision
    content, status = (own / UNET).read_bytes(), (own / UNET).stat()

    (own / UNET).write_bytes(bytes(len(content)))
    os.utime(own / UNET, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert located(str(own)).revision == before, "nobody looked"

    os.utime(own / UNET)
    assert located(str(own)).revision != before


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sdxl: Path) -> None:
    """What HF_HUB_OFFLINE=1 and an HF_HOME set when the library is imported that has one repository."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--maker--sdxl"
    shutil.copytree(sdxl, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("name", ["maker/sdxl", "maker/sdxl@main", f"maker/sdxl@{COMMIT}"])
def test_a_repository_of_the_hub_is_drawn_with_at_its_commit(name: str, sdxl: Path) -> None:
    drawer = diffusion(sdxl, pipelines={"sdxl-text": name})

    (drawn,) = draw(drawer, asked("sdxl-text"))
    drawer.close()

    assert drawn.provenance.recipe.model == name
    assert drawn.provenance.recipe.revision == COMMIT


@pytest.mark.usefixtures("hub")
def test_a_repository_that_cannot_be_fetched_is_said_with_the_way_round_it(sdxl: Path) -> None:
    drawer = diffusion(sdxl, pipelines={"sdxl-text": "maker/other"})

    with pytest.raises(Unsuited, match=r"maker/other: could not fetch model_index.json .* give its directory"):
        drawer.plan(asked("sdxl-text"))


class Hub:
    """Of this machine: counts who connects, and says nothing until it is told to hang up."""

    def __init__(self) -> None:
        self.asked = 0
        self.hangs_up = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.hangs_up.set()
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.asked += 1
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            self.hangs_up.wait(60)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def nothing_is_fetched_any_more() -> None:
    for thread in threading.enumerate():
        if thread.name == "fetching":
            thread.join(60)


@pytest.fixture
def silent(hub: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that is there, beside what of it is on this machine."""
    online = Hub()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", online.address)
    template = f"{online.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield online
    online.close()
    nothing_is_fetched_any_more()


def test_a_hub_that_says_nothing_holds_up_no_plan_and_is_asked_once_for_all(
    sdxl: Path, silent: Hub, tmp_path: Path
) -> None:
    drawer = diffusion(sdxl, pipelines={"sdxl-text": "maker/late"})

    def plan(number: int) -> float:
        begun = time.monotonic()
        with pytest.raises(Unsuited, match="sdxl-text: its weights are still being fetched"):
            drawer.plan(asked("sdxl-text"))
        return time.monotonic() - begun

    with ThreadPoolExecutor(3) as pool:
        assert max(pool.map(plan, range(3))) < 20
    until = time.monotonic() + 30
    while not silent.asked and time.monotonic() < until:
        time.sleep(0.01)
    assert silent.asked == 1
    shutil.copytree(tmp_path / "hub" / "models--maker--sdxl", tmp_path / "hub" / "models--maker--late")
    assert drawer.plan(asked("sdxl-text")), "it has come meanwhile"


def test_a_tokenizer_that_is_not_all_here_holds_up_no_plan_either(sdxl: Path, silent: Hub, tmp_path: Path) -> None:
    for path in (tmp_path / "hub" / "models--maker--sdxl" / "snapshots" / COMMIT / "tokenizer").iterdir():
        if path.name != "tokenizer_config.json":
            path.unlink()
    drawer = diffusion(sdxl, pipelines={"sdxl-text": "maker/sdxl"})

    with pytest.raises(Unsuited, match="still being fetched"):
        drawer.plan(asked("sdxl-text"))


def test_the_hub_is_not_asked_again_at_once_for_what_it_did_not_give(sdxl: Path, silent: Hub) -> None:
    silent.hangs_up.set()
    drawer = diffusion(sdxl, pipelines={"sdxl-text": "maker/late"})
    with pytest.raises(Unsuited):
        drawer.plan(asked("sdxl-text"))
    nothing_is_fetched_any_more()
    before = silent.asked

    with pytest.raises(Unsuited, match="could not fetch"):
        drawer.plan(asked("sdxl-text"))

    assert silent.asked == before > 0


def test_what_is_here_of_the_hub_is_drawn_with_and_nobody_asked(sdxl: Path, silent: Hub) -> None:
    assert diffusion(sdxl, pipelines={"sdxl-text": "maker/sdxl"}).plan(asked("sdxl-text"))
    assert silent.asked == 0


def exchanged(folder: Path) -> None:
    weights = load_file(folder / UNET.name)
    save_file({name: tensor * 1.5 for name, tensor in weights.items()}, folder / UNET.name, {"format": "pt"})


def test_the_revision_is_that_of_what_links_lead_to(own: Path, tmp_path: Path) -> None:
    linked, other = tmp_path / "linked", tmp_path / "other"
    linked.mkdir()
    for path in own.iterdir():
        (linked / path.name).symlink_to(path)
    assert located(str(linked)).revision == located(str(own)).revision

    shutil.copytree(own / "unet", other)
    exchanged(other)
    (linked / "unet").unlink()
    (linked / "unet").symlink_to(other)
    assert located(str(linked)).revision != located(str(own)).revision


def test_a_link_to_another_file_of_the_same_size_and_time_is_another_revision(own: Path, tmp_path: Path) -> None:
    for name, content in (("one", b"1"), ("two", b"2")):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (1000, 1000))
    link = own / "scheduler" / "extra.json"
    link.symlink_to(tmp_path / "one")
    before = located(str(own)).revision

    link.unlink()
    link.symlink_to(tmp_path / "two")

    assert located(str(own)).revision != before


def test_links_that_lead_back_end(own: Path) -> None:
    before = located(str(own)).revision
    (own / "unet" / "again").symlink_to(own)
    (own / "vae" / "itself").symlink_to(own / "vae" / "itself")

    assert located(str(own)).revision == before
