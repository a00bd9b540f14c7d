"""The tables of `make eval`, from figures written by hand and from those that are stored."""

import pytest

from eval.headline import Headline, VerifiedRow, stored, table, verified_table
from eval.relevance.recolouring import colour_table, pool_table
from eval.runs.settings import verified_by
from indexer.settings import RerankSettings, Settings

ROW = VerifiedRow(
    suite="showroom-edit",
    asked="a product, but …",
    by="zero_shot",
    queries=361,
    measure="Success@1",
    without=0.95,
    verified=0.9612,
    gain=(0.0112, 0.002, 0.021),
    p95_ms=(20.4, 24.6),
    calls=0,
    dollars=0,
)


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (ROW, "+.011 [+.002, +.021] | 20 → 25 | 0, $0.00 | zero_shot"),
        (
            ROW.model_copy(update={"by": "gpt-4o-mini", "calls": 8.0, "dollars": 0.00123}),
            "+.011 [+.002, +.021] | 20 → 25 | 8, $0.0012 | gpt-4o-mini",
        ),
    ],
)
def test_a_row_has_both_figures_the_gain_the_time_and_the_price(row: VerifiedRow, cells: str) -> None:
    heading, rule, line = verified_table(Headline(encoder="e", products=1, rows=(), verified=(row,))).splitlines()
    assert line == f"| a product, but … | 361 | hit rate@1 | .950 | .961 | {cells} |"
    assert heading.count("|") == rule.count("|") == line.count("|")


def test_what_is_stored_makes_all_tables() -> None:
    kept = stored()
    assert len(pool_table(kept.pool).splitlines()) == len(kept.pool) + 2 == 6
    assert len(colour_table(kept.colours).splitlines()) == len(kept.colours) + 2 == 4
    assert len(table(kept).splitlines()) == len(kept.rows) + 2
    assert len(verified_table(kept).splitlines()) == len(kept.verified) + 2


def test_figures_that_were_kept_before_there_were_recoloured_photos_can_be_read() -> None:
    older = stored().model_dump(exclude={"pool", "colours"}, mode="json")
    assert Headline.model_validate(older).pool == ()


def test_no_endpoint_is_asked_unless_it_is_said_so() -> None:
    settings = Settings(rerank=RerankSettings(base_url="http://127.0.0.1:9/v1"))
    assert not verified_by("zero_shot", settings).rerank.endpoint
    assert verified_by("openai", settings).rerank.endpoint
