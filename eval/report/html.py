"""Reports as self-contained HTML: no script, no request to anywhere, everything from outside escaped."""

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from eval.figures import between, chance, short


def render(template: str, values: Mapping[str, object]) -> str:
    """The page that a template of this package (`base.html` and its children) makes of the values."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("eval.report"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.globals["short"] = short
    environment.globals["between"] = between
    environment.globals["chance"] = chance
    return environment
