"""What an installation shows on which nothing has been loaded or run: what to do next."""

from __future__ import annotations

import re

import pytest
from django.test import Client


@pytest.mark.parametrize(
    "path", ["/", "/problems/", "/runs/", "/iterations/", "/evaluations/", "/attempts/"]
)
def test_an_empty_installation_says_what_to_do(path: str, admin_client: Client):
    response = admin_client.get(path)

    assert response.status_code == 200
    assert re.search(r"manage\.py|/runs/new/", response.content.decode())


def test_a_new_installation_shows_the_first_steps(admin_client: Client):
    response = admin_client.get("/")

    assert [step.is_done for step in response.context["page"].steps] == [False] * 5
    assert "manage.py load_problems" in response.content.decode()
