"""The showroom's products photographed once more among more things."""

from pathlib import Path

from eval.relevance.parts import in_high_clutter
from eval.suites.showroom import write_showroom_suites
from indexer.showroom.catalogue import catalogue


def test_high_clutter_asks_for_the_same_products_by_other_photos(tmp_path: Path) -> None:
    mugs = [product for product in catalogue() if product.look.kind == "mug"]
    medium = write_showroom_suites(tmp_path, photos=1, products=mugs)[1]
    high = in_high_clutter(medium, tmp_path)
    assert high.qrels == medium.qrels
    assert [query.id for query in high.queries] == [query.id for query in medium.queries]
    for one, other in zip(medium.queries, high.queries, strict=True):
        before, after = (medium.directory / str(one.photo), high.directory / str(other.photo))
        assert before.read_bytes() != after.read_bytes()
