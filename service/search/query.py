"""What a shopper asks, before anything is encoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexer.domain import Channel, Pixels, QueryKind
from indexer.errors import EmptyQuery, QueryError
from indexer.generate_settings import Mode
from indexer.settings import Fusion
from service.deadline import Deadline
from service.rerank.verifier import Told

RulesUsed = Literal["live", "draft", "off"]
"""`draft`: those that are not published yet too, to try them out."""
AUTO = "auto"


@dataclass(frozen=True, eq=False)
class Query:
    """Words, photos of one thing, a product's id, or a reference (photos or product) and the change that is wanted.

    `photo` is fitted to the encoder (`Decoded.pixels`) with the names of its dominant colours, most first;
    `further_photos` show the same thing. `where` holds filters as people write them; `weights` replace the defaults of
    the kind, `fusion` and `diversity` the settings. `without` are words that the answer should stay away from, `ignore`
    the chips whose understanding is not wanted. `facets` names fields, `AUTO` those that suit the catalogue.

    `verify`: have the first results checked, None: as the settings say; `strict` leaves out what is contradicted then.
    `view` is `photo` as large as whoever checks wants it, `caller` whose budget that is.

    `generate`: have a picture drawn of what an edit wants and search by it too; `generated`: by this one, by its id.
    `canvas` gives `photo` as large as whoever draws or recolours wants it. `told` hears of verdicts as they come.

    Once the `deadline` is over, no further stage is begun. `before_ms` are stages that took place before the search.
    """

    words: str = ""
    change: str = ""
    like: str | None = None
    photo: Pixels | None = None
    photo_colours: tuple[str, ...] = ()
    further_photos: tuple[Pixels, ...] = ()
    without: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    weights: Mapping[Channel, float] | None = None
    top_k: int = 10
    fusion: Fusion | None = None
    diversity: float | None = None
    group: bool = True
    sort: str | None = None
    cursor: str | None = None
    facets: tuple[str, ...] = ()
    rules: RulesUsed = "live"
    verify: bool | None = None
    strict: bool = False
    view: Pixels | None = None
    generate: Mode | None = None
    generated: str | None = None
    canvas: Callable[[], Pixels] | None = None
    caller: str = ""
    why_not: tuple[str, ...] = ()
    explain: bool = False
    told: Told | None = None
    deadline: Deadline = field(default_factory=Deadline)
    before_ms: Mapping[str, float] = field(default_factory=dict)
    kind: QueryKind = field(init=False)

    def __post_init__(self) -> None:
        """Raises EmptyQuery or QueryError when the parts do not make one question."""
        for name in ("words", "change"):
            object.__setattr__(self, name, " ".join(getattr(self, name).split()))
        if self.strict and self.verify is False:
            raise QueryError("strict: it needs verification; do not switch `verify` off with it.")
        object.__setattr__(self, "kind", self._kind())
        if self.generate is not None and self.generated is not None:
            raise QueryError("generated: a picture is drawn or given by its id, not both; leave `generate` out.")
        if (self.generate or self.generated) and self.kind is not QueryKind.EDIT:
            raise QueryError("generate: give a product or a photo to start from, and what is to be different from it.")

    def _kind(self) -> QueryKind:
        if self.further_photos and self.photo is None:
            raise QueryError("Further photos need a first one.")
        references = (self.photo is not None) + (self.like is not None)
        if references > 1:
            raise QueryError("Give a photo or a product to start from, not both.")
        if self.words and (self.change or self.like is not None):
            raise QueryError("Words go alone or with a photo; say what to change with `change`.")
        if references == 0 and self.change:
            raise QueryError("A change needs something to start from: a photo or a product's id.")
        if references and (self.change or self.words):
            return QueryKind.EDIT
        if self.photo is not None:
            return QueryKind.PHOTOS if self.further_photos else QueryKind.PHOTO
        if self.like is not None:
            return QueryKind.SIMILAR
        if not self.words:
            raise EmptyQuery("The query is empty: give words, a photo, or a product's id.")
        return QueryKind.TEXT

    @property
    def wanted(self) -> str:
        """The words of an edit, whichever way they came."""
        return self.change or self.words
