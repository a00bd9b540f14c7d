"""Settings changed by name."""

import pytest

from eval.runs.settings import changed, named
from indexer.domain import Channel, QueryKind
from indexer.errors import SettingsError
from indexer.settings import SearchSettings


def test_one_value_changes_and_the_rest_stays() -> None:
    found = changed(SearchSettings(), ["weights.text.image=0.7", "search.depth=50"])
    assert found.weights[QueryKind.TEXT] == {Channel.IMAGE: 0.7, Channel.TEXT: 0.4, Channel.LEXICAL: 0.1}
    assert found.weights[QueryKind.EDIT] == SearchSettings().weights[QueryKind.EDIT]
    assert found.depth == 50


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("depth", "expected NAME=VALUE"),
        ("dept=5", "search.dept"),
        ("depth=-1", "search.depth: "),
        ("weights.text.colour=1", "search.weights.text has no 'colour', only 'image', 'text'"),
        ("weights.foo=abc", "^search.weights.foo: search.weights has no 'foo', only [^;]*$"),
        ("depth.of.what=1", "search.depth.of.what is no setting"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(pair: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        changed(SearchSettings(), [pair])


def test_every_setting_is_named_with_its_value() -> None:
    names = named(SearchSettings())
    assert {"weights.text.text=0.4", "fusion=calibrated"} <= {*names}
    assert changed(SearchSettings(), names) == SearchSettings()
