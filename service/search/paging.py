"""Pages of one search that never repeat what an earlier page showed, however deep each of them had to look.

A deeper search finds all that a shallower one found, and more. That leaves two kinds of order:

- SCORE: a product's place is decided by its own score. Groups go by (score descending, id ascending) and a page takes
  those behind the cursor's pair. A deeper search can give a group a better member, hence an earlier place, never a
  later one, so that what was shown stays before the cursor.
- FIXED: a place depends on what else was found (ranks, distributions, diversity, checks, pins, sorting). What a
  shallower search found keeps its order, what only a deeper one finds comes behind; every page starts from the first
  page's depth again and comes to the same list.

An approximate store may break the premise and miss what it found before; so a cursor also names the groups of its page,
and the next page leaves those out whatever became of their scores.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from indexer.domain import Frozen
from indexer.errors import BadCursor, CursorExpired
from service.search.grouping import Group
from service.search.retrieve import MAX_DEPTH

MAX_CURSOR = 4_096
"""Characters; enough for 200 groups a page and an id of 255 characters outside ASCII."""
MAX_SEEN = 200
"""Groups that a cursor names: those at the end of its page."""
_DIGEST = 8
"""Hex digits that name a group; a strange group shares the name of one of 200 with probability 5·10⁻⁸."""

_SURELY = 2
"""Points looked at for each group up to a page's end: what a search finds last, by one channel, may be worse than what
it does not find yet, and pages by score never come back to that."""

Beyond = Literal["none", "cursor", "limit"]
"""What there is behind a list: nothing, more that can be had, or more that is not given."""


class Order(StrEnum):
    SCORE = "score"
    FIXED = "fixed"


class Cursor(Frozen):
    """Where a page ended: at the group shown by product `id` with `score`, the `place`-th of the search."""

    build: str
    query: str
    """Fingerprint of everything that was asked but the page."""
    score: FiniteFloat
    id: str
    place: Annotated[int, Field(ge=1, le=1_000_000)]
    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH)]
    """Points that the first page began with."""
    seen: Annotated[str, Field(pattern=rf"^([0-9a-f]{{{_DIGEST}}}){{0,{MAX_SEEN}}}$")] = ""
    """Digests of the page's groups, one after the other."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a search of some depth came to: all its groups in their order.

    `beyond` is `cursor` where a deeper search may find more, `limit` where the rest is kept back, as of a sorted list.
    """

    groups: Sequence[Group]
    beyond: Beyond


@dataclass(frozen=True, slots=True)
class Page:
    """`groups` are the `place + 1`-th and following of the search; `more` is what comes behind them."""

    groups: tuple[Group, ...]
    place: int
    more: Beyond
    depth: int
    """Points that the first page began with."""
    listed: tuple[Group, ...]
    """All groups that the page was cut from, in their order."""

    def cursor(self, build: str, query: str) -> str | None:
        """To the page behind this one; None unless `more` is `cursor`."""
        if self.more != "cursor":
            return None
        last = self.groups[-1].shown
        return encode_cursor(
            Cursor(
                build=build,
                query=query,
                score=last.score,
                id=last.hit.product_id,
                place=self.place + len(self.groups),
                depth=self.depth,
                seen="".join(_digest(group) for group in self.groups[-MAX_SEEN:]),
            )
        )


def fill_page(search: Callable[[int], Layer], order: Order, cursor: Cursor | None, size: int, depth: int) -> Page:
    """Search ever deeper, each time twice as deep, until `size` groups are there or MAX_DEPTH points were looked at.

    `search` takes the number of points and is called at least once; `depth` is what the first page begins with.
    """
    first = cursor.depth if cursor is not None else min(depth, MAX_DEPTH)
    place = cursor.place if cursor is not None else 0
    depth = first if order is Order.FIXED else min(max(first, _SURELY * (place + size)), MAX_DEPTH)
    groups: list[Group] = []
    while True:
        layer = search(depth)
        groups = list(layer.groups) if order is Order.SCORE else _continued(groups, layer.groups)
        behind = page_after(groups, cursor, size + 1, order)
        if len(behind) >= size or layer.beyond != "cursor" or depth >= MAX_DEPTH:
            break
        depth = min(depth * 2, MAX_DEPTH)
    rest: Beyond = "limit" if layer.beyond == "cursor" and depth >= MAX_DEPTH else layer.beyond
    return Page(tuple(behind[:size]), place, "cursor" if len(behind) > size else rest, first, tuple(groups))


def page_after(groups: Sequence[Group], cursor: Cursor | None, size: int, order: Order = Order.SCORE) -> list[Group]:
    """The first `size` of all `groups`, given in their order, behind the cursor; none of them was on its page."""
    if cursor is None:
        return list(groups[:size])
    seen = {cursor.seen[at : at + _DIGEST] for at in range(0, len(cursor.seen), _DIGEST)}
    left = groups[cursor.place :] if order is Order.FIXED else [group for group in groups if _is_behind(group, cursor)]
    return [group for group in left if _digest(group) not in seen][:size]


def encode_cursor(cursor: Cursor) -> str:
    """URL-safe, at most MAX_CURSOR characters; nothing in it is secret, nothing in it is trusted."""
    return base64.urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def decode_cursor(text: str, build: str, query: str) -> Cursor:
    """Raises CursorExpired when it belongs to another build, BadCursor when to another query or to nothing at all."""
    if len(text) > MAX_CURSOR:
        raise BadCursor(f"cursor: {len(text)} characters are too many; give `next` of an answer as it is.")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = Cursor.model_validate_json(packed, strict=True)
    except ValueError:
        raise BadCursor("cursor: this is none; give `next` of an answer as it is.") from None
    if cursor.build != build:
        raise CursorExpired(
            "The index or its rules changed while you paged through it; start again without the cursor, "
            "from the first page."
        )
    if cursor.query != query:
        raise BadCursor("cursor: it belongs to another search; repeat that one, or leave the cursor out.")
    return cursor


def fingerprint(parts: Iterable[str | bytes]) -> str:
    """Of a query, 32 hex digits: different for parts that differ in content, number or order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(content)} ".encode() + content)
    return digest.hexdigest()


def _is_behind(group: Group, cursor: Cursor) -> bool:
    shown = group.shown
    return (-shown.score, shown.hit.product_id) > (-cursor.score, cursor.id)


def _continued(known: list[Group], deeper: Sequence[Group]) -> list[Group]:
    keys = {group.key for group in known}
    return [*known, *(group for group in deeper if group.key not in keys)]


def _digest(group: Group) -> str:
    return hashlib.blake2b(group.key.encode(), digest_size=_DIGEST // 2).hexdigest()
