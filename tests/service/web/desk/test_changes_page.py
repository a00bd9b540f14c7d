"""Who changed what, at the desk."""

from datetime import UTC, datetime

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.states import Scope
from service.access import Access
from tests.service.web.desk.conftest import Desk, plain


def test_changes_are_shown_with_how_it_was_before(desk: Desk) -> None:
    desk.client.post("/desk/products/delete", data={"id": "mug-plain"})
    told = plain(desk.client.get("/desk/changes").text)
    assert "Mia Merchant products.delete mug-plain" in told
    assert "title : Mug of the house" in told
    assert "mug-plain" not in plain(desk.client.get("/desk/changes", params={"kind": "rules"}).text)


def test_what_was_typed_stays_text(desk: Desk) -> None:
    evil = "<script>alert(1)</script>"
    entry = AuditEntry(datetime.now(UTC), evil, "products.put", "shop", evil, {evil: evil}, {evil: 1})
    with desk.world.database.begin() as session:
        AuditRepository(session).add(entry)
    page = desk.client.get("/desk/changes", params={"kind": evil}).text
    assert evil not in page
    assert plain(page).count(evil) >= 4


def test_only_administrators_see_changes_of_keys(desk: Desk) -> None:
    access = Access(desk.world.database)
    access.add("Somebody else", [Scope.SEARCH], by="root")
    assert "Somebody else" not in desk.client.get("/desk/changes").text
    assert "keys.add" not in desk.client.get("/desk/changes", params={"kind": "keys"}).text
    cookie = access.sign_in(access.add("Admin", [Scope.ADMIN])[1])
    page = desk.client.get("/desk/changes", params={"kind": "keys"}, headers={"Cookie": f"vitrine_session={cookie}"})
    assert "Somebody else" in page.text
