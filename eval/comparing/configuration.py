"""What a run was made with, by dotted name; and in what two runs differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eval.runs.document import RunDocument


@dataclass(frozen=True)
class Changed:
    """One thing that two runs have not in common; None where a run does not have it."""

    name: str
    before: str | None
    after: str | None


def configuration(document: RunDocument) -> Mapping[str, str]:
    """Build, encoder, store, libraries and settings of searching and verifying as words, by dotted name."""
    build, search = document.build, document.search
    if build is None or search is None:
        return {"build": document.made_by, "depth": str(document.depth)}
    spelled = {
        "build": build.build,
        "catalog": build.catalog,
        "encoder": build.encoder.name,
        "encoder.fingerprint": build.encoder.fingerprint,
        "encoder.dim": build.encoder.dim,
        "precision": build.precision,
        "language": build.language,
        "products": build.products,
        "images": build.images,
        "rejected": build.rejected,
        "store": document.store,
        "depth": document.depth,
        "revision": document.revision or "not from a checkout",
        **dict(_flat("search", search.model_dump(mode="json"))),
        **({} if document.rerank is None else dict(_flat("rerank", document.rerank.model_dump(mode="json")))),
        **dict(_flat("libraries", build.libraries)),
    }
    return {name: str(value) for name, value in spelled.items()}


def differing(before: RunDocument, after: RunDocument) -> tuple[Changed, ...]:
    """Everything that is not the same in both, in the order of `configuration`."""
    a, b = configuration(before), configuration(after)
    names = dict.fromkeys([*a, *b])
    return tuple(Changed(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name))


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value
