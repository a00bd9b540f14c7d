import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources.lists import category_path, image_uris, split_images


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Men/Tops/Hoodies & Sweatshirts", ("Men", "Tops", "Hoodies & Sweatshirts")),
        ("Apparel &amp; Accessories &gt; Shoes", ("Apparel & Accessories", "Shoes")),
        ("Home > Lamps/Lights", ("Home", "Lamps/Lights")),
        (" / Shoes / ", ("Shoes",)),
        ("Shoes", ("Shoes",)),
        ("1604", ()),
        ("12/345", ()),
        ("", ()),
    ],
)
def test_category_paths(text: str, path: tuple[str, ...]) -> None:
    assert category_path(text) == path


def test_a_kind_of_thing_keeps_its_slash() -> None:
    assert category_path("Ski/boarding", slashes=False) == ("Ski/boarding",)
    assert category_path("Ski/boarding > Boots", slashes=False) == ("Ski/boarding", "Boots")


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abcd &'", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=4))
def test_a_path_that_was_joined_is_split_again(steps: list[str]) -> None:
    expected = tuple(" ".join(step.split()) for step in steps)
    assert category_path(" > ".join(steps)) == expected
    assert category_path("/".join(steps)) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.jpg", ["a.jpg"]),
        ("a.jpg,b.png", ["a.jpg", "b.png"]),
        ("a.jpg; b.PNG", ["a.jpg", "b.PNG"]),
        ("images/red, white.jpg", ["images/red, white.jpg"]),
        ("https://x.example/a,w_200,h_200.jpg", ["https://x.example/a,w_200,h_200.jpg"]),
        ("https://x.example/a,1.jpg,https://x.example/b.jpg", ["https://x.example/a,1.jpg", "https://x.example/b.jpg"]),
        ("https://x.example/a.jpg; http://x.example/b", ["https://x.example/a.jpg", "http://x.example/b"]),
        ("https://x.example/a https://x.example/b", ["https://x.example/a", "https://x.example/b"]),
    ],
)
def test_only_what_separates_images_splits_them(text: str, parts: list[str]) -> None:
    assert split_images(text) == parts


def test_images_of_all_cells_are_joined_without_repetition_the_main_one_first() -> None:
    cells = ["b.jpg", "a.jpg|b.jpg|c.jpg", ["d.jpg", "a.jpg"], [{"src": "https://x.example/e,f.jpg"}], {"id": 5}, None]
    assert image_uris(cells) == ("b.jpg", "a.jpg", "c.jpg", "d.jpg", "https://x.example/e,f.jpg")


@pytest.mark.parametrize("uri", ["/etc/passwd", "../../x.jpg", "\\\\host\\share\\x.jpg", "file:///etc/passwd"])
def test_addresses_are_not_judged_here(uri: str) -> None:
    assert image_uris([uri]) == (uri,)
