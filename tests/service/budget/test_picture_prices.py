import pytest

from indexer.settings import Price
from service.budget.picture_prices import PICTURE_PRICES, Quality, picture_price_of


@pytest.mark.parametrize(
    ("model", "quality", "dollars"),
    [
        ("gpt-image-1", "low", 0.016),
        ("gpt-image-1", "medium", 0.063),
        ("gpt-image-1", "high", 0.25),
        ("gpt-image-1-mini", "medium", 0.015),
        ("gpt-image-1.5", "high", 0.2),
        ("gpt-image-2", "low", 0.006),
        ("gpt-image-2", "medium", 0.053),
        ("gpt-image-2.5-flare", "medium", 0.013),
        ("gpt-image-2.5-sunburst", "high", 0.053),
    ],
)
def test_a_picture_costs_what_the_vendor_lists(model: str, quality: Quality, dollars: float) -> None:
    assert PICTURE_PRICES[model].estimate(0, 0, quality, 1) == pytest.approx(dollars, abs=0.0005)


def test_references_words_and_further_pictures_cost_more() -> None:
    price = PICTURE_PRICES["gpt-image-2.5-flare"]
    alone = price.estimate(0, 0, "low", 1)
    assert price.estimate(0, 0, "low", 3) == pytest.approx(3 * alone)
    assert price.estimate(300, 0, "low", 1) > alone
    assert price.estimate(0, 1, "low", 1) == pytest.approx(alone + 4_483 * 8 / 1e6)


@pytest.mark.parametrize("model", ["gpt-image-2", "openai/gpt-image-2", "gpt-image-2-2026-04-21"])
def test_vendors_and_dates_change_no_price(model: str) -> None:
    assert picture_price_of(model, None, {}) == PICTURE_PRICES["gpt-image-2"]


def test_the_settings_know_better() -> None:
    own = Price(input=1, output=2, image=3)
    price = picture_price_of("gpt-image-2", None, {"gpt-image-2": own})
    assert (price.rate, price.tokens) == (own, PICTURE_PRICES["gpt-image-2"].tokens)


def test_an_unknown_model_is_free_at_home_and_dear_elsewhere() -> None:
    assert picture_price_of("sdxl", "http://localhost:8080/v1", {}).estimate(1_000, 1, "high", 4) == 0
    dearest = picture_price_of("sdxl", "https://pictures.example/v1", {}).estimate(0, 1, "high", 1)
    assert dearest == max(price.estimate(0, 1, "high", 1) for price in PICTURE_PRICES.values())
    assert picture_price_of("gpt-image-2", "http://localhost:8080/v1", {}) == PICTURE_PRICES["gpt-image-2"]
