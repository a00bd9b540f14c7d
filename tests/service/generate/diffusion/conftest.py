"""Tiny pipelines on disk, written once, and what a generator that has them is asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from service.generate.diffusion.generator import Diffusion
from tests.service.generate.diffusion.worlds import diffusion
from tests.tiny_diffusion.sdxl import write_sdxl

NUMPY_ADVICE = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""diffusers' schedulers of torch and numpy 2."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(NUMPY_ADVICE))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of torch that wait for each other take longer than such pipelines."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with SDXL as diffusers saves it; not to be changed."""
    folder = tmp_path_factory.mktemp("sdxl") / "base"
    write_sdxl(folder)
    return folder


@pytest.fixture(scope="module")
def drawer(sdxl: Path) -> Iterator[Diffusion]:
    """Has all rows that SDXL's own weights do for."""
    made = diffusion(sdxl)
    yield made
    made.close()


@pytest.fixture
def made_with(sdxl: Path) -> Iterator[Callable[..., Diffusion]]:
    """`diffusion` with other settings; closed at the end."""
    made: list[Diffusion] = []

    def make(**settings: Any) -> Diffusion:
        made.append(diffusion(sdxl, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
