"""`sdxl-control` keeps a reference's outlines, its depth, its looks, or several of them."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants

from indexer.generate_settings import PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Cancelled, GenerationFailed, Unsuited
from tests.service.generate.diffusion.worlds import (
    REFERENCE,
    asked,
    diffusion,
    draw,
    furthest,
    pictures,
    product,
    watch,
)
from tests.tiny_diffusion.controls import write_controlnet, write_depth_estimator, write_ip_adapter
from tests.tiny_diffusion.sdxl import write_refiner

CONTROL: PipelineName = "sdxl-control"
OTHER = np.ascontiguousarray(REFERENCE[::-1, :, ::-1] // 2)
COMBINATIONS = (
    ("canny",),
    pytest.param(("depth",), marks=pytest.mark.long),
    pytest.param(("canny", "depth"), marks=pytest.mark.long),
    ("ip_adapter",),
    ("canny", "depth", "ip_adapter"),
)
"""One piece, several, and none but the adapter; the others in `make test-long`."""


@pytest.fixture(scope="module")
def pieces(sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Setting → directory; not to be changed."""
    folder = tmp_path_factory.mktemp("controls")
    found = {name: folder / name for name in ("canny", "depth", "depth_estimator", "ip_adapter")}
    write_controlnet(found["canny"], sdxl, seed=1)
    write_controlnet(found["depth"], sdxl, seed=2)
    write_depth_estimator(found["depth_estimator"])
    write_ip_adapter(found["ip_adapter"], sdxl)
    return found


@pytest.fixture(scope="module")
def holding(sdxl: Path, pieces: Mapping[str, Path]) -> Iterator[Callable[..., Diffusion]]:
    """A generator with the named pieces, the same for the same ones, and one of its own with others where a directory
    is given; closed at the end."""
    made: list[Diffusion] = []

    def make(*named: str, **given: Path | str) -> Diffusion:
        rows: tuple[PipelineName, ...] = (CONTROL, "sdxl-text", "sdxl-image")
        chosen: dict[str, Any] = {name: str(pieces[name]) for name in named} | {
            name: str(path) for name, path in given.items()
        }
        made.append(diffusion(sdxl, pipelines=dict.fromkeys(rows, str(sdxl)), batch=4, **chosen))
        return made[-1]

    of_pieces = cache(lambda named: make(*named))
    yield lambda *named, **given: make(*named, **given) if given else of_pieces(frozenset(named))
    for one in made:
        one.close()


@pytest.fixture(scope="module", params=COMBINATIONS, ids="+".join)
def holder(request: pytest.FixtureRequest, holding: Callable[..., Diffusion]) -> Diffusion:
    return holding(*request.param, "depth_estimator")


def test_every_combination_loads_draws_stops_at_the_first_step_and_draws_the_same_again(holder: Diffusion) -> None:
    before = pictures(draw(holder, asked(CONTROL)))
    steps: list[int] = []

    with pytest.raises(Cancelled):
        draw(holder, asked(CONTROL), watch(step=lambda done, _: steps.append(done), cancelled=lambda: bool(steps)))

    assert steps == [1]
    assert before[0].std() > 1
    assert np.array_equal(before, pictures(draw(holder, asked(CONTROL))))


def test_what_is_held_on_to_shows_where_nothing_of_the_reference_itself_is_kept(holder: Diffusion) -> None:
    (one,) = draw(holder, asked(CONTROL, strength=1.0))
    (other,) = draw(holder, asked(CONTROL, strength=1.0, reference=OTHER))

    assert furthest(one.pixels, other.pixels) > 1


