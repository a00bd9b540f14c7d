"""Article numbers are found among the words and stay there."""

import pytest

from tests.service.search.understanding.shop import chips, understood


@pytest.mark.parametrize("code", ["MUG-0127", "MH01-Blue", "wj12", "4006381333931", "A.12/7", "sku_99817"])
def test_an_article_number_is_a_code(code: str) -> None:
    found = understood(f"mug {code}, please")
    assert found.codes == (code,)
    assert found.words == f"mug {code}, please"
    assert chips(found)[f"code:{code.casefold()}"] == code


@pytest.mark.parametrize(
    "word", ["500ml", "3xl", "12v", "2-pack", "4-in-1", "10x15cm", "1995", "a4", "t-shirt", "1.5kg"]
)
def test_measures_are_none(word: str) -> None:
    assert understood(f"mug {word}").codes == ()


def test_a_value_inside_a_code_is_not_meant() -> None:
    assert "colour:blue" not in chips(understood("MH01-Blue"))
    assert "colour:blue" in chips(understood("MH01-Blue", ignore=["code:mh01-blue"]))
