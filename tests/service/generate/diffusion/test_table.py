"""The table agrees with itself and with diffusers."""

import inspect
from typing import Any, get_args

import diffusers
import pytest

from indexer.generate_settings import PipelineName
from service.generate.diffusion.table import PIPELINES, PREFERRED, SCHEDULERS

WAYS = [(name, way) for name, row in PIPELINES.items() for way in (row.text, row.image) if way is not None]


def test_every_pipeline_that_can_be_set_has_a_row_with_a_way() -> None:
    assert set(PIPELINES) == set(get_args(PipelineName))
    assert {name for name, _ in WAYS} == set(PIPELINES)


def test_every_preference_names_each_pipeline_once() -> None:
    assert {tuple(sorted(order)) for order in PREFERRED.values()} == {tuple(sorted(PIPELINES))}


@pytest.mark.parametrize(("name", "way"), WAYS, ids=[f"{name}-{way.pipeline}" for name, way in WAYS])
def test_a_class_of_diffusers_takes_what_its_way_says(name: PipelineName, way: Any) -> None:
    taken = set(inspect.signature(getattr(diffusers, way.pipeline).__call__).parameters)

    assert taken >= {"prompt", "num_inference_steps", "guidance_scale", "generator", "callback_on_step_end"}
    assert ("strength" in taken) == (way.strength is not None)
    assert ("mask_image" in taken) == way.masked
    assert ("image" in taken) == (way is PIPELINES[name].image)


@pytest.mark.parametrize("row", PIPELINES.values(), ids=list(PIPELINES))
def test_a_rows_scheduler_is_known(row: Any) -> None:
    assert hasattr(diffusers, SCHEDULERS[row.scheduler].name)


@pytest.mark.parametrize("row", [row for row in PIPELINES.values() if not row.guided])
def test_a_row_without_guidance_has_nothing_that_only_guidance_uses(row: Any) -> None:
    assert [way.guidance for way in (row.text, row.image) if way] == [0.0, 0.0]
    assert row.negative == ""
