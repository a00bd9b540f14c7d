"""`make eval-relevance`: every figure that relevance is judged by, each with what stands beside it.

What is verified is so by the encoder itself, whatever the settings name: an endpoint would cost.

The showroom is drawn and built as for `make eval`. With `--data DIRECTORY` (the Makefile's RELEVANCE_DATA) also the
held-out part of a real shop, with two encoders that were trained on the rest of it.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from eval.relevance.measuring import Figure
from eval.relevance.parts import shop_figures, showroom_figures
from eval.relevance.printing import print_figures
from eval.runs.document import revision
from eval.runs.settings import verified_by
from indexer.bootstrap import load_settings
from indexer.domain import Frozen


class Report(Frozen):
    """`revision` is the commit that was measured, with `+` when sources were changed since."""

    created: datetime
    revision: str | None
    figures: tuple[Figure, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.relevance", description=__doc__)
    parser.add_argument("--data", type=Path, help="directory with data/magento and models/fashion-mini-a and -c")
    parser.add_argument("--out", type=Path, help="keep the figures as JSON in this file")
    options = parser.parse_args(arguments)
    settings = verified_by("zero_shot", load_settings())
    figures = [*showroom_figures(settings, options.data)]
    if options.data is None:
        print("Without --data the real shop is left out: the showroom alone is measured.")
    else:
        figures += shop_figures(settings, options.data)
    report = Report(created=datetime.now(UTC), revision=revision(), figures=tuple(figures))
    if options.out is not None:
        options.out.write_text(report.model_dump_json(indent=1) + "\n")
    print_figures(report.figures)


if __name__ == "__main__":
    main()
