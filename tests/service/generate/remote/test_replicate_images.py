import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np
import pytest

from indexer.breaker import Breaker
from indexer.domain import Pixels
from indexer.errors import SettingsError
from indexer.generate_settings import ReplicateSettings
from indexer.images.fetch import Fetcher
from indexer.settings import BudgetSettings
from service.budget.governor import Governor
from service.endpoint.predictions import Predictions
from service.generate.paying import Purse
from service.generate.replicate_images import ReplicateImages
from service.generate.seam import Cancelled, ImageGenerator, Request, Unsuited, Watch
from tests.deadlines import late
from tests.openai_server import OpenAiServer, Reply, Streaming, failing
from tests.openai_server import Request as Asked
from tests.picture_server import BLUE, RED, bomb, plain, png
from tests.replicate_server import ENDLESS, IN_THE_ANSWER, REFUSED_TO_BEGIN, UNCLEAR, Model, prediction, serving
from tests.service.generate.remote.drawing import EDIT, LATE, REFERENCE, drawn, failing_within, failure

DOLLARS = 0.04
VERSION = "a1" * 32
FILES = {
    "/blue.png": BLUE,
    "/red.png": RED,
    "/page.html": b"<html>leaked</html>",
    "/cut.png": BLUE[:-30],
    "/bomb.png": bomb(),
    "/large.png": png(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)),
}
LOSING_SIGHT: dict[str, Callable[[], Reply]] = {
    "401": REFUSED_TO_BEGIN["401"],
    "cut connection": REFUSED_TO_BEGIN["cut connection"],
    "another form": UNCLEAR["another form"],
}
LATE_NEWS: dict[str, Callable[[], Reply]] = {
    "slow": ENDLESS["slow"],
    "id that is a path": UNCLEAR["id that is a path"],
    "still under way": lambda: prediction("processing"),
}
Opening = Callable[..., ReplicateImages]


@pytest.fixture(scope="module")
def files() -> Iterator[tuple[str, Callable[[], Fetcher]]]:
    with serving(FILES) as served:
        yield served


@pytest.fixture
def url(files: tuple[str, Callable[[], Fetcher]]) -> str:
    return files[0]


@pytest.fixture
def opening(
    server: OpenAiServer,
    purse: Purse,
    files: tuple[str, Callable[[], Fetcher]],
    decode: Callable[[bytes], Pixels],
) -> Iterator[Opening]:
    """Opens a generator at the server, with these settings."""
    opened: list[ReplicateImages] = []

    def opening(paid: Purse = purse, model: str = "acme/painter", **settings: Any) -> ReplicateImages:
        predictions = Predictions(server.url, "r8-hidden", model, setting="generate.replicate")
        chosen = ReplicateSettings(model=model, **{"dollars": DOLLARS, **settings})
        opened.append(ReplicateImages(predictions, chosen, paid, files[1](), decode))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.fixture
def generator(opening: Opening) -> ReplicateImages:
    return opening()


def test_a_model_is_given_the_prompt_and_the_reference(
    server: OpenAiServer, generator: ImageGenerator, url: str
) -> None:
    server.answer = Model(output=f"{url}/blue.png")
    (picture,) = drawn(generator)
    np.testing.assert_array_equal(picture.pixels, plain())
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/v1/models/acme/painter/predictions")
    assert asked.headers["authorization"] == "Bearer r8-hidden"
    assert 20 <= int(asked.headers["cancel-after"].removesuffix("s")) <= 30
    assert set(asked.body["input"]) == {"prompt", "image"}
    assert asked.body["input"]["prompt"] == picture.provenance.recipe.prompt
    photo = base64.b64decode(asked.body["input"]["image"].removeprefix("data:image/png;base64,"))
    assert photo == png(REFERENCE)
    assert [one.path for one in server.asked[1:]] == ["/v1/predictions/p1"] * 2


