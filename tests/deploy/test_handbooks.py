"""SECURITY.md, the runbook and what they point at."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer

from eval.cli import add_commands as add_evaluation
from indexer.cli import app
from indexer.settings import Settings
from service.cli import add_commands
from tests.deploy.files import ROOT
from tests.test_documentation import commands_of, settings_of

HANDBOOKS = ("SECURITY.md", "docs/deploy.md", "docs/runbook.md", "deploy/requirements/README.md")
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| ((?:`tests/.+?`(?:, )?)+) \|$", SECURITY, re.MULTILINE)


@cache
def commands() -> frozenset[str]:
    whole = typer.Typer()
    add_commands(whole)
    add_evaluation(whole)
    return frozenset({*commands_of(app), *commands_of(whole)})


def unknown_commands(text: str) -> set[str]:
    """Those that its code names, in blocks and in lines; `-n vitrine` names a namespace."""
    found = re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL)
    code = "\n".join(one if one.startswith("```") else " ".join(one.split()) for one in found)
    called = set(re.findall(r"(?<!-n )(?<![\w/.:@-])vitrine [a-z][a-z-]*(?: [a-z][a-z-]*)?", code))
    return {one for one in called if not any(f"{one} ".startswith(f"{command} ") for command in commands())}


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as Markdown's renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("threat", "control", "tests"), ROWS, ids=lambda given: "")
def test_each_threat_is_held_by_tests_that_are_there(threat: str, control: str, tests: str) -> None:
    named = re.findall(r"`(.+?)`", tests)
    assert named
    for one in named:
        there = ROOT / one
        assert there.is_file() or any(there.rglob("test_*.py")), one


def test_every_row_of_the_table_of_threats_is_looked_at() -> None:
    table = SECURITY[SECURITY.index("| threat |") :].partition("\n\n")[0]
    assert len(ROWS) == len(table.splitlines()) - 2 > 20


@pytest.mark.parametrize("name", HANDBOOKS)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


def test_a_command_that_does_not_exist_is_noticed() -> None:
    text = "A vitrine nobody asked: `vitrine nosuch`, `kubectl -n vitrine get`, `vitrine keys list --json`.\n"
    block = "```\nvitrine keys nosuch\nvitrine backup --to s3://a/b\n```\n"
    assert unknown_commands(text + block) == {"vitrine nosuch", "vitrine keys nosuch"}


@pytest.mark.parametrize("name", HANDBOOKS)
def test_commands_targets_and_settings_that_are_named_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert unknown_commands(text) == set()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert {one for one in re.findall(r"`make ([a-z-]+)`", text) if f"\n{one}:" not in makefile} == set()
    settings = set(settings_of(Settings))
    sections = {setting.split(".")[0] for setting in settings if "." in setting}
    dotted = {one for one in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text) if one.split(".")[0] in sections}
    assert dotted - settings == set()
