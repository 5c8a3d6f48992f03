"""The list of Attempts with facets and groups, and the page of one with its evidence."""

from __future__ import annotations

import pytest
from django.test import Client

from qstudio.runs.models import Attempt
from qstudio.runs.queries.attempts import _error_place, normalise, signature
from tests.qstudio.world import HOSTILE, World


def test_it_works(reader: Client):
    response = reader.get("/attempts/?outcome=failed")
    page = response.context["page"]
    failed = Attempt.objects.exclude(verdict__in=("passed", "unsupported", "infra_error"))

    assert page.page.paginator.count == failed.count()
    assert page.n_judged + page.n_not_counted == Attempt.objects.count()
    assert page.n_not_counted == Attempt.objects.filter(verdict="unsupported").count()


@pytest.mark.parametrize(
    "query",
    [
        "verdict=q_error",
        "error=type",
        "iteration=2",
        "iteration=-1",
        "purpose=evaluation",
        "split=test",
    ],
)
def test_the_address_is_the_view(query: str, reader: Client):
    name, _, value = query.partition("=")
    expected = Attempt.objects.filter(**{name: value}).count()

    assert reader.get(f"/attempts/?{query}").context["page"].page.paginator.count == expected
    assert expected > 0


def test_a_run_and_a_problem_narrow_it(reader: Client, world: World):
    page = reader.get(f"/attempts/?run={world.finished.key}&problem={world.problem.slug}").context[
        "page"
    ]

    assert page.page.paginator.count == world.problem.attempts.count()
    assert any(facet.title == "Problem" for facet in page.facets)


def test_groups_count_what_their_link_shows(reader: Client):
    groups = reader.get("/attempts/?outcome=failed").context["page"].groups
    n_shown = [
        reader.get(f"/attempts/{group.query}").context["page"].page.paginator.count
        for group in groups
    ]

    assert n_shown == [group.n for group in groups]
    assert sum(n_shown) == Attempt.objects.exclude(verdict__in=("passed", "unsupported")).count()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("test 3: expected 14 but got 13", "test 12: expected -7 but got 0.5"),
        ('test 2: expected "ab" but got "c"', 'test 4: expected "" but got "a 1"'),
        ("expected 1 2 3 but got 1 2", "expected 4 but got 9 9 9 9"),
        ("expected `a`b but got 1f", "expected `x`y but got 22f"),
        ("'xing: not defined (line 1, column 4)", "'tax: not defined (line 2, column 14)"),
        (
            "';: unexpected character (line 1, column 4)",
            "'#: unexpected character (line 1, column 9)",
        ),
    ],
)
def test_reasons_that_differ_in_values_alone_are_one_kind(one: str, other: str):
    assert normalise(one) == normalise(other)
    assert signature("wrong_answer", "", one) == signature("wrong_answer", "", other)


def test_different_mistakes_stay_apart():
    reasons = ("'type in test 1", "'length in test 1", "expected a long but got a float")

    assert len({normalise(reason) for reason in reasons}) == 3


def test_the_list_takes_the_same_queries_however_long_it_is(
    reader: Client, django_assert_num_queries
):
    reader.get("/attempts/")
    with django_assert_num_queries(12):
        reader.get("/attempts/?outcome=failed")
    with django_assert_num_queries(12):
        reader.get("/attempts/?outcome=passed")


def test_an_attempt_shows_its_evidence(reader: Client, world: World):
    response = reader.get(f"/attempts/{world.failure.pk}/")
    rows = response.context["page"].rows
    wrong = next(row for row in rows if row.outcome == "wrong_answer")

    assert wrong.test.visibility == "hidden"
    assert wrong.test.arguments[0][1].q == "3 4 -3"
    assert (wrong.test.expected.q, wrong.actual) == ("9", "8f")
    assert (wrong.difference_kind, wrong.difference) == (
        "wrong type",
        "a float where a long is expected",
    )
    assert "a float where a long is expected" in response.content.decode()
    assert "value-1" in response.content.decode()


def test_an_error_shows_its_place_in_the_program(reader: Client):
    attempt = Attempt.objects.filter(verdict="q_error").exclude(program=None).first()
    assert attempt is not None
    attempt.program = "g:{x<`a}\nf:{g x}"
    attempt.save()
    verdict = attempt.verdicts.latest("pk")
    verdict.executions[0] |= {"outcome": "q_error", "error": "type", "error_at": 4}
    verdict.save()

    response = reader.get(f"/attempts/{attempt.pk}/")

    assert "line 1 of the Program" in response.content.decode()
    assert "g:{x&lt;`a}\n    ^</pre>" in response.content.decode()
    assert response.context["page"].rows[1].place is None


@pytest.mark.parametrize("at", [0, 70, 199])
def test_a_long_line_is_cut_around_the_place(at: int):
    place = _error_place("x" * at + "!" + "y" * (199 - at) + "\nnext", at)

    assert place is not None
    assert len(place.text) <= 62
    assert place.text[len(place.caret)] == "!"


def test_what_a_model_wrote_is_never_markup(reader: Client, world: World):
    hostile = Attempt.objects.filter(verdict="syntax_error").first()
    text = reader.get(f"/attempts/{hostile.pk}/").content.decode()

    assert HOSTILE not in text
    assert "&lt;script&gt;alert" in text


def test_a_fault_of_ours_is_said_not_to_count(reader: Client):
    unsupported = Attempt.objects.filter(verdict="unsupported").first()
    text = reader.get(f"/attempts/{unsupported.pk}/").content.decode()

    assert "Not counted." in text
    assert "no failure of the policy" in text


def test_an_attempt_without_a_program_has_a_page(reader: Client):
    empty = Attempt.objects.filter(verdict="no_program").first()

    assert "No Program could be found" in reader.get(f"/attempts/{empty.pk}/").content.decode()


def test_fresh_inputs_are_told_from_the_tests(reader: Client):
    passed = Attempt.objects.filter(verdict="passed").first()
    rows = reader.get(f"/attempts/{passed.pk}/").context["page"].rows

    assert [row.test is None for row in rows] == [False] * 6 + [True]


def test_neighbours_are_those_of_the_list(reader: Client):
    query = "?verdict=q_error&iteration=1"
    listed = list(
        Attempt.objects.filter(verdict="q_error", iteration=1)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    page = reader.get(f"/attempts/{listed[1]}/{query}").context["page"]

    assert (page.previous_id, page.next_id) == (listed[0], listed[2])


def test_an_attempt_takes_few_queries(reader: Client, world: World, django_assert_num_queries):
    reader.get("/attempts/")
    with django_assert_num_queries(7):
        reader.get(f"/attempts/{world.failure.pk}/")