def test_pictures_of_several_seeds_are_those_of_each_seed_alone(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path]
) -> None:
    drawer = holding(*pieces)
    together = pictures(draw(drawer, asked(CONTROL, count=2, seed=5)))

    for place, pixels in enumerate(together):
        assert furthest(pixels, pictures(draw(drawer, asked(CONTROL, seed=5 + place)))[0]) <= 1
    assert furthest(*together) > 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_smaller_files_do_for_every_precision(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path], tmp_path: Path, precision: str
) -> None:
    (whole,) = pictures(draw(holding("canny"), asked(CONTROL)))
    folder = tmp_path / "canny"
    shutil.copytree(pieces["canny"], folder)
    (weights,) = folder.glob("*.safetensors")
    weights.rename(folder / "diffusion_pytorch_model.fp16.safetensors")

    (drawn,) = draw(holding(canny=folder, precision=precision), asked(CONTROL))

    assert drawn.provenance.recipe.options["precision"] == precision
    assert abs(drawn.pixels.astype(int) - whole).mean() < 5


def test_rows_of_the_same_weights_draw_as_before_an_adapter_came_beside_them(
    holding: Callable[..., Diffusion],
) -> None:
    drawer = holding("ip_adapter")
    rows: tuple[PipelineName, ...] = ("sdxl-image", "sdxl-text")
    before = [pictures(draw(drawer, asked(row))) for row in rows]

    adapted = pictures(draw(drawer, asked(CONTROL)))

    assert furthest(adapted[0], before[0][0]) > 1
    assert np.array_equal(before, [pictures(draw(drawer, asked(row))) for row in rows])


def test_requests_that_wait_together_keep_to_their_own_references(holding: Callable[..., Diffusion]) -> None:
    drawer = holding("canny", "ip_adapter")
    requests = [asked(CONTROL, strength=1.0), asked(CONTROL, strength=1.0, reference=OTHER)]
    alone = [pictures(draw(drawer, request)) for request in requests]

    waiting = [threading.Event() for _ in requests]

    def until_all_wait(done: int, number: int) -> None:
        assert all(one.wait(60) for one in waiting)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(draw, drawer, asked(CONTROL), watch(step=until_all_wait))
        later = [
            pool.submit(draw, drawer, request, watch(cancelled=partial(_is_left, waits)))
            for request, waits in zip(requests, waiting, strict=True)
        ]
        drawn = [pictures(one.result()) for one in later]
        first.result()

    for before, after in zip(alone, drawn, strict=True):
        assert furthest(before[0], after[0]) <= 1


def _is_left(waits: threading.Event) -> bool:
    """Asked of those who wait for their turn, or have it."""
    waits.set()
    return False


def test_what_is_outside_of_a_mask_stays(holding: Callable[..., Diffusion]) -> None:
    reference = product(64, 64)
    mask = np.zeros((64, 64), np.bool_)
    mask[:32] = True

    (drawn,) = pictures(draw(holding("canny"), asked(CONTROL, reference=reference, mask=mask)))

    assert np.array_equal(drawn[~mask], reference[~mask])
    assert furthest(drawn[mask], reference[mask]) > 1


def test_a_recipe_says_what_is_held_on_to_and_how_firmly(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path]
) -> None:
    drawer = holding(*pieces)
    (recipe,) = drawer.plan(asked(CONTROL))
    (other,) = drawer.plan(asked(CONTROL, reference=OTHER))

    assert {name: text for name, text in recipe.options.items() if name.endswith("_scale")} == {
        "canny_scale": "0.5",
        "depth_scale": "0.5",
        "ip_adapter_scale": "0.5",
    }
    for name, folder in pieces.items():
        path, _, revision = recipe.options[name].rpartition(" ")
        assert path == str(folder)
        assert len(revision) == 64
    assert recipe.inputs["canny"] != other.inputs["canny"]


@pytest.mark.parametrize(
    ("named", "reason"), [((), "canny, depth or ip_adapter"), (("depth",), "depth_estimator, for depth")]
)
def test_what_is_missing_is_named_and_passed_over_where_another_row_can_draw(
    holding: Callable[..., Diffusion], named: tuple[str, ...], reason: str
) -> None:
    drawer = holding(*named)

    with pytest.raises(Unsuited, match=reason):
        drawer.plan(asked(CONTROL))
    assert drawer.plan(asked(None, mode="final"))[0].pipeline == "sdxl-image"


@pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks` argument is deprecated")
def test_pieces_of_the_hub_are_held_to_their_commits(
    holding: Callable[..., Diffusion],
    pieces: Mapping[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with HF_HUB_OFFLINE=1 and an HF_HUB_CACHE, set when the library is imported."""
    commits = {name: f"{place:040x}" for place, name in enumerate(pieces)}
    for name, folder in pieces.items():
        repository = tmp_path / f"models--maker--{name}"
        shutil.copytree(folder, repository / "snapshots" / commits[name])
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(commits[name], "utf-8")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    (local,) = draw(holding(*pieces), asked(CONTROL))

    (drawn,) = draw(holding(**{name: f"maker/{name}" for name in pieces}), asked(CONTROL))

    assert np.array_equal(drawn.pixels, local.pixels)
    options = drawn.provenance.recipe.options
    assert {name: options[name] for name in pieces} == {name: f"maker/{name} {commits[name]}" for name in pieces}


def test_an_adapter_is_looked_for_where_it_is_published(holding: Callable[..., Diffusion], tmp_path: Path) -> None:
    with pytest.raises(Unsuited, match=r"has no sdxl_models/image_encoder/config\.json"):
        holding(ip_adapter=tmp_path).plan(asked(CONTROL))


def test_a_control_network_that_is_a_pickle_is_never_opened(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "canny"
    shutil.copytree(pieces["canny"], folder)
    (weights,) = folder.glob("*.safetensors")
    weights.rename(folder / "diffusion_pytorch_model.bin")

    with pytest.raises(GenerationFailed, match=r"diffusion_pytorch_model\.bin can run code"):
        draw(holding(canny=folder), asked(CONTROL))


def test_a_control_network_of_other_weights_is_refused(holding: Callable[..., Diffusion], tmp_path: Path) -> None:
    write_refiner(tmp_path / "refiner")
    write_controlnet(tmp_path / "canny", tmp_path / "refiner", seed=1)

    with pytest.raises(GenerationFailed, match="no ControlNet for these weights"):
        draw(holding(canny=tmp_path / "canny"), asked(CONTROL))


def test_an_adapter_that_was_cut_off_or_is_a_pickle_is_refused(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(pieces["ip_adapter"], folder)
    weights = folder / "sdxl_models" / "ip-adapter_sdxl.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(GenerationFailed, match="do not load"):
        draw(holding(ip_adapter=folder), asked(CONTROL))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(GenerationFailed, match=r"no file named ip-adapter_sdxl\.safetensors"):
        draw(holding(ip_adapter=folder), asked(CONTROL))


def test_a_depth_estimator_brings_no_code_and_is_one_that_is_understood(
    holding: Callable[..., Diffusion], pieces: Mapping[str, Path], tmp_path: Path
) -> None:
    folder, trace = tmp_path / "estimator", tmp_path / "ran"
    shutil.copytree(pieces["depth_estimator"], folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')", "utf-8")

    for changed, reason in (
        ({"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}, "do not load"),
        ({"model_type": "glpn"}, "name one of dpt, depth_anything"),
    ):
        (folder / "config.json").write_text(json.dumps(config | changed), "utf-8")
        with pytest.raises(GenerationFailed, match=reason):
            draw(holding("depth", depth_estimator=folder), asked(CONTROL))
    assert not trace.exists()


def test_weights_that_are_exchanged_between_plan_and_picture_are_not_taken_for_the_planned_ones(
    holding: Callable[..., Diffusion], sdxl: Path, tmp_path: Path
) -> None:
    write_controlnet(tmp_path / "canny", sdxl, seed=1)
    drawer = holding(canny=tmp_path / "canny")
    plan = drawer.plan(asked(CONTROL))

    write_controlnet(tmp_path / "canny", sdxl, seed=3)

    with pytest.raises(GenerationFailed, match="exchanged since this was planned"):
        drawer.make(asked(CONTROL), plan, watch())
    assert draw(drawer, asked(CONTROL))
