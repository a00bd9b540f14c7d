"""One picture that a diffusion pipeline draws while it is looked into, on a page."""

import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from math import log2
from pathlib import Path
from typing import Final

from markupsafe import Markup
from PIL import Image

from eval.errors import ExperimentError
from eval.report.charts import line_chart
from eval.report.html import render
from eval.runs.document import revision
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically
from service.generate.diffusion.probes import Findings, Probed, Series, probe
from service.generate.seam import GenerationFailed, Request, Unsuited, Watch

_SIDE: Final = 1024
"""Pixels of the longer side up to which a photo is shown to a pipeline."""


def run_probe(settings: Settings, request: Request, photo: Path | None, out: Path) -> Probed:
    """Draws the request, of the photo where there is one, and writes the page to `out`, one HTML file.

    Raises ExperimentError where it cannot be drawn, ImageRejected for the photo.
    """
    if photo is not None:
        try:
            content = photo.read_bytes()
        except OSError as error:
            raise ExperimentError(f"{photo}: {error.strerror or error}.") from error
        with DecoderPool.of(settings.images) as decoders:
            shown = decoders.decode(DecodeTask(content, Fit((_SIDE, _SIDE), "within")))
        request = replace(request, reference=shown.pixels)
    generate = settings.generate
    watch = Watch(time.monotonic() + generate.final_seconds)
    try:
        probed = probe(generate.diffusion, request, generate.most_side, watch)
    except (Unsuited, GenerationFailed) as error:
        raise ExperimentError(str(error)) from error
    write_atomically(out, page(probed).encode())
    return probed


def page(probed: Probed) -> str:
    return render(
        "probe.html",
        {
            "recipe": probed.picture.provenance.recipe,
            "provenance": probed.picture.provenance,
            "findings": probed.findings,
            "picture": _shown(probed),
            "charts": charts(probed.findings),
            "evenness": evenness(probed.findings),
            "revision": revision(),
        },
    )


def charts(findings: Findings) -> Sequence[Markup]:
    """Steps are counted from one; what lies between two steps is drawn at the second."""
    channels = {f"channel {number}": _points(line, first=1) for number, line in enumerate(findings.signal)}
    return (
        _chart({"words": _points(findings.entropy, first=1)}, "How evenly the picture looks at the words", "bits"),
        _chart({"latents": _points(findings.change, first=2)}, "Change from step to step", "share of their length"),
        _chart(channels, "What is in the final latents over all else", "decibels"),
    )


def evenness(findings: Findings) -> float | None:
    """The mean entropy as a share of the most there could be; None of one word, which leaves no choice."""
    if findings.tokens < 2 or not findings.entropy:
        return None
    return sum(findings.entropy) / len(findings.entropy) / log2(findings.tokens)


def _chart(series: Mapping[str, Sequence[tuple[float, float]]], title: str, unit: str) -> Markup:
    drawn = {name: line for name, line in series.items() if line}
    if not drawn:
        return Markup('<p class="quiet small">{}: one step has nothing between steps.</p>').format(title)
    return line_chart(drawn, title=title, x_label="step", y_label=unit)


def _points(line: Series, first: int) -> list[tuple[float, float]]:
    return [(float(step), value) for step, value in enumerate(line, first)]


def _shown(probed: Probed) -> str:
    """As a data URI."""
    file = BytesIO()
    Image.fromarray(probed.picture.pixels).save(file, "WEBP", quality=90)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