def test_inputs_are_called_what_the_model_calls_them(server: OpenAiServer, opening: Opening, url: str) -> None:
    server.answer = Model(looks=0, output=[f"{url}/red.png", f"{url}/blue.png"])
    generator = opening(prompt="instruction", image="input_image", model=f"acme/painter:{VERSION}")
    (picture,) = drawn(generator)
    np.testing.assert_array_equal(picture.pixels, plain((200, 30, 30)))
    body = server.asked[0].body
    assert (server.asked[0].path, body["version"]) == ("/v1/predictions", VERSION)
    assert set(body["input"]) == {"instruction", "input_image"}
    assert picture.provenance.recipe.revision == VERSION


def test_without_a_reference_there_is_only_a_prompt(server: OpenAiServer, generator: ImageGenerator, url: str) -> None:
    server.answer = Model(looks=0, output=f"{url}/blue.png")
    drawn(generator, Request("a blue mug"))
    assert set(server.asked[0].body["input"]) == {"prompt"}


def test_pictures_may_be_in_the_answer(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.answer = Model(looks=0, output=IN_THE_ANSWER)
    (picture,) = drawn(generator)
    np.testing.assert_array_equal(picture.pixels, plain())


def test_each_picture_is_a_prediction_a_few_at_a_time(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, url: str
) -> None:
    model, together = Model(looks=0, output=f"{url}/blue.png"), Event()

    def answer(asked: Asked) -> Reply:
        if asked.method == "GET":
            together.wait(30)
        reply = model(asked)
        if model.most_running > 1:
            together.set()
        return reply

    server.answer = answer
    told: list[tuple[int, int]] = []
    request = Request("but blue", REFERENCE, seed=5, count=6)
    watch = Watch(time.monotonic() + 30, step=lambda *done: told.append(done))
    pictures = generator.make(request, generator.plan(request), watch)
    assert [one.provenance.recipe.seed for one in pictures] == [5, 6, 7, 8, 9, 10]
    assert told == [(done, 6) for done in range(7)]
    assert 1 < model.most_running <= 4
    assert governor.spent() == pytest.approx(6 * DOLLARS)
    assert [one.provenance.dollars for one in pictures] == pytest.approx([DOLLARS] * 6)


@pytest.mark.parametrize("fault", REFUSED_TO_BEGIN)
def test_what_was_never_begun_costs_nothing(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(REFUSED_TO_BEGIN[fault]())
    assert failure(generator)
    assert governor.spent() == 0


@pytest.mark.parametrize("fault", UNCLEAR)
def test_what_may_have_been_begun_is_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(UNCLEAR[fault]())
    assert failure(generator)
    assert governor.spent() == pytest.approx(DOLLARS)
    assert not any("leaked" in one.path for one in server.asked), "an id is no path"


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_is_not_said_to_have_begun_in_time_is_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    server.always(ENDLESS[fault]())
    said, paid = late(failing_within(generator, governor), lambda _: bool(server.asked))
    assert said == LATE
    assert paid == pytest.approx(DOLLARS)


@pytest.mark.parametrize("fault", LOSING_SIGHT)
def test_a_prediction_that_is_lost_sight_of_is_called_off_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, fault: str
) -> None:
    model, reply = Model(), LOSING_SIGHT[fault]()
    server.answer = lambda request: reply if request.method == "GET" else model(request)
    assert failure(generator)
    assert governor.spent() == pytest.approx(DOLLARS)
    assert eventually(lambda: model.called_off == ["p1"])
    assert looked_at(server) == {"/v1/predictions/p1"}


@pytest.mark.parametrize("news", LATE_NEWS)
def test_a_prediction_that_does_not_end_in_time_is_called_off_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, news: str
) -> None:
    model, reply = Model(), LATE_NEWS[news]()
    server.answer = lambda request: reply if request.method == "GET" else model(request)
    said, paid = late(failing_within(generator, governor), lambda _: bool(looked_at(server)))
    assert said == LATE
    assert paid == pytest.approx(DOLLARS)
    assert server.asked[0].headers["cancel-after"] == "5s"
    assert eventually(lambda: looked_at(server) <= {f"/v1/predictions/{id}" for id in model.called_off})
    assert not any("leaked" in one.path for one in server.asked), "an id is no path"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"status": "failed", "error": "leaked: out of memory"}, "the prediction failed"),
        ({"status": "failed", "error": "NSFW content detected: leaked"}, "the model refused to draw this"),
        ({"status": "failed", "error": "flagged as sensitive (E005)"}, "the model refused to draw this"),
        ({"status": "canceled"}, "the prediction was called off"),
        ({"output": None}, "the model's output is no picture"),
        ({"output": []}, "the model's output is no picture"),
        ({"output": {"leaked": 1}}, "the model's output is no picture"),
        ({"output": "data:image/png;base64,leaked!"}, "the model's output is no base64"),
        ({"output": "http://files.test/leaked.png"}, "the picture may not be fetched (not_https)"),
        ({"output": "https://169.254.169.254/leaked.png"}, "the picture may not be fetched (forbidden_address)"),
        ({"output": "file:///leaked"}, "the picture may not be fetched (not_https)"),
        ({"output": "URL/leaked.png"}, "the picture may not be fetched (missing)"),
        ({"output": "URL/page.html"}, "the picture that came is of no use (unsupported_format)"),
        ({"output": "URL/cut.png"}, "the picture that came is of no use (truncated)"),
        ({"output": "URL/bomb.png"}, "the picture that came is of no use (too_many_pixels)"),
        ({"output": "URL/large.png"}, "the picture may not be fetched (too_large_bytes)"),
        ({"output": "https://gone.test:PORT/leaked.png"}, "the picture could not be fetched"),
    ],
)
def test_what_comes_to_nothing_is_named_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor, url: str, end: dict[str, Any], said: str
) -> None:
    if isinstance(end.get("output"), str):
        end = {**end, "output": end["output"].replace("URL", url).replace("PORT", url.rpartition(":")[2])}
    server.answer = Model(looks=0, **end)
    assert failure(generator) == said
    assert governor.spent() == pytest.approx(DOLLARS)


