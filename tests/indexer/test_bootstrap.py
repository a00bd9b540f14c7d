"""A misspelt variable is refused, not passed over."""

import pytest

from indexer.bootstrap import load_settings
from indexer.errors import SettingsError


def test_a_misspelt_variable_is_refused_with_the_likely_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_STOER__KIND", "memory")
    with pytest.raises(SettingsError, match=r"VITRINE_STOER__KIND .* Did you mean VITRINE_STORE\?"):
        load_settings()
