"""Pictures over HTTP: drafts at once, final ones as jobs, their files, and the client that speaks to all that."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest
from PIL import Image
from starlette.testclient import TestClient

from indexer.errors import ConflictError, InputError, QueueFull, UnavailableError, VitrineError
from indexer.settings import Settings
from service.client import RemoteShop
from service.deadline import Deadline
from service.draw.documents import DrawRequest, Pictures
from service.metrics import Metrics
from service.request import SearchRequest
from service.shop import Shop
from tests.service.apps import app_of
from tests.service.draw.shops import open_drawing_shop
from tests.service.test_remote_options import served
from tests.service.worlds import photo_of

MAX_PHOTO = 60_000
RED = photo_of("red", seed=99)
EVERYTHING = DrawRequest(
    like="lamp/äöü 50%",
    change="but blue; not = red",
    catalog="shop",
    mode="final",
    box=(0.1, 0.25, 1 / 3, 0.5),
    count=2,
    seed=2**32 - 1,
    size=(64, 128),
    steps=3,
    guidance=0.0,
    strength=1e-2,
    region=(0.0, 0.0, 1.0, 0.125),
    generator="diffusion",
    pipeline="sdxl-turbo",
)
NOTHING = Pictures(catalog="shop", build="b", pictures=())


@pytest.fixture(scope="module")
def shop(drawing_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_drawing_shop(drawing_settings, tmp_path_factory.mktemp("kept")) as shop:
        yield shop


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(app_of(shop, MAX_PHOTO), raise_server_exceptions=False) as client:
        yield client


def test_a_draft_is_drawn_at_once_and_its_file_is_where_it_says(client: TestClient) -> None:
    answered = client.post("/v1/generate", json={"like": "mug-red", "change": "but blue"})
    assert answered.status_code == HTTPStatus.OK, answered.text
    (picture,) = answered.json()["pictures"]
    assert picture["scores"]["fit"] is True
    file = client.get(picture["url"])
    assert (file.status_code, file.headers["content-type"]) == (HTTPStatus.OK, "image/png")
    assert file.headers["x-content-type-options"] == "nosniff"
    with Image.open(io.BytesIO(file.content)) as shown:
        assert shown.size == (picture["width"], picture["height"])


def test_a_photo_is_drawn_from_a_form(client: TestClient) -> None:
    fields = {"change": "but blue", "box": "0.25,0.25,0.5,0.5"}
    answered = client.post("/v1/generate/photo", data=fields, files={"photo": ("a.png", RED)})
    assert [one["width"] for one in answered.json()["pictures"]] == [32], answered.text


def test_a_search_is_answered_with_the_picture_that_it_went_by(client: TestClient) -> None:
    drawn = client.post("/v1/generate", json={"like": "mug-red", "change": "but blue"}).json()["pictures"][0]["id"]
    asked = {"like": "mug-red", "change": "but blue", "generated": drawn}
    assert [one["id"] for one in client.post("/v1/search", json=asked).json()["generated"]] == [drawn]
    form = {"change": "but blue", "generate": "draft"}
    of_photo = client.post("/v1/search/photo", data=form, files={"photo": ("a.png", RED)}).json()
    assert [one["provenance"]["recipe"]["generator"] for one in of_photo["generated"]] == ["recolour"]


def test_a_final_picture_is_a_job(client: TestClient, shop: Shop) -> None:
    answered = client.post("/v1/generate", json={"like": "mug-red", "change": "but blue", "mode": "final"})
    job = answered.json()
    assert (answered.status_code, job["state"]) == (HTTPStatus.ACCEPTED, "queued")
    assert answered.headers["location"] == f"/v1/generate/jobs/{job['id']}"
    assert client.get(answered.headers["location"]).json()["id"] == job["id"]
    second = client.post("/v1/generate", json={"like": "mug-red", "change": "but green", "mode": "final"}).json()
    full = client.post("/v1/generate", json={"like": "mug-red", "change": "but green", "mode": "final"})
    assert (full.status_code, full.json()["type"]) == (
        HTTPStatus.TOO_MANY_REQUESTS,
        "urn:vitrine:problem:queue-full",
    )
    assert int(full.headers["retry-after"]) > 0
    for one in (job, second):
        shop.jobs.cancel(one["id"])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"like": "mug-red"}, 422, "change"),
        ({"like": "mug-red", "change": "but blue", "size": [64]}, 422, "size"),
        ({"like": "mug-red", "change": "but blue", "size": [65, 64]}, 422, "multiples of 8"),
        ({"like": "mug-red", "change": "but blue", "steps": 0}, 422, "steps"),
        ({"like": "mug-red", "change": "but blue", "guidance": 31}, 422, "guidance"),
        ({"like": "mug-red", "change": "but blue", "region": [0.5, 0, 0.6, 1]}, 422, "box"),
        ({"like": "mug-red", "change": "blue, but red"}, 422, "asks for"),
        ({"like": "nix", "change": "but blue"}, 404, "nix"),
        ({"like": "mug-red", "change": "in glass"}, 409, "no colour to change to"),
        ({"like": "mug-red", "change": "but blue", "model": "x"}, 422, "model"),
    ],
)
def test_what_cannot_be_drawn_is_a_problem(client: TestClient, body: object, status: int, said: str) -> None:
    answered = client.post("/v1/generate", json=body)
    assert (answered.status_code, answered.headers["content-type"]) == (status, "application/problem+json")
    assert said in answered.text


@pytest.mark.parametrize("name", ["0" * 64, "..%2Fvitrine", "x"])
def test_there_is_no_such_picture(client: TestClient, name: str) -> None:
    assert client.get(f"/v1/generated/{name}.png").status_code in (404, 422)


@dataclass
class Listener:
    """A shop that keeps what it is to draw, and refuses with `refusal` if there is one."""

    asked: list[tuple[DrawRequest, bytes | None]] = field(default_factory=list)
    refusal: VitrineError | None = None
    metrics: Metrics = field(default_factory=Metrics)

    def draw(
        self, request: DrawRequest, photo: bytes | None = None, caller: str = "", deadline: Deadline | None = None
    ) -> Pictures:
        self.asked.append((request, photo))
        if self.refusal is not None:
            raise self.refusal
        return NOTHING

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def remote(listener: Listener) -> Iterator[RemoteShop]:
    with served(app_of(listener, MAX_PHOTO)) as remote:
        yield remote


def test_the_request_uses_every_field_there_is() -> None:
    """A new field must be given a value here, and is then known to arrive."""
    assert EVERYTHING.model_fields_set == set(DrawRequest.model_fields)


@pytest.mark.parametrize("photo", [None, RED], ids=["json", "form"])
def test_every_field_arrives_as_it_was_given(remote: RemoteShop, listener: Listener, photo: bytes | None) -> None:
    unlike = {"like": None} if photo else {}
    sent = EVERYTHING.model_copy(update={"mode": "draft", **unlike})
    assert remote.draw(sent, photo) == NOTHING
    assert listener.asked[-1] == (sent, photo)


@pytest.mark.parametrize(
    ("refusal", "branch"),
    [
        (QueueFull("Full."), UnavailableError),
        (InputError("No."), InputError),
        (ConflictError("Not now."), ConflictError),
    ],
)
def test_a_refusal_is_of_its_own_branch(
    remote: RemoteShop, listener: Listener, refusal: VitrineError, branch: type[VitrineError]
) -> None:
    listener.refusal = refusal
    with pytest.raises(branch, match=str(refusal)):
        remote.draw(DrawRequest(like="a", change="but blue"))
    listener.refusal = None


def test_a_final_picture_is_waited_for(shop: Shop, client: TestClient) -> None:
    shop.jobs.start()
    with served(client.app) as remote:
        drawn = remote.draw(DrawRequest(like="mug-red", change="but blue", mode="final"))
        assert [one.scores.fit for one in drawn.pictures] == [True]
        assert remote.png(drawn.pictures[0].id) == shop.png(drawn.pictures[0].id)
        with pytest.raises(ConflictError, match="recolour: "):
            remote.draw(DrawRequest(like="mug-red", change="in glass", mode="final"))
        with pytest.raises(InputError, match="nix"):
            remote.draw(DrawRequest(like="nix", change="but blue", mode="final"))
        answer = remote.search(SearchRequest(like="mug-red", change="but blue", generate="final"))
        assert [one.cached for one in answer.generated] == [True]
