"""deploy/env.example has every setting, and every line of it may be uncommented."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from indexer.settings import Settings
from tests.deploy.env_example import FILE, example, names

SPEAK_FOR_THEMSELVES = {
    *("STORE__QDRANT__GRPC_PORT", "STORE__QDRANT__GRAPH_ON_DISK"),
    *("RERANK__MODEL", "GENERATE__OPENAI__MODEL", "GENERATE__REPLICATE__API_KEY"),
}
LINE = re.compile(r"^# (VITRINE_\w+)=(.*)$", re.MULTILINE)


def test_it_is_as_the_settings_are() -> None:
    assert FILE.read_text("utf-8") == example(), "a setting has changed: make env-example"


def test_every_setting_is_in_it_once() -> None:
    written = [name for name, _ in LINE.findall(FILE.read_text("utf-8"))]
    assert sorted(written) == sorted(names())


def test_uncommented_it_says_what_is_in_force_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    before = Settings()
    lines = [f"{name}={value}" for name, value in LINE.findall(FILE.read_text("utf-8")) if value]
    (tmp_path / ".env").write_text("\n".join(lines), "utf-8")
    assert len(lines) > 100
    assert Settings() == before


def test_every_setting_says_what_it_is() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    silent = [line for above, line in pairwise(lines) if LINE.match(line) and (LINE.match(above) or "----" in above)]
    assert {line.split("=")[0].removeprefix("# VITRINE_") for line in silent} == SPEAK_FOR_THEMSELVES
