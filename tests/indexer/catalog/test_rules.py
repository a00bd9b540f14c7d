from datetime import timedelta

import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.models import RuleRow
from indexer.catalog.rules import MAX_RULES, Rule, RuleContent, RuleRepository
from indexer.catalog.states import RuleKind, RuleState
from indexer.errors import ConflictError, UnknownCatalog, UnknownRule
from tests.indexer.catalog.samples import NOON

LATER = NOON + timedelta(hours=1)
PIN = RuleContent(RuleKind.PIN, "red mug", products=("mug-red", "größe/1"), place=2)
SYNONYM = RuleContent(RuleKind.SYNONYM, "sofa", words=("couch", "settee"))
BOOST = RuleContent(RuleKind.BOOST, "", expression='0.3*(brand = "acme")')


def added(database: Database, *contents: RuleContent, catalog: str = "shop") -> list[Rule]:
    with database.begin() as session:
        repository = RuleRepository(session)
        moments = [NOON + timedelta(minutes=number) for number in range(len(contents))]
        pairs = zip(contents, moments, strict=True)
        return [repository.add(catalog, content, author="ann", now=now) for content, now in pairs]


def test_a_rule_is_a_draft_with_its_author_and_time(database: Database) -> None:
    rules = added(database, PIN, SYNONYM, BOOST)
    with database.session() as session:
        assert RuleRepository(session).of("shop") == tuple(rules)
        assert RuleRepository(session).get("shop", rules[0].id) == rules[0]
    assert rules[0] == Rule(rules[0].id, "shop", PIN, RuleState.DRAFT, "ann", NOON, "ann", NOON)
    assert len({rule.id for rule in rules}) == 3


def test_publishing_notes_who_did_it(database: Database) -> None:
    (rule, other) = added(database, PIN, BOOST)
    with database.begin() as session:
        live = RuleRepository(session).set_state("shop", rule.id, RuleState.LIVE, by="bob", now=LATER)
    assert live == Rule(rule.id, "shop", PIN, RuleState.LIVE, "ann", NOON, "bob", LATER)
    with database.session() as session:
        assert RuleRepository(session).of("shop", (RuleState.LIVE,)) == (live,)
        assert RuleRepository(session).of("shop", (RuleState.DRAFT,)) == (other,)


def test_a_removed_rule_stays_on_record_and_is_not_found_again(database: Database) -> None:
    (rule,) = added(database, PIN)
    with database.begin() as session:
        gone = RuleRepository(session).set_state("shop", rule.id, RuleState.REMOVED, by="bob", now=LATER)
    assert (gone.state, gone.author, gone.changed_by, gone.updated_at) == (RuleState.REMOVED, "ann", "bob", LATER)
    with database.begin() as session:
        repository = RuleRepository(session)
        assert repository.of("shop") == ()
        assert repository.of("shop", tuple(RuleState)) == (gone,)
        with pytest.raises(UnknownRule):
            repository.set_state("shop", rule.id, RuleState.LIVE, by="bob", now=LATER)


def test_every_change_has_a_revision_of_its_own(database: Database) -> None:
    def revision() -> int:
        with database.session() as session:
            return RuleRepository(session).revision("shop")

    seen = [revision()]
    rule, _ = added(database, PIN, PIN)
    seen.append(revision())
    for state in (RuleState.LIVE, RuleState.LIVE, RuleState.REMOVED):
        with database.begin() as session:
            RuleRepository(session).set_state("shop", rule.id, state, by="ann", now=NOON)
        seen.append(revision())
    assert seen == [0, 2, 3, 3, 4]


def test_catalogs_have_rules_for_themselves(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/", source="/p.csv")
    (mine,) = added(database, PIN)
    (theirs,) = added(database, PIN, catalog="other")
    with database.begin() as session:
        repository = RuleRepository(session)
        assert repository.of("shop") == (mine,)
        with pytest.raises(UnknownRule, match=f"Catalog 'shop' has no rule '{theirs.id}'; newest rules: {mine.id}"):
            repository.set_state("shop", theirs.id, RuleState.LIVE, by="ann", now=NOON)
        assert repository.get("other", theirs.id).state is RuleState.DRAFT


def test_what_is_not_there_is_named(database: Database) -> None:
    with database.begin() as session:
        repository = RuleRepository(session)
        with pytest.raises(UnknownRule, match="no rule 'r'; newest rules: none"):
            repository.get("shop", "r")
        with pytest.raises(UnknownCatalog, match="nowhere"):
            repository.get("nowhere", "r")
        with pytest.raises(UnknownCatalog, match="nowhere"):
            repository.add("nowhere", PIN, author="ann", now=NOON)


def test_a_catalog_has_so_many_rules_and_no_more(database: Database) -> None:
    (first,) = added(database, BOOST)
    with database.begin() as session:
        row = session.execute(sa.select(*RuleRow.__table__.columns)).mappings().one()
        session.execute(sa.insert(RuleRow), [{**row, "id": f"r{number}"} for number in range(MAX_RULES - 1)])
        repository = RuleRepository(session)
        with pytest.raises(ConflictError, match="has 1,000 rules, the most there can be; remove some"):
            repository.add("shop", BOOST, author="ann", now=NOON)
        repository.set_state("shop", first.id, RuleState.REMOVED, by="ann", now=NOON)
        assert repository.add("shop", BOOST, author="ann", now=NOON).state is RuleState.DRAFT
