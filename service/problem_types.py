"""The stable names of errors on the wire, spoken by the API and understood by its client."""

from indexer.errors import VitrineError

PREFIX = "urn:vitrine:problem:"


def slug(name: str) -> str:
    """`UnknownProduct` → `unknown-product`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def problem_type(error: type[VitrineError]) -> str:
    return PREFIX + slug(error.__name__)


def types_under(branch: type[VitrineError]) -> frozenset[str]:
    """The types of a branch of the error tree, its root included."""
    below = (types_under(child) for child in branch.__subclasses__())
    return frozenset({problem_type(branch)}).union(*below)
