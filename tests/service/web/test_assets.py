"""Style sheets, scripts and icons."""

import gzip
import re
from importlib.resources import files

import pytest
from starlette.testclient import TestClient

from service.web.assets import Assets
from service.web.site import page_packages

BUDGET = 40_000
"""Bytes of all scripts together, gzipped."""


def static(package: str, suffix: str) -> dict[str, bytes]:
    folder = files(package) / "static"
    found = folder.iterdir() if folder.is_dir() else iter(())
    return {one.name: one.read_bytes() for one in found if one.name.endswith(suffix)}


def test_all_scripts_together_are_small() -> None:
    sizes = {
        name: len(gzip.compress(content, mtime=0))
        for package in page_packages()
        for name, content in static(package, ".js").items()
    }
    assert sum(sizes.values()) <= BUDGET, sizes


def test_names_are_of_one_package_only() -> None:
    for folder in ("static", "templates"):
        names: list[str] = []
        for package in page_packages():
            place = files(package) / folder
            names += [one.name for one in place.iterdir()] if place.is_dir() else []
        assert len(names) == len(set(names))


def test_scripts_and_styles_ask_nothing_of_other_sites() -> None:
    for package in page_packages():
        for name, content in (static(package, ".js") | static(package, ".css")).items():
            told = content.decode()
            elsewhere = re.findall(r"https?://(?!www\.w3\.org/)[^\s\"')]+|url\((?!#)[^)]*\)|@import", told)
            assert elsewhere == [], name
            assert not re.search(r"\beval\(|new Function\(|\.innerHTML\s*=(?!=)\s*[`\"']", told), name


def test_they_are_kept_for_ever_under_addresses_that_change_with_them(pages_client: TestClient) -> None:
    url = Assets(["service.web"]).url("site.css")
    answer = pages_client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = pages_client.get(url, headers={"Accept-Encoding": "identity"})
    assert plain.content == static("service.web", ".css")["site.css"]
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path", ["site.css", "000000000000/site.css", "../site.py", "..%2fsite.py", "%2e%2e/site.py", "x/../../site.py", ""]
)
def test_nothing_else_lies_beside_them(pages_client: TestClient, path: str) -> None:
    assert pages_client.get(f"/assets/{path}").status_code == 404
