"""A shop whose products are changed live, with the stores that are given to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from indexer.builds.changing import LiveChange, Seeing, delete_products, put_products, update_product
from indexer.builds.embeddings import Embeddings
from indexer.builds.gates import Gate
from indexer.builds.given import ProductInput, parse_update
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress
from indexer.builds.publish import verify
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import Condition, Op, Product, WordsQuery
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.sources import Source, open_source
from indexer.stores.keeping import Stores
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop

SOURCE = """id,title,price,colour,images
hat,Straw hat,20 EUR,yellow,
scarf,Woollen scarf,30 EUR,red,
coat,Winter coat,90 EUR,black,
"""
GLOVE = "glove,Leather glove,15 EUR,brown,\n"


@dataclass(frozen=True)
class World:
    """A shop whose stores are given; those of Qdrant keep what is written and hold on to live changes."""

    shop: Shop
    database: Database
    stores: Stores
    encoder: Encoder = field(default_factory=FakeEncoder)

    def write(self, text: str) -> None:
        self.shop.file.write_text(text)

    def source(self) -> Source:
        return open_source(self.shop.file)

    def build(
        self,
        watch: Callable[[Progress], None] = lambda progress: None,
        source: Source | None = None,
        gate: Gate | None = None,
        encoder: Encoder | None = None,
    ) -> BuildReport:
        gates = {"test": gate} if gate else {}
        settings, used = self.shop.settings, encoder or self.encoder
        return Pipeline(self.database, settings, used, gates, self.stores).run(source or self.source(), "shop", watch)

    @contextmanager
    def seeing(self, encoder: Encoder | None = None) -> Iterator[Seeing]:
        used = encoder or self.encoder
        with DecoderPool.of(self.shop.settings.images) as decoders:
            yield Seeing(used, Embeddings(self.shop.settings.home, used.spec.identity), decoders)

    def put(self, *products: Mapping[str, object], encoder: Encoder | None = None) -> LiveChange:
        with self.seeing(encoder) as eyes:
            given = [ProductInput.model_validate(one).product() for one in products]
            return put_products(self.database, "shop", given, eyes)

    def update(self, product: str, **changes: object) -> LiveChange:
        return update_product(self.database, "shop", product, parse_update(changes))

    def delete(self, *products: str) -> LiveChange:
        return delete_products(self.database, "shop", products)

    @contextmanager
    def live(self, encoder: Encoder | None = None) -> Iterator[LiveIndex]:
        """The published build, its store equal to the ledger."""
        build = published_build(self.database, "shop")[1]
        with closing(open_live(self.database, self.shop.settings, build, self.stores)) as index:
            identity = (encoder or self.encoder).spec.identity
            verify(index, self.database, Embeddings(self.shop.settings.home, identity))
            yield index

    def products(self) -> dict[str, Product]:
        with self.database.session() as session:
            generation = BuildRepository(session).get(published_build(self.database, "shop")[1]).generation
            return {one.id: one for one in ProductRepository(session).page("shop", generation=generation)}


def found(index: LiveIndex, words: str, where: Condition | None = None) -> list[str]:
    return sorted(hit.product_id for hit in index.store.search(WordsQuery(words), 10, where))


def costs(price: float) -> Condition:
    return Condition("price", Op.EQ, price)
