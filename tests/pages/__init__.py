"""A page as a browser would take it."""

import re
from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
"""What a shop, a suite or a file name may hold."""


class Page(HTMLParser):
    """Tags with their attributes in order, and the words outside of styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._styles = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._styles = tag == "style"
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        self._styles = False

    def handle_data(self, text: str) -> None:
        if not self._styles:
            self.words += text

    def having(self, tag: str, kind: str) -> int:
        """Tags of that name with that class."""
        return sum(name == tag and kind in (given.get("class") or "").split() for name, given in self.tags)

    @property
    def pictures(self) -> list[str]:
        return [given.get("src") or "" for tag, given in self.tags if tag == "img"]

    @property
    def asks_nothing(self) -> bool:
        """Whether it runs no script and makes no request."""
        names = {tag for tag, _ in self.tags}
        handlers = [name for _, given in self.tags for name in given if name.startswith("on")]
        inline = all(one.startswith("data:image/webp;base64,") for one in self.pictures)
        outside = re.search(r"https?:|url\(|@import", self.html)
        return not (names & {"script", "link", "iframe", "object", "embed"} or handlers or outside) and inline
