"""A photo that is sent with the search form."""

from urllib.parse import parse_qsl, urlsplit

from httpx2 import Response
from starlette.testclient import TestClient

from tests.service.worlds import photo_of


def sent(visitor: TestClient, content: bytes, **fields: str | list[str]) -> Response:
    return visitor.post("/photo", files={"photo": ("mine.png", content)}, data=fields)


def asked(answer: Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def test_a_photo_leads_to_its_results_with_what_was_said_beside_it(visitor: TestClient) -> None:
    said = asked(sent(visitor, photo_of("red"), q="but blue", where="price<50", like="mug-red", cursor="old"))
    photo_id = said.pop("photo")
    assert said == {"q": "but blue", "where": "price<50"}
    file = visitor.get(f"/photo/{photo_id}.webp")
    assert (file.status_code, file.headers["content-type"]) == (200, "image/webp")
    assert "private" in file.headers["cache-control"]


def test_without_a_photo_the_words_alone_are_searched(visitor: TestClient) -> None:
    assert asked(sent(visitor, b"", q="red mug")) == {"q": "red mug"}
    assert asked(visitor.post("/photo", data={"q": "red mug"})) == {"q": "red mug"}


def test_a_refused_photo_is_told_why_and_keeps_what_was_typed(visitor: TestClient) -> None:
    answer = sent(visitor, b"no picture", q='<b>"blue" & more', where="price<50")
    assert answer.status_code == 422
    assert "JPEG, PNG, WebP, AVIF and GIF are accepted" in answer.text
    assert 'value="&lt;b&gt;&#34;blue&#34; &amp; more"' in answer.text
    assert 'name="where" value="price&lt;50"' in answer.text


def test_the_things_on_a_photo_are_told_as_shares_of_it(visitor: TestClient) -> None:
    photo_id = asked(sent(visitor, photo_of("red")))["photo"]
    regions = visitor.get(f"/photo/{photo_id}/regions").json()["regions"]
    assert regions
    assert all(0 <= share <= 1 for box in regions for share in box)


def test_a_photo_that_is_not_kept_is_not_found(visitor: TestClient) -> None:
    for path in (f"/photo/{'a' * 22}.webp", f"/photo/{'a' * 22}/regions", "/photo/..%2f..%2fvitrine.db.webp"):
        assert visitor.get(path).status_code == 404


def test_other_sites_pages_send_no_photos(visitor: TestClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    assert visitor.post("/photo", data={"q": "red"}, headers=headers).status_code == 403
