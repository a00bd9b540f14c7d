"""What a build left out, for people and for spreadsheets."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.desk.rejects import LeftOut, as_csv
from service.spreadsheets import FORMULA

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]


def cells(row: LeftOut) -> list[str]:
    header, line = csv.reader(StringIO("".join(as_csv(iter([row]))), newline=""))
    assert header == ["line", "product", "photo", "reason", "detail"]
    return line


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str) -> None:
    told = cells(LeftOut(formula, formula, None, formula, formula))
    assert told == ["", *[f"'{formula}"] * 4]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_everything_else_is_told_as_it_is(text: str) -> None:
    detail = cells(LeftOut("broken_row", text, 7))[4]
    assert detail == (f"'{text}" if text.startswith(FORMULA) else text)
