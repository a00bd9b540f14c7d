"""`vitrine eval probe`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import AsJson
from indexer.generate_settings import Mode, PipelineName


def add_commands(app: typer.Typer) -> None:
    app.command()(probe)


def probe(
    change: Annotated[str, typer.Argument(help="What is to be different, e.g. 'but blue'.")],
    photo: Annotated[Path | None, typer.Option(help="What it is to be like.")] = None,
    caption: Annotated[str, typer.Option(help="What is to be seen, for pipelines that are told that.")] = "",
    pipeline: Annotated[
        PipelineName | None, typer.Option(help="Which one draws, instead of the best of those.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="A draft, or final quality.")] = "draft",
    steps: Annotated[int | None, typer.Option(help="Instead of the pipeline's own.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise it begins with.")] = 0,
    out: Annotated[Path, typer.Option(help="Gets a page with the picture and what was seen.")] = Path("probe.html"),
    as_json: AsJson = False,
) -> None:
    """Look into a diffusion pipeline while it draws: attention to the words, change and noise of the latents."""
    from eval.experiments.probes import run_probe
    from indexer.bootstrap import load_settings
    from service.generate.seam import Request

    request = Request(change, caption=caption, pipeline=pipeline, mode=mode, steps=steps, seed=seed)
    probed = run_probe(load_settings(), request, photo, out)
    if as_json:
        print(json.dumps(asdict(probed.findings), indent=2))
        return
    recipe = probed.picture.provenance.recipe
    print(f"{recipe.pipeline}, {recipe.steps} steps in {probed.picture.provenance.seconds:.1f} s: {out.resolve()}")
