"""The table of states: what may follow what, once, and with a trace."""

from __future__ import annotations

import pytest

from qstudio.runs.models import Run
from qstudio.runs.transitions import ALLOWED, transition
from tests.qstudio.factories import make_run

State = Run.State

pytestmark = pytest.mark.django_db


def test_an_allowed_transition_changes_the_row_and_leaves_an_event():
    run = make_run()

    assert transition(run, State.STARTING, "taken by a worker", by="alice", message="soon")

    kept = Run.objects.get(pk=run.pk)
    event = run.events.get()
    assert (kept.state, kept.state_reason, kept.message) == (
        "starting",
        "taken by a worker",
        "soon",
    )
    assert kept.started_at is not None
    assert (event.kind, event.message) == ("state", "taken by a worker")
    assert event.data == {"from": "queued", "to": "starting", "by": "alice"}


@pytest.mark.parametrize("state", State.values)
def test_every_state_says_what_may_follow(state):
    run = make_run(state=state)

    for to in State.values:
        Run.objects.filter(pk=run.pk).update(state=state)
        assert transition(run, to) == (to in ALLOWED[state]), f"{state} to {to}"


def test_the_second_of_two_processes_is_told_that_it_came_late():
    make_run()
    first, second = Run.objects.get(), Run.objects.get()

    assert transition(first, State.STARTING, only_from=State.QUEUED)
    assert not transition(second, State.STARTING, only_from=State.QUEUED)

    assert first.events.count() == 1
    assert second.state == State.QUEUED


def test_an_end_has_a_time_and_a_resume_takes_it_away():
    run = make_run(state=State.RUNNING)
    transition(run, State.STOPPED, resumes_itself=True)
    assert Run.objects.get().finished_at is not None

    transition(run, State.QUEUED)

    kept = Run.objects.get()
    assert kept.finished_at is None
    assert not kept.resumes_itself
