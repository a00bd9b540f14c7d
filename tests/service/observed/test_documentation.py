from pathlib import Path

import pytest

from service.metric_rows import Row
from service.metrics import PARTS, rows

GUIDE = (Path(__file__).parents[3] / "docs" / "observability.md").read_text("utf-8")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_metric_is_documented_with_its_labels(row: Row) -> None:
    labels = ", ".join(f"`{one}`" for one in row.labels) or "–"
    assert f"| `{row.scraped}` | {row.type} | {labels} | {row.help.rstrip('.')} |" in GUIDE


def test_no_other_metric_is() -> None:
    listed = [line.split("`")[1] for line in GUIDE.splitlines() if line.startswith("| `vitrine_")]
    assert listed == [row.scraped for row in rows()]


def test_every_part_that_may_be_missing_is_listed() -> None:
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("| `part` that is missing")]
    assert {*line.split("`")} >= PARTS