def test_an_answer_that_is_too_long_is_not_read_to_its_end_and_paid(
    server: OpenAiServer, generator: ImageGenerator, governor: Governor
) -> None:
    server.always(Streaming(more=b" " * 1_000_000))
    assert failure(generator) == "the endpoint's answer is too long"
    assert governor.spent() == pytest.approx(DOLLARS)


def test_what_is_cancelled_is_called_off(server: OpenAiServer, generator: ImageGenerator) -> None:
    model = Model(looks=10**9)
    server.answer = model
    started = time.monotonic()
    request = Request("but blue", REFERENCE, count=2)
    watch = Watch(started + 30, cancelled=lambda: len(server.asked) > 3)
    with pytest.raises(Cancelled):
        generator.make(request, generator.plan(request), watch)
    assert time.monotonic() - started < 10
    assert eventually(lambda: sorted(model.called_off) == ["p1", "p2"])


def test_what_runs_is_called_off_when_the_generator_is_closed(server: OpenAiServer, generator: ImageGenerator) -> None:
    model = Model(looks=10**9)
    server.answer = model
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(failure, generator)
        assert eventually(lambda: len(server.asked) > 1)
        generator.close()
        assert waiting.result(20) == LATE
    assert eventually(lambda: model.called_off == ["p1"])


def test_where_one_fails_the_others_are_called_off(server: OpenAiServer, generator: ImageGenerator) -> None:
    model = Model(looks=10**9)
    server.answer = lambda request: (
        prediction(id="p2", status="failed") if request.path.endswith("/p2") else model(request)
    )
    assert failure(generator, Request("but blue", REFERENCE, count=3)) == "the prediction failed"
    assert eventually(lambda: sorted(model.called_off) == ["p1", "p3"])


