"""A misspelt variable is refused, not passed over."""

import pytest

from indexer.bootstrap import load_settings
from indexer.errors import SettingsError


def test_a_misspelt_variable_is_refused_with_the_likely_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_STOER__KIND", "memory")
    with pytest.raises(SettingsError, match=r"VITRINE_STOER__KIND .* Did you mean VITRINE_STORE\?"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        (
            "ACCESS__PUBLIC",
            "search",
            """access.public: it must be a list, such as VITRINE_X='["search"]'.""",
        ),
        (
            "LOAD__PROXIES",
            "10.0.0.0/8",
            """VITRINE_X must be JSON, such as VITRINE_X='["…"]'.""",
        ),
        (
            "BUDGET__PRICES",
            "x",
            """VITRINE_X must be JSON, such as VITRINE_X='{"NAME": …}'.""",
        ),
        ("ACCESS", "x", "VITRINE_X must be JSON."),
        ("STORE__KIND", "nosuch", "store.kind: Input should be 'edge', 'memory', 'faiss' or 'qdrant'."),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_told_with_its_variable_and_an_example(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"VITRINE_{variable}", value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).replace(variable, "X") == f"Settings are wrong. {sentence}"
