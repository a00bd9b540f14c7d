"""What a search request says, for the API and the command line alike."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from indexer.domain import Frozen
from indexer.errors import QueryError
from indexer.settings import Fusion

MAX_TOP_K = 200
MAX_WORDS = 1_000
MAX_FILTERS = 50

Words = Annotated[str, Field(max_length=MAX_WORDS)]


class SearchRequest(Frozen):
    """Words, or `like` a product, or a photo beside it; with `change` they become "like this, but …"."""

    text: Words = ""
    """What is looked for, in words."""
    like: str | None = None
    """Id of a product to start from."""
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


def request_of(fields: Mapping[str, object]) -> SearchRequest:
    """Raises QueryError naming each field that is wrong."""
    try:
        return SearchRequest.model_validate(fields)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise QueryError("; ".join(mistakes) + ".") from None
