"""Changed search settings as a piece of vitrine.toml."""

import json
from collections.abc import Mapping

from indexer.domain import QueryKind
from indexer.settings import SearchSettings


def fragment(present: SearchSettings, chosen: SearchSettings, remarks: str = "") -> str:
    """TOML that makes the chosen settings of the present ones; the weights of a kind and the boosts come whole."""
    before, after = present.model_dump(mode="json"), chosen.model_dump(mode="json")
    single = {name: value for name, value in after.items() if not isinstance(value, dict) and value != before[name]}
    tables = [_table("search", single)] if single else []
    for kind in QueryKind:
        if chosen.weights[kind] != present.weights[kind]:
            tables.append(_table(f"search.weights.{kind}", after["weights"][kind]))
    if chosen.boosts != present.boosts:
        tables.append(_table("search.boosts", after["boosts"]))
    comment = "".join(f"# {line}\n" for line in remarks.splitlines())
    return comment + "\n".join(tables)


def _table(name: str, values: Mapping[str, object]) -> str:
    """JSON spells words and numbers as TOML does."""
    lines = (f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"[{name}]\n{''.join(lines)}"


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key, ensure_ascii=False)
