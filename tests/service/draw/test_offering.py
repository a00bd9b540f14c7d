"""`vitrine search --offer`: the picture is shown before anything is searched by it."""

from pathlib import Path

import pytest
import typer

from indexer.errors import QueryError
from indexer.settings import Settings
from service.generate_cli import offered
from service.request import SearchRequest
from service.shop import Shop
from tests.fakes import ThingEncoder
from tests.service.draw.shops import patient
from tests.service.generate.painters import Painter
from tests.service.worlds import open_fake_shop

BLUE = SearchRequest(like="mug-red", change="but blue", generate="draft", top_k=3)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What people are asked, who say yes."""
    questions: list[str] = []

    def confirm(text: str, *, err: bool) -> bool:
        questions.append(text)
        return err

    monkeypatch.setattr(typer, "confirm", confirm)
    return questions


def test_one_that_is_taken_is_searched_by(shop: Shop, tmp_path: Path, asked: list[str]) -> None:
    request = offered(BLUE, None, shop, tmp_path)
    (question,) = asked
    file = Path(question.splitlines()[0])
    assert file.read_bytes().startswith(b"\x89PNG")
    assert request == BLUE.model_copy(update={"generate": None, "generated": file.stem})


def test_one_that_is_not_taken_is_not(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer, "confirm", lambda text, err: False)
    assert offered(BLUE, None, shop, tmp_path) == BLUE.model_copy(update={"generate": None})


def test_one_that_does_not_fit_is_shown_and_not_asked_about(
    drawing_settings: Settings, tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    painter = Painter(colours=["green"])
    with open_fake_shop(
        patient(drawing_settings), lambda manifest: ThingEncoder(), [painter], tmp_path / "kept"
    ) as shop:
        request = offered(BLUE, None, shop, tmp_path)
    assert (request.generate, request.generated, asked) == (None, None, [])
    assert "It is not searched by: it is mainly green" in capsys.readouterr().err


def test_there_is_nothing_to_offer_without_the_wish(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="--generate"):
        offered(BLUE.model_copy(update={"generate": None}), None, shop, tmp_path)
