"""What becomes of a pipeline's answer."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from indexer.generate_settings import DiffusionSettings
from service.generate.diffusion.batches import Company
from service.generate.diffusion.drawing import Drawing, Plain
from service.generate.diffusion.generator import Diffusion
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.running import Painter
from service.generate.diffusion.table import PIPELINES
from service.generate.seam import Generated, GenerationFailed
from tests.service.generate.diffusion.worlds import asked


class Checked:
    """A pipeline with a check of its own, which takes the second of two pictures for unsafe."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.scheduler = inner.scheduler

    def __call__(self, **told: Any) -> SimpleNamespace:
        return SimpleNamespace(images=self._inner(**told).images, nsfw_content_detected=[False, True])

    def remove_all_hooks(self) -> None:
        self._inner.remove_all_hooks()

    def to(self, device: object) -> None:
        self._inner.to(device)


class WithCheck(Plain):
    def pipe(self, loader: Loader, drawing: Drawing) -> Checked:
        return Checked(super().pipe(loader, drawing))


class Willing(Company):
    """Wants everything."""

    def check(self) -> None:
        pass


def test_a_picture_that_a_pipelines_own_check_took_for_unsafe_is_none(drawer: Diffusion, sdxl: Path) -> None:
    loader = Loader(DiffusionSettings(device="cpu", batch=2))
    extras: Mapping[str, Plain] = {"none": WithCheck()}
    row, weights = PIPELINES["sdxl-text"], loader.located(str(sdxl))
    assert row.text is not None
    drawings = [Drawing(recipe, row, row.text, weights) for recipe in drawer.plan(asked("sdxl-text", count=2))]

    safe, unsafe = Painter(loader, extras).paint(drawings, Willing(()))

    assert isinstance(safe, Generated)
    assert isinstance(unsafe, GenerationFailed)
    assert "unsafe" in str(unsafe)


def test_no_library_is_loaded_before_it_is_needed() -> None:
    heavy = {"torch", "diffusers", "transformers", "huggingface_hub", "skimage"}
    code = f"import sys, service.generate.diffusion.generator; sys.exit(', '.join({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[4]

    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)

    assert ran.stderr.strip() == ""
