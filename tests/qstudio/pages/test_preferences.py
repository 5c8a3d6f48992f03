"""Signing in and out, theme and keys: kept in cookies, sent back to where one came from, never to elsewhere."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.qstudio.world import PASSWORD, World


def test_signing_in_leads_to_where_one_wanted_to_go(world: World, client: Client):
    response = client.post(
        "/login/?next=/runs/", {"username": "ada", "password": PASSWORD, "next": "/runs/"}
    )

    assert response.url == "/runs/"


def test_a_wrong_password_is_one_sentence(world: World, client: Client):
    response = client.post("/login/", {"username": "ada", "password": "wrong"})

    assert "do not match" in response.content.decode()


def test_signing_out_needs_a_post(reader: Client):
    assert reader.get("/logout/").status_code == 405
    assert reader.post("/logout/").url == "/login/"


def test_the_theme_is_rendered_by_the_server(reader: Client):
    reader.post("/theme/", {"theme": "dark", "next": "/runs/"})
    dark = reader.get("/runs/").content.decode()
    reader.post("/theme/", {"theme": "system"})
    system = reader.get("/runs/").content.decode()

    assert '<html lang="en" class="no-js" data-theme="dark">' in dark
    assert "data-theme" not in system


def test_a_forged_theme_is_ignored(reader: Client):
    reader.cookies["qstudio_theme"] = '"><script>'

    assert "data-theme" not in reader.get("/runs/").content.decode()


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"]
)
def test_the_way_back_leads_nowhere_else(target: str, reader: Client):
    assert reader.post("/theme/", {"theme": "dark", "next": target}).url == "/"


def test_keys_are_switched_off_and_on(reader: Client):
    reader.post("/keys/", {"keys": "off", "next": "/help/shortcuts/"})
    off = reader.get("/runs/").content.decode()
    reader.post("/keys/", {"keys": "on"})

    assert 'data-keys="off"' in off
    assert 'data-keys="on"' in reader.get("/runs/").content.decode()
