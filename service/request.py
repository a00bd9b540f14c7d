"""What a search request says, for the API and the command line alike."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from indexer.domain import Frozen
from indexer.errors import QueryError
from indexer.generate_settings import Mode
from indexer.settings import Fusion, Share
from service.search.paging import MAX_CURSOR
from service.search.query import RulesUsed

MAX_TOP_K = 200
MAX_WORDS = 1_000
MAX_FILTERS = 50
MAX_LISTED = 20
MAX_WITHOUT = 10
MAX_NAME = 100
MAX_URL = 2_000


Words = Annotated[str, Field(max_length=MAX_WORDS)]


class SearchRequest(Frozen):
    """Words, or `like` a product, or a photo beside it; with `change` they become "like this, but …"."""

    text: Words = ""
    """What is looked for, in words."""
    like: Words | None = None
    """Id of a product to start from."""
    photo_url: Annotated[str, Field(max_length=MAX_URL)] | None = None
    """https address of a photo to start from, where the service fetches any (`search.urls`)."""
    change: Words = ""
    """What should be different from the photo or product."""
    where: Annotated[tuple[Words, ...], Field(max_length=MAX_FILTERS)] = ()
    """Filters that must all hold: `colour=blue`, `price<50`, `brand=acme|orbit`."""
    weights: dict[str, float] | None = None
    """Channel → weight, replacing the defaults of the kind of query."""
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 10
    catalog: str | None = None
    fusion: Fusion | None = None
    """Replaces the setting; `raw`: weighted sums of cosines."""
    explain: bool = False
    without: Annotated[tuple[Words, ...], Field(max_length=MAX_WITHOUT)] = ()
    """What the answer should stay away from, in words."""
    ignore: Annotated[tuple[Words, ...], Field(max_length=MAX_LISTED)] = ()
    """Ids of an answer's chips whose understanding is not wanted."""
    box: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)] | None = None
    """The part of the photo that is meant: left, top, width, height as shares of the upright picture."""
    group: bool = True
    """Show a product's variants, and its near-duplicates, as one result."""
    sort: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    """`price`, `-price`, `newest`, or a field of numbers or dates, within the relevant results."""
    facets: Annotated[tuple[Annotated[str, Field(max_length=MAX_NAME)], ...], Field(max_length=MAX_LISTED)] = ()
    """Fields to count over the candidates; `auto`: those that suit the catalogue."""
    diversity: Share | None = None
    """Replaces the setting."""
    cursor: Annotated[str, Field(max_length=MAX_CURSOR)] | None = None
    """`next` of the answer whose next page is wanted."""
    verify: bool | None = None
    """Have the first results checked, one by one, for what was asked; null: as `rerank.kinds` says."""
    strict: bool = False
    """Verify, and leave out what certainly is not what was asked for."""
    generate: Mode | None = None
    """Have a picture drawn of what is wanted, and search by it too: a `draft` in milliseconds to seconds, or a `final`
    one, which may take as long as `generate.final_seconds`. Only with a change."""
    generated: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    """Id of a picture that was drawn before, to search by it instead of drawing one."""
    rules: RulesUsed = "live"
    """`draft` applies the merchandiser's unpublished rules too, `off` none."""
    why_not: Annotated[tuple[Annotated[str, Field(max_length=MAX_WORDS)], ...], Field(max_length=MAX_LISTED)] = ()
    """Ids of products of which the answer says why they are not in it."""


def request_of(fields: Mapping[str, object]) -> SearchRequest:
    """Raises QueryError naming each field that is wrong."""
    try:
        return SearchRequest.model_validate(fields)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise QueryError("; ".join(mistakes) + ".") from None
