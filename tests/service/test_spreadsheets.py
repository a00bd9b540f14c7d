import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.spreadsheets import FORMULA, plain


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-2", "@SUM(A1)", "\tx", "\r=1"])
def test_no_cell_is_taken_for_a_formula(cell: str) -> None:
    assert plain(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["red mug", "mug-red", "", "'=1", -2, -0.5])
def test_what_is_no_formula_stays_as_it_is(cell: str | float) -> None:
    assert plain(cell) == cell


@given(st.text(max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_words_come_out_harmless_and_whole(words: str) -> None:
    written = str(plain(words))
    assert not written.startswith(FORMULA)
    assert written.endswith(words)
