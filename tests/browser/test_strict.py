"""Every page in a browser: no violation of the content policy, no error, no accessibility violation, in both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import AXE, Watched
from tests.qstudio.pages.test_every_page import PATHS, fill
from tests.qstudio.world import World


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_every_page_is_strict_and_accessible(
    theme: str, width: int, world: World, open_window: Callable[..., Watched]
):
    window = open_window(color_scheme=theme, viewport={"width": width, "height": 900})
    problems = []
    for path in PATHS:
        page = window.open(fill(path, world))
        found = Axe().run(page, options=AXE)
        for violation in found.response["violations"]:
            where = violation["nodes"][0]["html"][:200]
            problems.append(f"{path}: {violation['id']} x{len(violation['nodes'])}: {where}")
        problems += window.all_faults()
        window.faults.clear()
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            problems.append(f"{path}: scrolls sideways at {width} px")

    assert "\n".join(problems) == ""
