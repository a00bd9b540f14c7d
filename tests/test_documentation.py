"""The documentation names every command, route and setting, and the README's commands exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from eval.cli import add_commands as add_evaluation
from eval.headline import stored, table, verified_table
from eval.relevance.recolouring import colour_table, pool_table
from indexer.cli import app
from indexer.settings import Settings
from service.api import ask_route, generate_route, jobs_route, rules_routes
from service.api.routes import router
from service.cli import add_commands

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def commands_of(group: typer.Typer, prefix: str = "vitrine") -> Iterator[str]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{prefix} {command.name or command.callback.__name__.replace('_', '-')}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands_of(inner.typer_instance, f"{prefix} {inner.name}")


@pytest.fixture(scope="module")
def commands() -> set[str]:
    whole = typer.Typer()
    add_commands(whole)
    add_evaluation(whole)
    return {*commands_of(app), *commands_of(whole)}


@pytest.mark.parametrize("setting", list(settings_of(Settings)))
def test_every_setting_is_documented(setting: str) -> None:
    assert f"| `{setting}` |" in REFERENCE


def test_every_command_is_documented(commands: set[str]) -> None:
    assert {command for command in commands if f"`{command}" not in REFERENCE} == set()


def test_every_route_is_documented() -> None:
    routes = {
        f"{method} {path}".replace(":path}", "}")
        for part in (router, ask_route.router, generate_route.router, jobs_route.router, rules_routes.router)
        for route in part.routes
        for path in [getattr(route, "path", "")]
        for method in getattr(route, "methods", None) or ()
    }
    assert routes
    assert {route for route in routes if f"`{route}`" not in REFERENCE} == set()


def test_commands_named_in_the_readme_exist(commands: set[str]) -> None:
    named = {" ".join(match.split()[:3]) for match in re.findall(r"^vitrine [a-z].*$", README, re.MULTILINE)}
    unknown = {line for line in named if not any(f"{line} ".startswith(f"{command} ") for command in commands)}
    assert named
    assert unknown == set()


def test_the_readme_shows_the_figures_that_were_stored() -> None:
    assert table(stored()) in README
    assert verified_table(stored()) in README
    assert pool_table(stored().pool) in README
    assert colour_table(stored().colours) in README


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
