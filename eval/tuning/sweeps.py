"""Which values of which search settings are tried, and how far each is from the present one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from eval.runs.settings import with_changes
from indexer.domain import VECTOR_CHANNELS, Channel, QueryKind
from indexer.errors import SettingsError
from indexer.settings import Fusion, SearchSettings

STEPS = 10
"""Of a weight from 0 to 1, on the fine grid."""
COARSE_STEPS = 5
WEIGHTS = "weights"
BOOSTS = "boosts."
DEFAULT_VALUES: Mapping[str, tuple[object, ...]] = {
    "fusion": ("calibrated", "raw", "rrf", "dbsf"),
    "rrf_k": (5, 10, 20, 40, 60, 100, 200),
    "depth": (25, 50, 100, 200, 400),
    "diversity": (0.0, 0.1, 0.2, 0.3, 0.5),
}

Shares = Mapping[str, float]
"""Channel → weight, summing to 1."""


@dataclass(frozen=True)
class Sweep:
    """A setting by its dotted name under `search` and the values to try; no values: the weights' grid of that kind.

    With `only_with` it is left out unless the fusion method chosen before it is that one.
    """

    name: str
    values: tuple[object, ...] = ()
    only_with: Fusion | None = None

    @property
    def is_grid(self) -> bool:
        return self.name.startswith(f"{WEIGHTS}.") and not self.values


def default_sweeps(kind: QueryKind, present: SearchSettings) -> list[Sweep]:
    """Weights first, then the method, what belongs to it, depth, diversity, and boosts that are set already."""
    sweeps = [_named(WEIGHTS, kind), _named("fusion", kind), Sweep("rrf_k", DEFAULT_VALUES["rrf_k"], only_with="rrf")]
    sweeps += [_named(name, kind) for name in ("depth", "diversity")]
    return sweeps + [
        Sweep(f"{BOOSTS}{condition}", (0.0, amount / 2, amount, 2 * amount))
        for condition, amount in present.boosts.items()
    ]


def parse_sweep(text: str, kind: QueryKind, present: SearchSettings) -> Sweep:
    """`depth=50,100`, `weights.text.image=0,0.5,1`, `boosts.in_stock=true=0,0.3`, or a name alone for its usual values.

    Raises SettingsError naming the setting or value that is wrong.
    """
    name, equals, listed = text.rpartition("=")
    if not equals:
        return _named(text.strip().removeprefix("search."), kind)
    name = name.strip().removeprefix("search.")
    values = tuple(_value(value.strip()) for value in listed.split(",") if value.strip())
    if not name or not values:
        raise SettingsError(f"--sweep {text}: expected NAME=VALUE,VALUE,…, e.g. depth=50,100,200.")
    for value in values:
        applied(present, name, value)
    return Sweep(name, tuple(dict.fromkeys(values)))


def applied(search: SearchSettings, name: str, value: object) -> SearchSettings:
    """The settings with that one value. Raises SettingsError. A boost of 0 is none."""
    if name.startswith(BOOSTS):
        boosts = {**search.boosts, name.removeprefix(BOOSTS): value}
        return with_changes(search, {"boosts": {condition: amount for condition, amount in boosts.items() if amount}})
    return with_changes(search, {name: value})


def value_of(search: SearchSettings, name: str) -> object:
    """What the setting is now; None where it is not set."""
    if name.startswith(BOOSTS):
        return search.boosts.get(name.removeprefix(BOOSTS), 0.0)
    place: object = search.model_dump(mode="json")
    for part in name.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return place


def distance(value: object, present: object) -> float:
    """Weights: summed differences of their shares; numbers: their difference; else 0 for the same, 1 for another."""
    if isinstance(value, Mapping) and isinstance(present, Mapping):
        one, other = shares_of(value), shares_of(present)
        return round(sum(abs(one.get(name, 0) - other.get(name, 0)) for name in {*one, *other}), 9)
    if isinstance(value, int | float) and isinstance(present, int | float):
        return abs(value - present)
    return float(value != present)


def shares_of(weights: Mapping[str, float]) -> Shares:
    """Summing to 1."""
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()} if total > 0 else dict(weights)


def channels_of(kind: QueryKind) -> Sequence[Channel]:
    """Without words there is no lexical channel."""
    return tuple(Channel) if kind is QueryKind.TEXT else VECTOR_CHANNELS


def simplex(channels: Sequence[Channel], steps: int) -> list[Shares]:
    """Every way to share 1 among the channels in so many steps; 66 ways for three channels and ten steps."""
    return [
        {channel.value: round(part / steps, 9) for channel, part in zip(channels, parts, strict=True)}
        for parts in product(range(steps + 1), repeat=len(channels))
        if sum(parts) == steps
    ]


def around(centre: Shares, grid: Iterable[Shares], reach: float = 1 / STEPS) -> list[Shares]:
    """Those of the grid whose every share is at most `reach` from the centre's."""
    return [
        shares for shares in grid if all(abs(shares[name] - centre.get(name, 0.0)) <= reach + 1e-9 for name in shares)
    ]


def _named(name: str, kind: QueryKind) -> Sweep:
    if name in (WEIGHTS, f"{WEIGHTS}.{kind}"):
        return Sweep(f"{WEIGHTS}.{kind}")
    if name in DEFAULT_VALUES:
        return Sweep(name, DEFAULT_VALUES[name])
    known = ", ".join((WEIGHTS, *DEFAULT_VALUES))
    raise SettingsError(f"--sweep {name}: give the values to try, e.g. {name}=0,0.5,1; only {known} have usual ones.")


def _value(text: str) -> object:
    """A number, true or false where it is one, else the word."""
    try:
        return float(text) if text.startswith(".") else json.loads(text)
    except ValueError:
        return text
