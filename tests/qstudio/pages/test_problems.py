"""The Problems list and the page of one Problem."""

from __future__ import annotations

import pytest
from django.test import Client

from qstudio.problems.models import Problem
from tests.qstudio.world import World


def counts(response, title: str) -> dict[str, int]:
    """Values and counts of one facet of a page."""
    facet = next(f for f in response.context["page"].facets if f.title == title)
    return {choice.label: choice.n for choice in facet.choices}


def test_the_list_works(reader: Client):
    response = reader.get("/problems/")

    assert response.context["page"].page.paginator.count == 40
    assert counts(response, "State") == {"solved": 19, "unsolved": 21}
    assert counts(response, "Split") == {"train": 24, "test": 12, "dev": 4}
    assert counts(response, "Tag")["strings"] == 10


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ("split=train", 24),
        ("state=unsolved&split=train", 5),
        ("set=starter", 8),
        ("difficulty=hard", 10),
        ("tag=lists", 20),
        ("tag=list", 0),
        ("q=running maximum", 10),
        ("q=whole REVERSE", 10),
        ("state=odd", 0),
    ],
)
def test_the_address_is_the_view(query: str, n: int, reader: Client):
    assert reader.get(f"/problems/?{query}").context["page"].page.paginator.count == n


def test_a_facet_counts_under_the_other_filters_and_can_be_taken_back(reader: Client):
    response = reader.get("/problems/?split=test&state=unsolved&page=2")
    split = next(f for f in response.context["page"].facets if f.title == "Split")
    chosen = next(choice for choice in split.choices if choice.is_chosen)

    assert counts(response, "Split") == {"test": 12, "train": 5, "dev": 4}
    assert chosen.query == "?state=unsolved"


def test_the_list_takes_the_same_queries_however_long_it_is(
    reader: Client, django_assert_num_queries
):
    reader.get("/problems/")
    with django_assert_num_queries(12):
        reader.get("/problems/")
    with django_assert_num_queries(12):
        reader.get("/problems/?split=dev")


def test_a_problem_shows_its_values_in_both_languages(reader: Client, world: World):
    response = reader.get(f"/problems/{world.problem.slug}/")
    text = response.content.decode()
    page = response.context["page"]

    assert page.signature == "f(x: list[int], label: str) -> int"
    assert page.tests[1].arguments[0][1].python == "[1, 2, -1]"
    assert page.tests[1].arguments[0][1].q == "1 2 -1"
    assert (page.n_public, page.n_hidden) == (2, 4)
    assert "bootstrap" in text
    assert world.finished.key in text


def test_the_strip_has_one_square_per_attempt_and_links_to_it(reader: Client, world: World):
    response = reader.get(f"/problems/{world.problem.slug}/")
    heat = response.context["page"].heat
    attempts = world.problem.attempts

    assert [row.label for row in heat] == [f"Iteration {n}, sampling" for n in (3, 2, 1)]
    assert sum(len(row.cells) for row in heat) == attempts.count()
    assert sum(row.n_passed for row in heat) == attempts.filter(verdict="passed").count()
    assert f"/attempts/{heat[0].cells[0].attempt_id}/" in response.content.decode()


def test_an_unsolved_problem_says_so(reader: Client):
    unsolved = Problem.objects.unsolved().filter(split="test").first()

    assert "Not solved yet." in reader.get(f"/problems/{unsolved.slug}/").content.decode()


def test_a_problem_takes_few_queries(reader: Client, world: World, django_assert_num_queries):
    reader.get("/problems/")
    with django_assert_num_queries(9):
        reader.get(f"/problems/{world.problem.slug}/")
