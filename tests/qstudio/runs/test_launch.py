"""Creating, stopping and resuming Runs, without their processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django_q.models import OrmQ

from pipeline import records
from pipeline.problemsets.demo import build_family
from pipeline.rundir import RunDir, read_records
from qstudio.problems.models import Problem, Solution
from qstudio.problems.services import store_solutions
from qstudio.runs.launch import LaunchError, create_run, resume_run, ring, stop_run
from qstudio.runs.models import Run
from tests.qstudio.factories import make_config, make_problem, make_run, make_solution

pytestmark = pytest.mark.django_db


@pytest.fixture
def problems():
    make_problem("add-one")
    make_problem("add-two")
    make_problem("held-out", split="test")


def slugs(directory: str, name: str) -> list[str]:
    kind = records.Problem if name == "problems" else records.Solution
    found = read_records(Path(directory) / f"{name}.jsonl", kind)
    return sorted(row.slug if name == "problems" else row.problem for row in found)


def test_a_run_is_a_row_and_a_directory_with_its_settings_and_problems(problems):
    make_solution("add-one")
    owner = get_user_model().objects.create_user("alice")

    run = create_run(make_config(seed=3), owner=owner, name="First try", preset="smoke")

    assert run.state == "queued"
    assert (run.n_problems, run.n_seeds, run.n_solved) == (2, 1, 1)
    assert run.key.split("-")[1:-1] == ["first", "try"]
    assert RunDir.open(Path(run.directory)).config().seed == 3
    assert slugs(run.directory, "problems") == ["add-one", "add-two", "held-out"]
    assert slugs(run.directory, "solutions") == ["add-one"]
    assert run.events.get().data == {"by": "alice"}


def test_a_double_click_makes_one_run(problems, outputs):
    first = create_run(make_config(), request_id="abc")
    second = create_run(make_config(), request_id="abc")

    assert first.pk == second.pk
    assert len(list(outputs.iterdir())) == 1


def test_runs_without_a_request_id_are_different_runs(problems):
    assert create_run(make_config()).pk != create_run(make_config()).pk


def test_only_reference_and_human_solutions_of_training_problems_are_known_at_the_start(problems):
    make_problem("benchmark", is_evaluation_only=True)
    make_solution("held-out")
    make_solution("benchmark")
    make_solution("add-one", origin="human")
    found = records.Solution(problem="add-two", program="f:{2+x}", origin="bootstrap")
    store_solutions([found], run_key="an-earlier-run")
    make_solution("add-two", program="f:{wrong}")
    Solution.objects.filter(program="f:{wrong}").update(is_quarantined=True)

    run = create_run(make_config())

    assert slugs(run.directory, "solutions") == ["add-one"]


def test_seed_sets_bring_solutions_but_are_not_sampled(problems):
    make_problem("other", problem_set="others")
    make_solution("other")

    run = create_run(make_config(problems={"sets": ["sums"], "seed_sets": ["others"]}))

    assert slugs(run.directory, "solutions") == ["other"]
    assert (run.n_problems, run.n_seeds) == (2, 0)


def test_an_unknown_set_is_named_together_with_the_known_ones(problems):
    with pytest.raises(LaunchError, match=r"no Problems in the set 'mbpp'.*sums"):
        create_run(make_config(problems={"sets": ["mbpp"]}))

    assert not Run.objects.exists()


def test_a_set_without_training_problems_is_refused(problems):
    Problem.objects.filter(split="train").delete()

    with pytest.raises(LaunchError, match="no training Problem in sums"):
        create_run(make_config())


def test_ringing_leaves_a_task_for_the_workers(problems, django_capture_on_commit_callbacks):
    run = create_run(make_config())

    with django_capture_on_commit_callbacks(execute=True):
        ring(run)

    assert OrmQ.objects.get().task["args"] == (run.pk,)


def test_a_queued_run_is_stopped_on_the_spot():
    run = make_run()

    assert stop_run(run)
    assert (run.state, run.state_reason) == ("stopped", "stopped before it began")


def test_stopping_a_working_run_leaves_a_request_in_its_directory():
    run = make_run(state="running")

    assert stop_run(run, by="alice")
    assert not stop_run(run, by="bob")

    assert RunDir.open(Path(run.directory)).requested() == "stop"
    assert Run.objects.get().state == "stopping"


@pytest.mark.parametrize("state", ["failed", "stopped", "paused", "lost"])
def test_an_ended_run_is_queued_again_and_its_old_requests_are_withdrawn(state):
    run = make_run(state=state)
    directory = RunDir.open(Path(run.directory))
    directory.request("stop")

    assert resume_run(run)

    assert Run.objects.get().state == "queued"
    assert directory.requested() is None


@pytest.mark.parametrize("state", ["queued", "running", "succeeded"])
def test_a_run_that_has_not_ended_early_is_not_resumed(state):
    run = make_run(state=state)

    with pytest.raises(LaunchError, match=f"is {state}; only"):
        resume_run(run)


def test_a_run_whose_directory_is_gone_is_not_resumed():
    run = make_run(state="lost")
    Path(run.directory, "config.json").unlink()

    with pytest.raises(LaunchError, match="holds no run"):
        resume_run(run)


def test_of_the_demo_set_only_the_seeds_of_the_runs_own_seed_are_known():
    family = {seed: build_family(seed) for seed in (0, 1)}
    for source in family[0].in_split("train")[:200]:
        make_problem(source.slug, problem_set="demo")

    known = {}
    for seed, built in family.items():
        run = create_run(make_config(seed=seed, problems={"sets": ["demo"]}))
        known[seed] = slugs(run.directory, "solutions")
        stored = set(slugs(run.directory, "problems"))
        assert known[seed] == sorted(stored & {source.slug for source in built.seeds})
        assert run.n_seeds == len(known[seed])

    assert known[0] != known[1]
    assert not Solution.objects.exists()


def test_a_place_that_cannot_be_written_is_one_sentence_and_leaves_no_run(problems, outputs):
    outputs.write_text("a file where a folder should be")

    with pytest.raises(LaunchError, match=r"cannot write .*: Not a directory; check the folder"):
        create_run(make_config())

    assert not Run.objects.exists()
