"""What the API takes and gives beside the search request and its answer."""

from dataclasses import astuple
from typing import Annotated

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from indexer.domain import Frozen, Product
from indexer.generate_settings import Mode
from indexer.images.regions import Box, Region
from indexer.settings import Fusion, Share
from service.draw.documents import DrawRequest, draw_request_of
from service.request import (
    MAX_FILTERS,
    MAX_LISTED,
    MAX_NAME,
    MAX_TOP_K,
    MAX_URL,
    MAX_WITHOUT,
    SearchRequest,
    Words,
    request_of,
)
from service.search.paging import MAX_CURSOR
from service.search.query import RulesUsed
from service.search.weights import parse_weights

MAX_PUT = 100
"""Products of one request."""
MAX_PHOTOS = 4
"""Photos of one search; together they may be as large as one."""


class PhotoForm(BaseModel):
    """A multipart form: one photo or several of the same thing and, as plain fields, what a JSON request says.

    `weights` is `image=0.6,text=0.4`; `box` is `left,top,width,height`, on the first photo.
    """

    model_config = ConfigDict(extra="forbid")

    photo: Annotated[list[UploadFile], Field(min_length=1, max_length=MAX_PHOTOS)]
    text: Words = ""
    like: str | None = None
    """Only ever refused: one starts from a photo or from a product."""
    photo_url: Annotated[str, Field(max_length=MAX_URL)] | None = None
    """Only ever refused: the photo is here."""
    change: Words = ""
    where: Annotated[list[Words], Field(max_length=MAX_FILTERS)] = []
    weights: str | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 10
    catalog: str | None = None
    fusion: Fusion | None = None
    explain: bool = False
    without: Annotated[list[Words], Field(max_length=MAX_WITHOUT)] = []
    ignore: Annotated[list[Words], Field(max_length=MAX_LISTED)] = []
    box: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    group: bool = True
    sort: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    facets: Annotated[list[Words], Field(max_length=MAX_LISTED)] = []
    diversity: Share | None = None
    cursor: Annotated[str, Field(max_length=MAX_CURSOR)] | None = None
    verify: bool | None = None
    strict: bool = False
    generate: Mode | None = None
    generated: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    rules: RulesUsed = "live"
    why_not: Annotated[list[Words], Field(max_length=MAX_LISTED)] = []

    def request(self) -> SearchRequest:
        """Raises QueryError."""
        weights = None if self.weights is None else {str(key): one for key, one in parse_weights(self.weights).items()}
        box = None if self.box is None else astuple(Box.parse(self.box))
        return request_of({**self.model_dump(exclude={"photo", "weights", "box"}), "weights": weights, "box": box})

    def photos(self) -> list[bytes]:
        return [one.file.read() for one in self.photo]


class DrawForm(BaseModel):
    """A multipart form: a photo and, as plain fields, what a JSON request says.

    `size` is `width,height`, `box` and `region` are `left,top,width,height`.
    """

    model_config = ConfigDict(extra="forbid")

    photo: UploadFile
    change: Words
    catalog: str | None = None
    mode: Mode = "draft"
    box: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    count: int | None = None
    seed: int = 0
    size: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    region: Annotated[str, Field(max_length=MAX_NAME)] | None = None
    generator: str | None = None
    pipeline: str | None = None

    def request(self) -> DrawRequest:
        """Raises QueryError."""
        size = None if self.size is None else self.size.split(",")
        boxes = {"box": self.box, "region": self.region}
        shares = {name: None if said is None else astuple(Box.parse(said)) for name, said in boxes.items()}
        return draw_request_of({**self.model_dump(exclude={"photo"}), "size": size, **shares})


class RegionForm(BaseModel):
    """A multipart form with one photo."""

    model_config = ConfigDict(extra="forbid")

    photo: UploadFile


class RegionList(Frozen):
    """The most conspicuous first."""

    regions: tuple[Region, ...]


class ProductImage(Frozen):
    id: str
    uri: str


class ProductDocument(Frozen):
    id: str
    title: str
    parent: str | None
    description: str
    brand: str | None
    category: tuple[str, ...]
    price: float | None
    currency: str | None
    availability: str
    attributes: dict[str, str | tuple[str, ...]]
    url: str | None
    images: list[ProductImage]

    @classmethod
    def of(cls, product: Product) -> "ProductDocument":
        return cls(
            id=product.id,
            title=product.title,
            parent=product.parent,
            description=product.description,
            brand=product.brand,
            category=product.category,
            price=None if product.price is None else float(product.price),
            currency=product.currency,
            availability=product.availability.value,
            attributes=dict(product.attributes),
            url=product.url,
            images=[ProductImage(id=image.image_id, uri=image.uri) for image in product.images],
        )


class CatalogList(Frozen):
    """Catalog → its published build, null when it has none."""

    catalogs: dict[str, str | None]


class Health(Frozen):
    status: str
    instance: str
    """Differs between any two processes."""


class Readiness(Frozen):
    status: str
    builds: dict[str, str]
    """Catalog → the build that is searched."""
