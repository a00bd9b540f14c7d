from pathlib import Path

import pytest

from indexer.domain import ImageRef, Product
from indexer.errors import EmptySource, SourceError
from indexer.sources import open_source
from indexer.sources.folder import title_of
from tests.indexer.sources.files import broken, ids, products, read, write


def photo(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def test_every_image_is_a_product_named_after_its_file(tmp_path: Path) -> None:
    photo(tmp_path, "rain-coats/women_only/blue_rain-coat-02.JPG")
    (product,) = products(read(tmp_path))
    assert product == Product(
        id="rain-coats/women_only/blue_rain-coat-02.JPG",
        title="blue rain coat",
        category=("rain coats", "women only"),
        images=(ImageRef("rain-coats/women_only/blue_rain-coat-02.JPG"),),
    )


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("red_coat", "red coat"),
        ("red-coat-2", "red coat"),
        ("red coat (3)", "red coat"),
        ("red-coat_01_(2)", "red coat"),
        ("t-shirt-1999", "t shirt 1999"),
        ("iphone15", "iphone15"),
        ("12", "12"),
        ("--", "--"),
    ],
)
def test_titles(stem: str, title: str) -> None:
    assert title_of(stem) == title


def test_files_come_in_order_and_hidden_and_other_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", "a.webp", "z/c.jpg", "k/d.avif", ".hidden.jpg", ".cache/e.jpg", "notes.txt", "f.jpg.part"):
        photo(tmp_path, name)
    assert ids(read(tmp_path)) == ["a.webp", "b.png", "k/d.avif", "z/c.jpg"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    photo(tmp_path, "a.jpg")
    (tmp_path / "again").symlink_to(tmp_path)
    assert ids(read(tmp_path)) == ["a.jpg"]


def test_names_that_are_not_text_or_too_long_are_broken_rows(tmp_path: Path) -> None:
    photo(tmp_path, "a.jpg")
    photo(tmp_path, "/".join(["x" * 200] * 2) + "/b.jpg")
    (tmp_path / "caf\udce9.jpg").write_bytes(b"")
    reasons = broken(read(tmp_path))
    assert list(reasons) == [2, 3]
    assert "not valid Unicode" in reasons[2]
    assert "path has 407 characters" in reasons[3]


def test_the_folder_gives_the_name_and_the_root(tmp_path: Path) -> None:
    photo(tmp_path, "Spring Ünique 26/a.jpg")
    source = open_source(tmp_path / "Spring Ünique 26")
    assert (source.name, source.root) == ("spring-unique-26", tmp_path / "Spring Ünique 26")
    assert source.columns.fields["title"] == ("file name",)


def test_a_folder_with_one_catalogue_is_that_catalogue(tmp_path: Path) -> None:
    write(tmp_path, "products.csv", "id,title,image\n1,Coat,images/a.jpg\n")
    photo(tmp_path, "images/a.jpg")
    photo(tmp_path, "images/b.jpg")
    assert ids(read(tmp_path)) == ["1"]


def test_a_folder_with_several_catalogues_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "id,title\n1,Coat\n")
    write(tmp_path, "b.JSONL", '{"id": 1, "title": "Coat"}')
    with pytest.raises(SourceError, match=r"several catalogues, name one of them: a\.csv, b\.JSONL"):
        read(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    photo(tmp_path, "notes/readme.txt")
    with pytest.raises(EmptySource, match="no catalogue and no images"):
        read(tmp_path)


def test_a_folder_of_images_has_nothing_to_map(tmp_path: Path) -> None:
    photo(tmp_path, "a.jpg")
    with pytest.raises(SourceError, match="no columns to map"):
        read(tmp_path, {"title": "name"})
