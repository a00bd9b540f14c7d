"""A search as the address of its page says it: read from a query string, written as one, and every step from there."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from indexer.images.regions import Box
from service.request import SearchRequest, request_of
from service.search.query import AUTO

HOME: Final = "/"
PAGE: Final = 24
"""Results on a page: whole rows of 2, 3, 4 and 6."""
LONGEST: Final = 5_000
"""Characters of one part of an address; what is longer was not written by any page."""
PHOTO_ID: Final = re.compile(r"[\w-]{22}", re.ASCII)
"""What a shopper's photo is kept under; anything else is none, such as the file's name that a form sends without it."""
PRICE: Final = "price"
_AMOUNT: Final = re.compile(r"\d{1,12}(\.\d+)?", re.ASCII)
_PRICE_FORM: Final = {"price_from": ">=", "price_to": "<="}
"""What the price form sends, and the filter that is meant."""

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Address:
    """Frozen; every method gives another address, which begins at the first page unless it says otherwise."""

    q: str = ""
    like: str | None = None
    change: str = ""
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sort: str | None = None
    cursor: str | None = None
    group: bool = True
    photo: str | None = None
    """Id of a shopper's photo."""
    box: tuple[float, float, float, float] | None = None
    """The part of that photo that is meant: left, top, width, height in shares of it."""
    draw: bool = False
    """Have a picture drawn of what is wanted."""
    generated: str | None = None
    verify: bool = False
    strict: bool = False
    catalog: str | None = None
    parts: bool = False
    """Show the things on the photo, to pick one."""
    wait: bool = False
    """Check the results before the page is sent, for browsers that run no scripts."""

    @property
    def asks(self) -> bool:
        """Whether there is anything to search."""
        return bool(self.q or self.like or self.photo)

    @property
    def edits(self) -> bool:
        """Whether it is something like another thing, but different."""
        return bool((self.like or self.photo) and (self.q or self.change))

    @property
    def said(self) -> str:
        """What it is about in words."""
        return " ".join(one for one in (self.q, self.change) if one)

    @property
    def pairs(self) -> Pairs:
        """What the address says, in a fixed order; what is as usual is left out."""
        box = "" if self.box is None else ",".join(f"{share:g}" for share in self.box)
        single = [
            ("q", self.q),
            ("like", self.like or ""),
            ("photo", self.photo or ""),
            ("box", box),
            ("change", self.change),
            *(("where", one) for one in self.where),
            *(("not", one) for one in self.without),
            *(("ignore", one) for one in self.ignore),
            ("sort", self.sort or ""),
            ("group", "" if self.group else "0"),
            ("draw", "draft" if self.draw else ""),
            ("generated", self.generated or ""),
            ("verify", "1" if self.verify else ""),
            ("strict", "1" if self.strict else ""),
            ("catalog", self.catalog or ""),
            ("parts", "1" if self.parts else ""),
            ("wait", "1" if self.wait else ""),
            ("cursor", self.cursor or ""),
        ]
        return [(name, value) for name, value in single if value]

    @property
    def query(self) -> str:
        """What stands behind the `?`."""
        return urlencode(self.pairs)

    @property
    def url(self) -> str:
        return f"{HOME}?{self.query}" if self.pairs else HOME

    def fields(self, *but: str) -> Pairs:
        """For the hidden fields of a form that sends the others itself."""
        return [(name, value) for name, value in self.first().pairs if name not in but]

    def request(self, top_k: int = PAGE) -> SearchRequest:
        """Raises QueryError."""
        words, change = self.q, self.change
        if self.like or (self.photo and change):
            words, change = "", self.said
        return request_of(
            {
                "text": words,
                "like": self.like,
                "change": change,
                "where": self.where,
                "without": self.without,
                "ignore": self.ignore,
                "sort": self.sort,
                "cursor": self.cursor,
                "group": self.group,
                "box": self.box,
                "generate": "draft" if self.draw and self.edits and not self.generated else None,
                "generated": self.generated if self.edits else None,
                "verify": True if self.verify or self.strict else None,
                "strict": self.strict,
                "catalog": self.catalog,
                "facets": (AUTO,),
                "top_k": top_k,
            }
        )

    def first(self) -> "Address":
        return replace(self, cursor=None)

    def at(self, cursor: str | None) -> "Address":
        return replace(self, cursor=cursor)

    def saying(self, q: str) -> "Address":
        """The same with other words."""
        return replace(self.first(), q=q, generated=None)

    def narrowed(self, condition: str) -> "Address":
        return replace(self.first(), where=tuple(dict.fromkeys((*self.where, condition))))

    def widened(self, condition: str) -> "Address":
        return replace(self.first(), where=tuple(one for one in self.where if one != condition))

    def unfiltered(self) -> "Address":
        return replace(self.first(), where=())

    def unpriced(self) -> "Address":
        """Without the filters of the price form."""
        return replace(self.first(), where=tuple(one for one in self.where if not one.startswith(PRICE)))

    def wanting(self, avoided: str) -> "Address":
        """What was not wanted is no longer avoided."""
        return replace(self.first(), without=tuple(one for one in self.without if one != avoided))

    def ignoring(self, chip: str) -> "Address":
        """Without what was understood."""
        return replace(self.first(), ignore=tuple(dict.fromkeys((*self.ignore, chip))))

    def heeding(self, chip: str) -> "Address":
        """With it again."""
        return replace(self.first(), ignore=tuple(one for one in self.ignore if one != chip))

    def sorted_by(self, sort: str | None) -> "Address":
        return replace(self.first(), sort=sort)

    def alike(self, product_id: str, change: str = "", where: tuple[str, ...] = ()) -> "Address":
        """A new search from a product, in the same catalog."""
        return Address(like=product_id, change=change, where=where, catalog=self.catalog)

    def drawn(self) -> "Address":
        return replace(self.first(), draw=True, generated=None)

    def keeping(self, picture_id: str) -> "Address":
        """By that picture, which is not drawn anew."""
        return replace(self.first(), draw=False, generated=picture_id)

    def undrawn(self) -> "Address":
        return replace(self.first(), draw=False, generated=None)

    def checked(self) -> "Address":
        return replace(self.first(), verify=True)

    def waiting(self) -> "Address":
        return replace(self.first(), wait=True)

    def unchecked(self) -> "Address":
        return replace(self.first(), verify=False, strict=False, wait=False)

    def strictly(self) -> "Address":
        return replace(self.first(), verify=True, strict=True)

    def picking(self) -> "Address":
        return replace(self.first(), parts=True)

    def boxed(self, box: Box | None) -> "Address":
        """Of the photo that part; None: all of it."""
        shares = None if box is None else (box.left, box.top, box.width, box.height)
        return replace(self.first(), box=shares, parts=False)

    def photoless(self) -> "Address":
        return replace(self.first(), photo=None, box=None, parts=False, draw=False, generated=None)


