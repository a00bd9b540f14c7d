"""Business rules from writing to the search that reads them."""

import shutil
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.states import RuleState
from indexer.domain import BuildManifest
from indexer.errors import BadExpression, BadRule, UnknownCatalog, UnknownProduct, UnknownRule
from service.ruling import Rules, rule_of
from tests.service.worlds import settings_of


@pytest.fixture
def database(home: Path, tmp_path: Path) -> Database:
    """The small shop's, of which rules need nothing else."""
    for file in home.glob("vitrine.db*"):
        shutil.copy(file, tmp_path)
    return open_catalogue(settings_of(tmp_path))


@pytest.fixture
def build(database: Database) -> BuildManifest:
    with database.session() as session:
        manifest = BuildRepository(session).manifest(published_build(database, None)[1])
    assert manifest is not None
    return manifest


@pytest.fixture
def rules(database: Database) -> Rules:
    return Rules(database, None)


PIN = rule_of({"kind": "pin", "query": "mug", "products": ["mug-blue"], "author": "ann"})
BOOST = rule_of({"kind": "boost", "expression": "0.3*in_stock", "author": "ann"})


def test_a_rule_counts_once_it_is_published_and_until_it_is_removed(rules: Rules, build: BuildManifest) -> None:
    def met(drafts: bool) -> tuple[str, ...]:
        return rules.book(build, drafts=drafts).for_query("mug").rules

    assert (met(False), met(True)) == ((), ())
    rule = rules.add(PIN)
    assert (rule.state, rule.place, rule.author) == (RuleState.DRAFT, 1, "ann")
    assert (met(False), met(True)) == ((), (rule.id,))
    assert rules.publish(rule.id, "bob").changed_by == "bob"
    assert (met(False), met(True)) == ((rule.id,), (rule.id,))
    rules.remove(rule.id, "eve")
    assert (met(False), met(True)) == ((), ())
    assert rules.listed() == []
    (gone,) = rules.listed(removed=True)
    assert (gone.id, gone.state, gone.author, gone.changed_by) == (rule.id, RuleState.REMOVED, "ann", "eve")


def test_the_book_is_read_anew_only_when_a_rule_was_changed(
    rules: Rules, build: BuildManifest, database: Database
) -> None:
    rules.publish(rules.add(BOOST).id, "ann")
    held = rules.book(build)
    assert rules.book(build) is held
    elsewhere = Rules(database, None)
    elsewhere.add(PIN)
    assert rules.book(build) is not held


def test_a_new_build_has_the_rules_read_for_its_own_fields(rules: Rules, build: BuildManifest) -> None:
    rules.publish(rules.add(BOOST).id, "ann")
    assert rules.book(build).for_query("mug").lifts
    fewer = {name: kind for name, kind in build.fields.items() if name != "in_stock"}
    later = rules.book(build.model_copy(update={"build": "later", "fields": fewer})).for_query("mug")
    assert (later.lifts, list(later.broken)) == ((), list(later.rules))


def test_a_rule_is_checked_against_the_published_catalogue(rules: Rules) -> None:
    with pytest.raises(UnknownProduct, match="mug-blu"):
        rules.add(PIN.model_copy(update={"products": ("mug-blu",)}))
    with pytest.raises(BadExpression, match="no field 'rating'"):
        rules.add(BOOST.model_copy(update={"expression": "log(rating)"}))
    with pytest.raises(BadRule, match="products: a pin rule needs it"):
        rules.add(PIN.model_copy(update={"products": ()}))
    with pytest.raises(UnknownCatalog, match="nowhere"):
        rules.add(PIN, "nowhere")
    assert rules.listed() == []


@pytest.mark.parametrize("author", ["", " \u200b ", "x" * 101])
def test_nobody_changes_a_rule_without_a_name(rules: Rules, author: str) -> None:
    rule = rules.add(BOOST)
    with pytest.raises(BadRule, match="author: say who does it"):
        rules.publish(rule.id, author)
    with pytest.raises(BadRule, match="author: say who does it"):
        rules.remove(rule.id, author)
    assert rules.listed() == [rule]


def test_an_unknown_rule_is_told(rules: Rules) -> None:
    rule = rules.add(BOOST)
    for change in (rules.publish, rules.remove):
        with pytest.raises(UnknownRule, match=f"no rule 'r'; newest rules: {rule.id}"):
            change("r\0", "ann")


def test_a_rule_is_written_without_invisible_characters() -> None:
    given = rule_of(
        {"kind": "synonym", "query": " so\0fa\n", "words": ["couch\u200b", "couch"], "author": "\u202eann  b"}
    )
    assert (given.query, given.author) == ("sofa", "ann b")
    assert given.content().words == ("couch",)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "praise", "author": "ann"}, "kind: Input should be 'pin', 'bury', 'synonym' or 'boost'"),
        ({"kind": "boost", "author": ""}, "author: "),
        ({"kind": "boost"}, "author: Field required"),
        ({"kind": "pin", "author": "ann", "products": [" "]}, "products.0: "),
        ({"kind": "pin", "author": "ann", "products": ["\ud800"]}, "products.0: "),
        ({"kind": "pin", "author": "ann", "products": ["x"] * 51}, "products: "),
        ({"kind": "boost", "author": "ann", "expression": "1" * 501}, "expression: "),
        ({"kind": "boost", "author": "ann", "state": "live"}, "state: Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_is_badly_written_is_refused_by_its_part(fields: dict[str, object], why: str) -> None:
    with pytest.raises(BadRule, match=f"^{why}"):
        rule_of(fields)
