"""Schedulers of diffusers by the names of the table."""

from typing import Any

from service.generate.diffusion.table import SCHEDULERS


def scheduler(name: str, own: Any) -> Any:
    """A fresh one, configured like `own`, the weights' own, but for what the table changes: noise schedules belong to
    the weights."""
    import diffusers

    sampler = SCHEDULERS[name]
    return getattr(diffusers, sampler.name).from_config(own.config, **sampler.changed)
