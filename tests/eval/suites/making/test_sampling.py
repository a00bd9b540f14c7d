from eval.suites.making.sampling import Sample, half_of, joined
from eval.suites.suite import Split

NAMES = [f"family-{number}" for number in range(200)]


def sampled(names: list[str], size: int = 20) -> list[tuple[str, list[int]]]:
    sample = Sample[int](size, "salt")
    for name in names:
        sample.add(name, len(name))
        sample.add(name, 0)
    return sample.groups()


def test_a_sample_does_not_depend_on_the_order_and_keeps_groups_whole() -> None:
    groups = sampled(NAMES)
    assert groups == sampled(NAMES[::-1])
    assert len(groups) == 20
    assert all(items == [len(name), 0] for name, items in groups)


def test_an_added_name_displaces_at_most_one_other() -> None:
    before, after = ({name for name, _ in sampled(names)} for names in (NAMES, [*NAMES, "new"]))
    assert len(before - after) <= 1


def test_fewer_names_than_wanted_are_all_kept() -> None:
    assert {name for name, _ in sampled(NAMES[:5])} == set(NAMES[:5])


def test_halves_are_about_equal_and_always_the_same() -> None:
    tuned = [name for name in NAMES if half_of(name) is Split.TUNE]
    assert 70 < len(tuned) < 130
    assert half_of("family-0") is half_of("family-0")


def test_names_are_joined_through_others() -> None:
    found = joined([("b", "c"), ("d", "d"), ("a", "c"), ("e", "b")])
    assert found == {"a": "a", "b": "a", "c": "a", "e": "a", "d": "d"}
