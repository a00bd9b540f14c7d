import numpy as np
import pytest

from indexer.domain import QueryKind
from indexer.errors import EmptyQuery, QueryError
from service.search.query import Query

PHOTO = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (Query(words="red mug"), QueryKind.TEXT),
        (Query(photo=PHOTO), QueryKind.PHOTO),
        (Query(like="mug-1"), QueryKind.SIMILAR),
        (Query(photo=PHOTO, change="but blue"), QueryKind.EDIT),
        (Query(photo=PHOTO, words="but blue"), QueryKind.EDIT),
        (Query(like="mug-1", change="but blue"), QueryKind.EDIT),
        (Query(photo=PHOTO, change=" \t "), QueryKind.PHOTO),
        (Query(like="mug-1", change="\n"), QueryKind.SIMILAR),
    ],
)
def test_the_parts_say_what_kind_of_question_it_is(query: Query, kind: QueryKind) -> None:
    assert query.kind is kind


def test_the_words_of_an_edit_may_come_as_words_or_as_a_change() -> None:
    assert Query(photo=PHOTO, words="but blue").wanted == Query(photo=PHOTO, change="but blue").wanted == "but blue"


def test_white_space_is_one_space_between_words() -> None:
    assert Query(words="  red \n\t mug ").words == "red mug"


def test_a_question_without_parts_is_empty() -> None:
    with pytest.raises(EmptyQuery, match="give words, a photo, or a product's id"):
        Query(words="   ")


def test_a_change_needs_something_to_start_from() -> None:
    with pytest.raises(QueryError, match="a photo or a product's id"):
        Query(change="but blue")


def test_one_starts_from_a_photo_or_a_product() -> None:
    with pytest.raises(QueryError, match="not both"):
        Query(photo=PHOTO, like="mug-1")


def test_words_do_not_go_with_a_product() -> None:
    with pytest.raises(QueryError, match="`change`"):
        Query(words="red mug", like="mug-1")


def test_words_do_not_go_with_a_change() -> None:
    with pytest.raises(QueryError, match="`change`"):
        Query(words="red mug", photo=PHOTO, change="but blue")