def test_what_may_help_is_tried_again(server: OpenAiServer, generator: ImageGenerator, url: str) -> None:
    server.in_turn(
        failing(429, retry_after="0.1"),
        failing(503),
        prediction(status=201),
        failing(500),
        prediction(status="succeeded", output=f"{url}/blue.png"),
    )
    assert drawn(generator)
    assert len(server.asked) == 5


def test_no_more_is_planned_than_a_request_may_cost(opening: Opening, database: Any) -> None:
    def planned(per_request: float) -> int:
        purse = Purse(Governor(database, BudgetSettings(per_request=per_request)), Breaker())
        return len(opening(purse).plan(Request("but blue", REFERENCE, count=4)))

    assert (planned(1.0), planned(0.09)) == (4, 2)
    with pytest.raises(Unsuited, match="per_request"):
        planned(0.03)


def test_what_no_model_can_be_told_is_refused(generator: ImageGenerator) -> None:
    with pytest.raises(Unsuited, match="mask"):
        generator.plan(Request("but blue", REFERENCE, mask=np.ones(REFERENCE.shape[:2], np.bool_)))
    with pytest.raises(Unsuited, match="sdxl-text"):
        generator.plan(Request("but blue", pipeline="sdxl-text"))


def test_a_model_that_keeps_failing_is_left_alone(server: OpenAiServer, generator: ImageGenerator) -> None:
    server.always(failing(401))
    said = [failure(generator) for _ in range(6)]
    assert said[-1] == "the endpoint kept failing and is left alone for a while"
    assert len(server.asked) == 5


def test_recipes_tell_what_determines_the_picture(opening: Opening) -> None:
    def id_of(request: Request = EDIT, **settings: Any) -> str:
        return opening(**settings).plan(request)[0].id

    variants = [
        id_of(),
        id_of(Request("but red", REFERENCE)),
        id_of(Request("but blue", plain())),
        id_of(Request("but blue", REFERENCE, seed=1)),
        id_of(model="acme/other"),
        id_of(model=f"acme/painter:{VERSION}"),
        id_of(image="photo"),
    ]
    assert len(set(variants)) == len(variants)
    assert id_of() == variants[0]


@pytest.mark.parametrize("model", ["painter", "acme/painter:latest", "acme/pain ter", "https://x.test/acme", "../../x"])
def test_a_model_of_another_form_is_refused(model: str) -> None:
    with pytest.raises(SettingsError, match=r"generate\.replicate\.model"):
        Predictions(None, None, model, setting="generate.replicate")


def test_the_environment_of_the_vendors_client_decides_nothing(
    server: OpenAiServer, opening: Opening, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "other")
    monkeypatch.setenv("REPLICATE_BASE_URL", "http://127.0.0.1:9")
    server.answer = Model(looks=0, output=f"{url}/blue.png")
    drawn(opening())
    assert server.asked[0].headers["authorization"] == "Bearer r8-hidden"
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "soon")
    with pytest.raises(SettingsError, match="REPLICATE_POLL_INTERVAL"):
        opening()


def test_no_secret_is_logged(
    server: OpenAiServer, generator: ImageGenerator, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.answer = Model(looks=0, output=f"{url}/blue.png")
    drawn(generator)
    assert "hidden" not in caplog.text


def test_a_slow_decoder_is_not_waited_for(
    server: OpenAiServer, purse: Purse, files: tuple[str, Callable[[], Fetcher]], url: str
) -> None:
    begun, enough = Event(), Event()

    def decode(file: bytes) -> Pixels:
        begun.set()
        enough.wait(60)
        return plain()

    predictions = Predictions(server.url, None, "acme/painter", setting="generate.replicate")
    generator = ReplicateImages(predictions, ReplicateSettings(model="acme/painter"), purse, files[1](), decode)
    server.answer = Model(looks=0, output=f"{url}/blue.png")
    assert late(lambda seconds: failure(generator, seconds=seconds), lambda _: begun.is_set()) == LATE
    enough.set()
    generator.close()


def looked_at(server: OpenAiServer) -> set[str]:
    return {one.path for one in server.asked if one.method == "GET"}


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()