def read_address(pairs: Iterable[tuple[str, str]]) -> Address:
    """Of a query string or a form: what is unknown or empty is passed over, of what is single the last counts.

    Raises BadBox, and QueryError by `Address.request` for what is too much.
    """
    said: dict[str, list[str]] = {}
    for name, value in pairs:
        if meant := " ".join(value[:LONGEST].split()):
            said.setdefault(name, []).append(meant)
    last = {name: values[-1] for name, values in said.items()}
    photo = last["photo"] if PHOTO_ID.fullmatch(last.get("photo", "")) else None
    box = Box.parse(last["box"]) if photo and "box" in last else None
    return Address(
        q=last.get("q", ""),
        like=None if photo else last.get("like"),
        change=last.get("change", ""),
        where=_filters(said),
        without=_each(said, "not"),
        ignore=_each(said, "ignore"),
        sort=last.get("sort"),
        cursor=last.get("cursor"),
        group=last.get("group") != "0",
        photo=photo,
        box=None if box is None else (box.left, box.top, box.width, box.height),
        draw=last.get("draw") == "draft",
        generated=last.get("generated"),
        verify=last.get("verify") == "1",
        strict=last.get("strict") == "1",
        catalog=last.get("catalog"),
        parts=last.get("parts") == "1",
        wait=last.get("wait") == "1",
    )


def _filters(said: dict[str, list[str]]) -> tuple[str, ...]:
    """With those of the price form behind the others; from the lower amount to the higher, however they were put."""
    low, high = (said.get(name, [""])[-1] for name in _PRICE_FORM)
    if _AMOUNT.fullmatch(low) and _AMOUNT.fullmatch(high) and float(low) > float(high):
        said = {**said, **dict(zip(_PRICE_FORM, ([high], [low]), strict=True))}
    priced = (f"{PRICE}{sign}{said[name][-1]}" for name, sign in _PRICE_FORM.items() if name in said)
    return tuple(dict.fromkeys((*said.get("where", ()), *priced)))


def _each(said: dict[str, list[str]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said.get(name, ())))
