"""Fixtures of the page tests: a world to look at, made once per module, and a person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings

from tests.qstudio.world import World, make_world


@pytest.fixture(scope="module")
def shared_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The world in a transaction of its own around the module's tests; it is rolled back after them."""
    folder = tmp_path_factory.mktemp("outputs")
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()
        try:
            with override_settings(OUTPUTS_DIR=folder):
                made = make_world()
            yield made
        finally:
            transaction.set_rollback(True)
            whole.__exit__(None, None, None)


@pytest.fixture
def world(shared_world: World, db: Any) -> World:
    """Problems, Runs, Evaluations and Attempts of every kind; what a test changes is undone after it."""
    for row in (shared_world.finished, shared_world.running, shared_world.failed):
        row.refresh_from_db()
    return shared_world


@pytest.fixture
def reader(world: World) -> Client:
    """A browser without scripts in which the world's user is signed in."""
    client = Client()
    client.force_login(world.user)
    return client


@pytest.fixture
def htmx() -> dict[str, str]:
    """Headers that htmx sends."""
    return {"HX-Request": "true"}
