import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.settings import Price
from service.budget.prices import FREE, PRICES, Detail, cost, estimate, price_of

OPENAI = "https://api.openai.com/v1"
MINE = Price(input=7, output=8)


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("openrouter/openai/GPT-4o-2024-11-20", "gpt-4o"),
        ("models/gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("gpt-4.1-nano-2025-04-14", "gpt-4.1-nano"),
    ],
)
@pytest.mark.parametrize("base_url", [None, OPENAI, "http://localhost:4000/v1"])
def test_a_known_model_has_its_price_by_any_of_its_names_also_behind_a_proxy_of_ones_own(
    model: str, known: str, base_url: str | None
) -> None:
    assert price_of(model, base_url, {}) == PRICES[known]


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://10.1.2.3/v1", "http://192.168.0.9:11434/v1"),
        *("http://localhost:11434/v1", "http://vllm:8000/v1", "http://gpu.local/v1", "http://vllm.prod.internal/v1"),
    ],
)
def test_an_unknown_model_on_ones_own_machine_costs_nothing(base_url: str) -> None:
    assert price_of("Qwen/Qwen2.5-VL-7B-Instruct", base_url, {}) == FREE


@pytest.mark.parametrize("base_url", [None, OPENAI, "https://8.8.8.8/v1", "http://[oops/v1", "nonsense", ""])
@pytest.mark.parametrize("model", ["gpt-9", "ft:gpt-4o-mini:acme", "gpt-4o-minimal", ""])
def test_an_unknown_model_elsewhere_costs_as_much_as_the_dearest_that_is_known(
    model: str, base_url: str | None
) -> None:
    found = price_of(model, base_url, {})
    judged = {name: estimate(price, 1_000, 2, "low", 100) for name, price in PRICES.items()}
    assert estimate(found, 1_000, 2, "low", 100) == max(judged.values()) == judged["gemini-2.5-pro"]


def test_the_settings_have_the_last_word() -> None:
    assert price_of("gpt-4o-mini", None, {"gpt-4o-mini": MINE}) == MINE
    assert price_of("openai/gpt-4o-mini-2024-07-18", None, {"gpt-4o-mini": MINE}) == MINE
    assert price_of("Qwen/VL-001", "http://vllm/v1", {"Qwen/VL-001": MINE}) == MINE
    assert price_of("gpt-4o", None, {"gpt-4o-mini": MINE}) == PRICES["gpt-4o"]


def test_tokens_are_paid_by_the_million() -> None:
    assert cost(PRICES["gpt-4o-mini"], 1_000_000, 0) == 0.15
    assert cost(PRICES["gpt-4o-mini"], 0, 1_000_000) == 0.60
    assert cost(FREE, 10**9, 10**9) == 0


@pytest.mark.parametrize(
    ("model", "detail", "side", "tokens"),
    [
        ("gpt-4o", "low", 768, 85),
        ("gpt-4o", "high", 512, 85 + 170),
        ("gpt-4o", "high", 768, 85 + 4 * 170),
        ("gpt-4o", "high", 4_096, 85 + 8 * 170),
        ("gpt-4o", "auto", 768, 85 + 4 * 170),
        ("gpt-4o-mini", "low", 768, 2_833),
        ("gpt-4o-mini", "high", 768, 2_833 + 4 * 5_667),
        ("gpt-5", "high", 768, 70 + 4 * 140),
    ],
)
def test_photos_are_estimated_as_the_vendor_bills_them(model: str, detail: Detail, side: int, tokens: int) -> None:
    one, two = (estimate(PRICES[model], 300, images, detail, 10, side) for images in (1, 2))
    assert tokens <= round((two - one) / PRICES[model].input * 1e6) <= tokens * 1.01


@given(
    st.sampled_from(sorted(PRICES)),
    st.text(max_size=600),
    st.integers(0, 2),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_an_estimate_covers_what_is_billed_for_as_many_tokens(
    model: str, text: str, images: int, tokens_out: int, less: int
) -> None:
    price = PRICES[model]
    estimated = estimate(price, len(text.encode()), images, "low", tokens_out + less)
    assert estimated >= cost(price, 14 + len(text) // 4 + images * price.image, tokens_out)
    assert estimated <= estimate(price, len(text.encode()), images, "high", tokens_out + less)
