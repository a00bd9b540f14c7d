"""The showroom's catalogue is complete, the same everywhere, and every variant can be told from its siblings."""

import hashlib
from collections import defaultdict

from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.contrast import SIBLING_DISTANCE, colour_distance, second_colours
from indexer.showroom.look import COLOURS, KINDS
from indexer.showroom.split import CATALOGUE_SHAPES, TRAINING_SHAPES, is_held_out, may_train_on
from indexer.showroom.training_looks import training_family, training_photo_seed

PRODUCTS = catalogue()


def families() -> dict[str, list[ShowroomProduct]]:
    found = defaultdict(list)
    for product in PRODUCTS:
        found[product.parent].append(product)
    return found


def test_the_catalogue_is_the_same_everywhere() -> None:
    digest = hashlib.sha256(repr(PRODUCTS).encode()).hexdigest()
    assert digest[:16] == "ed03e6259b22cb21"


def test_every_kind_is_there_and_ids_are_unique() -> None:
    assert len(PRODUCTS) >= 1200
    assert len({product.id for product in PRODUCTS}) == len(PRODUCTS)
    assert {product.look.kind for product in PRODUCTS} == set(KINDS)
    assert {product.look.colour for product in PRODUCTS} == set(COLOURS)


def test_a_parent_is_one_kind_and_shape_in_four_to_six_looks() -> None:
    shapes = set()
    for parent, family in families().items():
        assert 4 <= len(family) <= 6, parent
        assert len({(p.look.kind, p.look.shape, p.brand) for p in family}) == 1, parent
        assert len({p.look for p in family}) == len(family), parent
        shapes.add((family[0].look.kind, family[0].look.shape))
    assert len(shapes) == len(families())


def test_siblings_differ_visibly() -> None:
    for family in families().values():
        for product in family:
            for other in family:
                one, two = product.look, other.look
                if (one.pattern, one.material) == (two.pattern, two.material) and one.colour != two.colour:
                    assert colour_distance(one.colour, two.colour) >= SIBLING_DISTANCE
                if product is not other:
                    assert (one.colour, one.pattern, one.material) != (two.colour, two.pattern, two.material)


def test_every_family_offers_edits_of_one_attribute() -> None:
    for parent, family in families().items():
        first = family[0].look
        changed = [
            sum(getattr(first, name) != getattr(p.look, name) for name in ("colour", "pattern", "material"))
            for p in family[1:]
        ]
        assert all(count == 1 for count in changed), parent


def test_looks_stay_in_the_vocabulary_and_prices_in_range() -> None:
    for product in PRODUCTS:
        kind = KINDS[product.look.kind]
        assert product.look.pattern in kind.patterns
        assert product.look.material in kind.materials
        assert product.look.second in second_colours(product.look.colour)
        assert kind.price[0] <= product.price <= kind.price[1]
        assert product.category == kind.category
        assert 1 <= product.views <= 3


def test_the_second_colour_is_an_attribute_where_it_shows() -> None:
    for product in PRODUCTS:
        assert ("second_colour" in product.attributes) == (product.look.pattern != "plain")


def test_an_eighth_of_the_products_has_a_combination_training_never_shows() -> None:
    held_out = [p for p in PRODUCTS if is_held_out(p.look.kind, p.look.colour, p.look.pattern)]
    assert 0.10 < len(held_out) / len(PRODUCTS) < 0.15
    assert {p.look.kind for p in held_out} == set(KINDS)


def test_training_shows_no_held_out_look_and_no_catalogue_shape() -> None:
    looks = [look for number in range(3000) for look in training_family(number, 4)]
    assert {look.kind for look in looks} == set(KINDS)
    assert all(may_train_on(look) for look in looks)
    assert not {p.look.shape for p in PRODUCTS} & {look.shape for look in looks}
    assert all(p.look.shape in CATALOGUE_SHAPES for p in PRODUCTS)
    assert not set(CATALOGUE_SHAPES[:2]) & set(TRAINING_SHAPES[:2])
    assert CATALOGUE_SHAPES.stop <= TRAINING_SHAPES.start


def test_training_photos_have_seeds_of_their_own() -> None:
    seeds = [training_photo_seed(number, photo) for number in range(500) for photo in range(2)]
    assert min(seeds) >= TRAINING_SHAPES.start
    assert len(set(seeds)) == len(seeds)
