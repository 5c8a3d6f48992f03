"""The Runs list, the page of a Run with its tabs, and the acts on it."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone

from qstudio.runs.models import Run, RunEvent
from tests.qstudio.world import World


def test_the_list_works(reader: Client, world: World):
    response = reader.get("/runs/")
    rows = {row.run.key: row for row in response.context["page"].rows}

    assert rows[world.finished.key].pass_at_1["value"] == 0.52
    assert (
        rows[world.running.key].sentence
        == "Iteration 2: sampling 4 Programs for each of 16 Problems, 7 of 16."
    )
    assert rows[world.failed.key].sentence.startswith(
        "Failed in Iteration 1, fine-tuning: the disk is full"
    )


@pytest.mark.parametrize(
    ("query", "n"), [("state=running", 1), ("preset=demo", 2), ("q=mbpp", 1), ("q=none", 0)]
)
def test_the_list_is_filtered_by_its_address(query: str, n: int, reader: Client):
    assert len(reader.get(f"/runs/?{query}").context["page"].rows) == n


def test_the_list_polls_only_while_something_runs(
    reader: Client, world: World, htmx: dict[str, str]
):
    before = reader.get("/runs/", headers=htmx).content.decode()
    Run.objects.filter(pk=world.running.pk).update(state="stopped")
    after = reader.get("/runs/", headers=htmx).content.decode()

    assert "hx-get" in before
    assert "hx-get" not in after


def test_the_list_takes_the_same_queries_however_long_it_is(
    reader: Client, django_assert_num_queries
):
    reader.get("/runs/")
    with django_assert_num_queries(10):
        reader.get("/runs/")
    Run.objects.bulk_create(Run(key=f"r{n}", name="x", config={}, directory="x") for n in range(20))
    with django_assert_num_queries(10):
        reader.get("/runs/")


def test_a_finished_run_states_its_finding(reader: Client, world: World):
    response = reader.get(f"/runs/{world.finished.key}/")
    text = response.content.decode()
    page = response.context["page"]

    assert "+23.1 points [+14.8, +31.7]. The loop made the policy better." in text
    assert [chart.key for chart in page.charts] == ["growth", "pass-at-1", "verdicts"]
    assert [row.label for row in page.board][:5] == [
        "Initial policy",
        "Iteration 1",
        "Iteration 2",
        "Iteration 3",
        "Equal-steps base line",
    ]
    assert "hx-get" not in text
    assert "http-equiv" not in text


def test_counts_link_to_as_many_rows(reader: Client, world: World):
    page = reader.get(f"/runs/{world.finished.key}/").context["page"]
    listed = reader.get(f"/attempts/?run={world.finished.key}&purpose=sampling&outcome=failed")

    assert page.n_failed == listed.context["page"].page.paginator.count


def test_a_running_run_polls_and_htmx_gets_the_inner_part(
    reader: Client, world: World, htmx: dict[str, str]
):
    whole = reader.get(f"/runs/{world.running.key}/").content.decode()
    part = reader.get(f"/runs/{world.running.key}/", headers=htmx).content.decode()

    assert part.lstrip().startswith('<div id="run" data-live="2"')
    assert 'http-equiv="refresh"' in whole
    assert "Stop and save" in part
    assert "<title>43 % · demo · QStudio</title>" in whole


def test_a_silent_run_is_said_to_be_silent(reader: Client, world: World):
    Run.objects.filter(pk=world.running.pk).update(
        heartbeat_at=timezone.now() - timezone.timedelta(minutes=1)
    )

    assert "No sign of life" in reader.get(f"/runs/{world.running.key}/").content.decode()


def test_the_page_takes_few_queries(reader: Client, world: World, django_assert_num_queries):
    reader.get("/")
    with django_assert_num_queries(13):
        reader.get(f"/runs/{world.finished.key}/")


def test_the_training_tab_has_a_line_for_each_training(reader: Client, world: World):
    page = reader.get(f"/runs/{world.finished.key}/training/").context["page"]

    assert [trace["name"] for trace in page.loss.figure["data"]] == [
        "pretrain, before the loop",
        "sft, before the loop",
        "sft, Iteration 1",
        "sft, Iteration 2",
    ]


def test_events_leave_metrics_out_unless_asked(reader: Client, world: World):
    path = f"/runs/{world.finished.key}/events/"
    n_all = RunEvent.objects.filter(run=world.finished).count()

    assert reader.get(path).context["page"].page.paginator.count == 3
    assert reader.get(f"{path}?metrics").context["page"].page.paginator.count == n_all


def test_the_config_tab_marks_what_differs_from_the_preset(reader: Client, world: World):
    world.running.config["sampling"]["k"] = 5
    Run.objects.filter(pk=world.running.pk).update(config=world.running.config)
    response = reader.get(f"/runs/{world.running.key}/config/")
    changed = [f for g in response.context["page"].groups for f in g.fields if f.is_changed]

    assert [(f.setting.name, f.value, f.preset_value) for f in changed] == [
        ("sampling.k", "5", "16")
    ]
    assert "manage.py bootstrap --preset demo --set sampling.k=5" in response.content.decode()


def test_a_chart_is_downloaded_as_csv(reader: Client, world: World):
    response = reader.get(f"/runs/{world.finished.key}/charts/growth.csv")
    rows = list(csv.reader(io.StringIO(response.content.decode())))

    assert rows[0] == ["Iteration", "newly solved", "solved", "of"]
    assert rows[-1] == ["3", "2", "19", "24"]
    assert reader.get(f"/runs/{world.finished.key}/charts/none.csv").status_code == 404


def test_stop_of_a_queued_run_takes_it_out_of_the_queue(reader: Client, world: World):
    Run.objects.filter(pk=world.running.pk).update(state="queued")
    response = reader.post(f"/runs/{world.running.key}/stop/")
    world.running.refresh_from_db()

    assert (response.status_code, response.url) == (303, f"/runs/{world.running.key}/")
    assert world.running.state == "stopped"


def test_a_paused_run_says_what_is_wrong_and_can_be_resumed(reader: Client, world: World):
    reason = (
        "grading is paused: the q engine 'kdb_process' went away: the licence has expired; renew it"
    )
    Run.objects.filter(pk=world.running.pk).update(state="paused", state_reason=reason)

    text = reader.get(f"/runs/{world.running.key}/").content.decode()

    assert "status--paused" in text
    assert "the licence has expired; renew it. No Attempt was used up" in text
    assert f'action="/runs/{world.running.key}/resume/"' in text


def test_an_act_that_comes_too_late_says_so(reader: Client, world: World):
    response = reader.post(f"/runs/{world.finished.key}/resume/", follow=True)

    assert "only a failed, stopped, paused or lost Run can be resumed" in response.content.decode()


@pytest.mark.parametrize("act", ["stop", "kill", "resume"])
def test_acts_need_a_post(act: str, reader: Client, world: World):
    assert reader.get(f"/runs/{world.running.key}/{act}/").status_code == 405


def test_acts_need_the_token_against_forgery(world: World):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.user)
    response = client.post(f"/runs/{world.running.key}/kill/")
    world.running.refresh_from_db()

    assert response.status_code == 403
    assert world.running.state == "running"


def test_the_ledger_shows_the_newest_loop_or_the_one_asked_for(reader: Client, world: World):
    newest = reader.get("/iterations/").context["page"]
    asked = reader.get(f"/iterations/?run={world.finished.key}").context["page"]

    assert newest.run == world.running
    assert [row.iteration.newly_solved for row in asked.rows] == [8, 5, 2]
    assert asked.rows[0].seconds == 80
