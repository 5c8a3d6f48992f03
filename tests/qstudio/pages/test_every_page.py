"""What holds for every page: private, whole without scripts, no inline script or style, hostile text escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from tests.qstudio.world import World

PATHS = (
    "/",
    "/problems/",
    "/problems/?q=words&split=train&tag=strings",
    "/problems/{problem}/",
    "/runs/",
    "/runs/new/",
    "/runs/new/?from={finished}",
    "/runs/{finished}/",
    "/runs/{running}/",
    "/runs/{failed}/",
    "/runs/{finished}/training/",
    "/runs/{finished}/events/",
    "/runs/{finished}/config/",
    "/runs/{finished}/log/",
    "/iterations/",
    "/evaluations/",
    "/evaluations/{finished}/{evaluation}/",
    "/attempts/?outcome=failed",
    "/attempts/{failure}/",
    "/help/shortcuts/",
)


def fill(path: str, world: World) -> str:
    """A path with the names of the world in it."""
    return path.format(
        problem=world.problem.slug,
        finished=world.finished.key,
        running=world.running.key,
        failed=world.failed.key,
        evaluation=world.evaluation.key,
        failure=world.failure.pk,
    )


class Structure(HTMLParser):
    """What the tests ask of a page's markup."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.tables = self.captions = 0
        self._script_type: str | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.headings += tag == "h1"
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if "id" in values:
            self.ids.append(values["id"])
        if "style" in values or any(name.startswith("on") for name in values) or tag == "style":
            self.inline.append(self.get_starttag_text())
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.inline.append(self.get_starttag_text())


@pytest.mark.parametrize("path", PATHS)
def test_the_page_is_whole_and_strict(path: str, world: World, reader: Client):
    response = reader.get(fill(path, world))
    text = response.content.decode()
    page = Structure(text)

    assert response.status_code == 200
    assert page.headings == 1
    assert page.inline == []
    assert sorted(set(page.ids)) == sorted(page.ids)
    assert page.tables == page.captions
    assert "<script>alert" not in text
    assert "{{" not in re.sub(r"\{\{ 7\|add:7 \}\}", "", text)


def test_no_template_asks_for_what_the_page_does_not_hold(
    world: World, reader: Client, settings: Any
):
    engine = settings.TEMPLATES[0]
    options = engine["OPTIONS"] | {"string_if_invalid": "MISSING(%s)"}
    settings.TEMPLATES = [engine | {"OPTIONS": options}]
    missing = {}
    for path in PATHS:
        found = set(re.findall(r"MISSING\([^)]*\)", reader.get(fill(path, world)).content.decode()))
        if found:
            missing[path] = found

    assert missing == {}


@pytest.mark.parametrize("path", PATHS)
def test_the_page_is_private(path: str, world: World, client: Client):
    response = client.get(fill(path, world))

    assert response.status_code == 302
    assert response.url.startswith("/login/")


@pytest.mark.parametrize(
    "path",
    [
        "/problems/none/",
        "/runs/none/",
        "/runs/none/log/",
        "/evaluations/none/none/",
        "/attempts/999999/",
        "/runs/new/?preset=none",
        "/runs/new/?from=none",
        "/iterations/?run=none",
        "/nowhere/",
    ],
)
def test_what_does_not_exist_is_said_to_be_missing(path: str, reader: Client):
    response = reader.get(path)

    assert response.status_code == 404
    assert "This page does not exist" in response.content.decode()


@pytest.mark.parametrize(
    "query", ["page=-1", "page=x", "state=%00", "run=x&iteration=y", "q=%F0%9F%92%A5", "sig=zz"]
)
@pytest.mark.parametrize("path", ["/problems/", "/runs/", "/evaluations/", "/attempts/"])
def test_odd_queries_are_borne(path: str, query: str, reader: Client):
    assert reader.get(f"{path}?{query}").status_code in (200, 404)
