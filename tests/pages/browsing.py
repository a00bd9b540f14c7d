"""A browser as visitors have it, and what none of our pages may do in it."""

import os
import shutil
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60_000
"""Milliseconds that a page may take, on a machine that does other things too."""
BUILT = 180_000
"""Milliseconds that a worker may take for a handful of products, the encoder's start with it."""
SERIOUS = ("serious", "critical")
SHOWN = 5
"""Of each list and table, in which the others are made as the first are: those that axe-core looks at."""
FURTHER = ", ".join(f"{one}:nth-child(n+{SHOWN + 1})" for one in ("ol > li", "ul > li", "tbody > tr"))
AXE = """async ([options, further]) => {
    const emptied = further ? [...document.querySelectorAll(further)] : [];
    const heights = emptied.map(one => `${one.offsetHeight}px`);
    emptied.forEach((one, at) => {
        one.style.blockSize = heights[at];
        for (const part of one.children) part.style.display = 'none';
    });
    const { violations } = await axe.run(document, options);
    for (const one of emptied) {
        one.style.blockSize = '';
        for (const part of one.children) part.style.display = '';
    }
    return violations;
}"""
"""What axe-core finds. What is not to be looked at keeps its place, so that nothing scrolls or comes into view."""
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """The program that VITRINE_TEST_CHROMIUM names, or the system's. Skips without one, unless
    VITRINE_TEST_BROWSER=required."""
    found = os.environ.get("VITRINE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        why = f"no Chromium: VITRINE_TEST_CHROMIUM names none, and none of {', '.join(NAMES)} is on the path"
        (pytest.fail if os.environ.get("VITRINE_TEST_BROWSER") == "required" else pytest.skip)(why)
    return found


class Browsing:
    """Pages of one test, each as if on a device of its own. What goes wrong in them is gathered in `faults`: console
    and script errors, and requests to other origins. A test that means to provoke some takes them out again."""

    def __init__(self, browser: Browser, url: str, session: str) -> None:
        """`session` is the cookie of somebody who is signed in."""
        self.faults: list[str] = []
        self._browser = browser
        self._url = url
        self._session = session
        self._contexts: list[BrowserContext] = []

    def page(
        self,
        *,
        signed_in: bool = False,
        javascript: bool = True,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        language: str = "en-GB",
    ) -> Page:
        """Addresses may be given without the origin: `page.goto("/desk")`."""
        context = self._browser.new_context(
            base_url=self._url,
            java_script_enabled=javascript,
            viewport=ViewportSize(width=width, height=height),
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=language,
        )
        context.set_default_timeout(PATIENCE)
        if signed_in:
            context.add_cookies([{"name": "vitrine_session", "value": self._session, "url": self._url}])
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._asked)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob", "about") and asked.netloc != urlsplit(self._url).netloc:
            self.faults.append(f"a request to {request.url}")


def check_axe(page: Page, *rules: str, whole: bool = False) -> None:
    """No serious or critical finding of axe-core on the page as it stands, by all rules or by those named. `whole`:
    to the end of its lists and tables, which takes minutes where it is done for every page."""
    chosen = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(AXE, [chosen, "" if whole else FURTHER])
    told = [
        f"{one['id']} ({one['impact']}): {node['html'][:200]}\n    {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
    assert not told, f"{page.url}:\n" + "\n".join(told)


def check_width(page: Page) -> None:
    """Nothing reaches beyond the window, so that it need not be scrolled sideways."""
    wide = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.body.querySelectorAll('*')]
                .filter(one => one.getBoundingClientRect().right > width + 1 && !one.closest('.table-wrap'))
                .slice(0, 5).map(one => one.outerHTML.slice(0, 160));
        }"""
    )
    assert wide == [], f"{page.url} is wider than its window: {wide}"
