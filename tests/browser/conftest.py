"""A real browser against a real server: pages that record every violation of the content policy and every error.

Skips with a reason where there is no Chromium.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.qstudio.world import PASSWORD, World, make_world

# Playwright's synchronous interface keeps an event loop in this thread; the ORM is used between its calls only.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""The accessibility rules that pages must keep."""

LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


class Watched:
    """A signed-in browser window, and what went wrong in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.faults: list[str] = []
        page.on(
            "console",
            lambda m: self._note(f"console: {m.text}") if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("requestfailed", self._note_failure)

    def _note_failure(self, request: Request) -> None:
        """Note a file of ours that did not come; one that the browser gave up to go elsewhere is no failure."""
        if "/static/" in request.url and request.failure != "net::ERR_ABORTED":
            self._note(f"failed: {request.url} ({request.failure})")

    def open(self, path: str) -> Page:
        """Go to a path, and wait until its charts are drawn."""
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_function(
            "document.documentElement.classList.contains('no-js') || "
            "[...document.querySelectorAll('[data-chart]')].every((place) => place.dataset.drawn)"
        )
        return self.page

    def all_faults(self) -> list[str]:
        """What was noted, with the violations of the page that is open."""
        return self.faults + [f"policy: {v}" for v in self.page.evaluate("window.violations || []")]

    def _note(self, text: str) -> None:
        self.faults.append(f"{self.page.url}: {text}")


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """One Chromium for all browser tests."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture
def world(transactional_db: None, settings: Any, tmp_path: Path) -> World:
    """Problems, Runs, Evaluations and Attempts of every kind, seen by the server too."""
    settings.DATA_DIR = tmp_path
    settings.OUTPUTS_DIR = tmp_path / "outputs"
    return make_world()


@pytest.fixture
def open_window(
    browser: Browser, live_server: Any, world: World
) -> Iterator[Callable[..., Watched]]:
    """Makes a signed-in window; options are those of a Playwright context."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> Watched:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(20_000)
        context.add_init_script(LISTEN)
        contexts.append(context)
        window = Watched(context.new_page(), live_server.url)
        page = window.open("/login/")
        page.get_by_label("Name").fill(world.user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{live_server.url}/")
        return window

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def window(open_window: Callable[..., Watched]) -> Watched:
    """One signed-in window of a desktop's size."""
    return open_window()
