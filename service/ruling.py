"""What merchandisers do with business rules, and the rules as searches read them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from indexer.builds.live import published_build
from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.rules import IN_USE, Rule, RuleContent, RuleRepository
from indexer.catalog.states import RuleKind, RuleState
from indexer.domain import BuildManifest, FieldType, Frozen
from indexer.errors import BadRule, StoreMismatch
from service.search.rules import RuleBook, checked

MAX_PRODUCTS = 50
MAX_WORDS = 20
MAX_AUTHOR = 100
"""Characters of a name."""


def _clean(text: str) -> str:
    from indexer.sources.text import clean_line  # the readers of catalogues come with it; no search needs them

    return clean_line(text)


Line = Annotated[str, Field(max_length=500), AfterValidator(_clean)]
Said = Annotated[Line, Field(min_length=1)]
Author = Annotated[str, Field(max_length=MAX_AUTHOR), AfterValidator(_clean), Field(min_length=1)]


class RuleInput(Frozen):
    """A rule as it is written; what it needs beside `kind` and `author` depends on the kind."""

    kind: RuleKind
    query: Line = ""
    """Which queries it is for: '' every one, words that are the whole query, or `contains:` and words in it. Of a
    synonym: the phrase."""
    products: Annotated[tuple[Said, ...], Field(max_length=MAX_PRODUCTS)] = ()
    """Pinned or buried, the first pinned one first."""
    words: Annotated[tuple[Said, ...], Field(max_length=MAX_WORDS)] = ()
    """What a synonym's phrase is also read as."""
    expression: Line = ""
    """What a boost adds to the score, e.g. `0.3*in_stock - 0.5*(brand = "acme")`."""
    place: int | None = None
    """Of the first pinned product, by default 1."""
    author: Author

    def content(self) -> RuleContent:
        products, words = tuple(dict.fromkeys(self.products)), tuple(dict.fromkeys(self.words))
        return RuleContent(self.kind, self.query, products, words, self.expression, self.place)


class RuleDocument(Frozen):
    """A rule as it is stored."""

    id: str
    catalog: str
    kind: RuleKind
    state: RuleState
    query: str
    products: tuple[str, ...]
    words: tuple[str, ...]
    expression: str
    place: int | None
    author: str
    created_at: datetime
    changed_by: str
    """Who wrote, published or removed it last."""
    updated_at: datetime

    @classmethod
    def of(cls, rule: Rule) -> "RuleDocument":
        content = rule.content
        return cls(
            id=rule.id,
            catalog=rule.catalog,
            kind=content.kind,
            state=rule.state,
            query=content.query,
            products=content.products,
            words=content.words,
            expression=content.expression,
            place=content.place,
            author=rule.author,
            created_at=rule.created_at,
            changed_by=rule.changed_by,
            updated_at=rule.updated_at,
        )


def rule_of(fields: Mapping[str, object]) -> RuleInput:
    """Raises BadRule naming each part that is wrong."""
    try:
        return RuleInput.model_validate(fields)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise BadRule("; ".join(mistakes) + ".") from None


class Rules:
    """Thread-safe. A catalog that is left out is the default one, else the only one published."""

    def __init__(self, database: Database, catalog: str | None) -> None:
        self._database = database
        self._catalog = catalog
        self._books: dict[tuple[str, bool], tuple[str, int, RuleBook]] = {}
        """(catalog, with drafts) → the build and the revision that the book was read for."""

    def book(self, build: BuildManifest, *, drafts: bool = False) -> RuleBook:
        """The live rules, or the drafts as well, as of now; read anew only when one was changed."""
        key = build.catalog, drafts
        with self._database.session() as session:
            repository = RuleRepository(session)
            revision = repository.revision(build.catalog)
            held = self._books.get(key)
            if held is not None and held[:2] == (build.build, revision):
                return held[2]
            rules = repository.of(build.catalog, IN_USE if drafts else (RuleState.LIVE,))
        book = RuleBook.of(rules, build.fields)
        self._books[key] = build.build, revision, book
        return book

    def listed(self, catalog: str | None = None, *, removed: bool = False) -> list[RuleDocument]:
        """Oldest first; `removed` tells those too. Raises UnknownCatalog, NothingPublished."""
        name, _ = self._published(catalog)
        with self._database.session() as session:
            found = RuleRepository(session).of(name, tuple(RuleState) if removed else IN_USE)
        return [RuleDocument.of(rule) for rule in found]

    def add(self, given: RuleInput, catalog: str | None = None, by: str = "") -> RuleDocument:
        """As a draft. `by`: whose key does it, for the record of changes; absent: the author.

        Raises BadRule, BadExpression, UnknownProduct, ConflictError for too many of them.
        """
        name, build = self._published(catalog)
        content = checked(given.content(), self._fields(build))
        with self._database.begin() as session:
            generation = BuildRepository(session).get(build).generation
            for product in content.products:
                ProductRepository(session).get(name, product, generation=generation)
            added = RuleRepository(session).add(name, content, author=given.author, now=datetime.now(UTC))
            AuditRepository(session).add(_entry("rules.add", None, added, by))
        return RuleDocument.of(added)

    def publish(self, rule_id: str, author: str, catalog: str | None = None, by: str = "") -> RuleDocument:
        """From now on it counts. `by` as in `add`.

        Raises UnknownRule, BadExpression when the catalogue lost a field that it needs.
        """
        known, who = _clean(rule_id), _author(author)
        name, build = self._published(catalog)
        fields = self._fields(build)
        with self._database.begin() as session:
            repository = RuleRepository(session)
            was = repository.get(name, known)
            checked(was.content, fields)
            changed = repository.set_state(name, known, RuleState.LIVE, by=who, now=datetime.now(UTC))
            if changed != was:
                AuditRepository(session).add(_entry("rules.publish", was, changed, by))
        return RuleDocument.of(changed)

    def remove(self, rule_id: str, author: str, catalog: str | None = None, by: str = "") -> RuleDocument:
        """It stays listed among the removed. `by` as in `add`. Raises UnknownRule."""
        known, who = _clean(rule_id), _author(author)
        name, _ = self._published(catalog)
        with self._database.begin() as session:
            repository = RuleRepository(session)
            was = repository.get(name, known)
            changed = repository.set_state(name, known, RuleState.REMOVED, by=who, now=datetime.now(UTC))
            AuditRepository(session).add(_entry("rules.remove", was, changed, by))
        return RuleDocument.of(changed)

    def _published(self, catalog: str | None) -> tuple[str, str]:
        return published_build(self._database, catalog or self._catalog)

    def _fields(self, build: str) -> Mapping[str, FieldType]:
        with self._database.session() as session:
            manifest = BuildRepository(session).manifest(build)
        if manifest is None:
            raise StoreMismatch(f"Build {build} has no manifest; build the catalogue again.")
        return manifest.fields


def _entry(action: str, was: Rule | None, now: Rule, by: str) -> AuditEntry:
    """The rule's newest change. A name that a request says is no proof of who sent it."""
    before, after = (None if one is None else _told(one) for one in (was, now))
    return AuditEntry(now.updated_at, by or now.changed_by, action, now.catalog, now.id, before, after)


def _told(rule: Rule) -> Mapping[str, object]:
    """What it does, without what it has no use for."""
    told = {"state": rule.state.value, **asdict(rule.content), "kind": rule.content.kind.value}
    return {name: value for name, value in told.items() if value not in (None, "", ())}


def _author(given: str) -> str:
    name = _clean(given)
    if not 0 < len(name) <= MAX_AUTHOR:
        raise BadRule(f"author: say who does it, in {MAX_AUTHOR} characters at most.")
    return name
