"""The first page: figures, what runs, what needs attention, and how many queries it takes."""

from __future__ import annotations

from django.test import Client

from tests.qstudio.world import World


def test_it_works(reader: Client, world: World):
    response = reader.get("/")
    page = response.context["page"]
    text = response.content.decode()

    assert (page.n_solved, page.n_problems) == (19, 40)
    assert [row.run for row in page.running] == [world.running]
    assert "Iteration 2: sampling 4 Programs for each of 16 Problems, 7 of 16." in text
    assert "the disk is full" in text
    assert page.growth.title == "4 seeds became 11 solved Problems"
    assert not page.is_first_use


def test_the_newest_score_is_of_a_loop_and_links_to_its_evaluation(reader: Client, world: World):
    response = reader.get("/")
    latest = response.context["page"].latest

    assert (latest.run_key, latest.iteration, latest.split) == (world.running.key, 1, "test")
    assert f"/evaluations/{world.running.key}/{latest.key}/" in response.content.decode()


def test_htmx_gets_the_inner_part_alone(reader: Client, htmx: dict[str, str]):
    response = reader.get("/", headers=htmx)

    assert response.content.decode().lstrip().startswith('<div id="overview"')
    assert "HX-Request" in response["Vary"]


def test_the_number_of_queries_is_fixed(reader: Client, django_assert_num_queries):
    reader.get("/")
    with django_assert_num_queries(15):
        reader.get("/")
