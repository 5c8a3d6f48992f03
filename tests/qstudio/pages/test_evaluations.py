"""The list of Evaluations and the page of one."""

from __future__ import annotations

from django.test import Client

from qstudio.runs.models import Attempt, Evaluation
from tests.qstudio.world import World


def test_the_list_works(reader: Client):
    page = reader.get("/evaluations/").context["page"]

    assert page.page.paginator.count == 12
    assert not page.has_several_graders
    assert len(reader.get("/evaluations/?split=dev").context["page"].rows) == 5


def test_scores_of_different_graders_are_said_not_to_compare(reader: Client, world: World):
    Evaluation.objects.filter(pk=world.evaluation.pk).update(grader="value-0")

    assert "not comparable" in reader.get("/evaluations/").content.decode()
    assert "not comparable" not in reader.get("/evaluations/?grader=value-1").content.decode()


def test_a_run_with_scores_of_two_graders_draws_those_of_the_newest(reader: Client, world: World):
    address = f"/runs/{world.finished.key}/"
    newest = world.finished.evaluations.order_by("-created_at").first()
    chart = next(c for c in reader.get(address).context["page"].charts if "pass@1" in c.title)
    Evaluation.objects.filter(pk=newest.pk).update(grader="value-2")

    response = reader.get(address)
    after = next(c for c in response.context["page"].charts if "pass@1" in c.title)

    assert response.context["page"].has_several_graders
    assert "not comparable" in response.content.decode()
    assert sum(len(trace["x"]) for trace in after.figure["data"]) < sum(
        len(trace["x"]) for trace in chart.figure["data"]
    )


def test_an_evaluation_states_its_score_with_its_interval(reader: Client, world: World):
    response = reader.get(f"/evaluations/{world.finished.key}/{world.evaluation.key}/")
    page = response.context["page"]

    assert page.sentence == (
        "One Program in a single try solves 52.0 % of the 12 test Problems; "
        "with 95 % confidence between 44.0 and 60.0 %."
    )
    assert [k for k, _ in page.row.further] == ["4", "8"]
    assert page.row.note == "adopted by dev"
    assert page.chart.figure["data"][-1]["x"] == [1, 4, 8]


def test_verdicts_add_up_and_name_what_was_left_out(reader: Client, world: World):
    page = reader.get(f"/evaluations/{world.finished.key}/{world.evaluation.key}/").context["page"]
    attempts = Attempt.objects.filter(run=world.finished, split="test", iteration=3)

    assert sum(row.n for row in page.verdicts) == attempts.count()
    assert page.row.n_not_counted == attempts.filter(verdict="unsupported").count()
    assert [row.is_counted for row in page.verdicts if row.kind == "unsupported"] == [False]


def test_every_number_leads_to_as_many_attempts(reader: Client, world: World):
    response = reader.get(f"/evaluations/{world.finished.key}/{world.evaluation.key}/")
    query = f"run={world.finished.key}&purpose=evaluation&split=test&iteration=3"
    for row in response.context["page"].verdicts:
        listed = reader.get(f"/attempts/?{query}&verdict={row.kind}").context["page"]

        assert listed.page.paginator.count == row.n
        assert f"{query}&verdict={row.kind}".replace("&", "&amp;") in response.content.decode()


def test_the_hardest_problems_come_first(reader: Client, world: World):
    problems = (
        reader.get(f"/evaluations/{world.finished.key}/{world.evaluation.key}/")
        .context["page"]
        .problems
    )

    assert [p.n_passed for p in problems] == sorted(p.n_passed for p in problems)


def test_few_queries(reader: Client, world: World, django_assert_num_queries):
    reader.get("/evaluations/")
    with django_assert_num_queries(8):
        reader.get("/evaluations/")
    with django_assert_num_queries(5):
        reader.get(f"/evaluations/{world.finished.key}/{world.evaluation.key}/")
