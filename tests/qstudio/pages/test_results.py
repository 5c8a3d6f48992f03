"""`manage.py results`: Evaluations as results files of KX, and such files as Evaluations."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from qstudio.core.words import IMPORTED
from qstudio.runs.models import Evaluation, Run
from tests.pipeline.test_kx_results import BEFORE_JUNE_2026, OF_AN_AGENT, write
from tests.qstudio.world import World

pytestmark = pytest.mark.usefixtures("world")


def call(*arguments: str) -> str:
    output = StringIO()
    call_command("results", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def read_runs():
    """Runs that were made of results files."""
    return Run.objects.filter(evaluations__iteration=IMPORTED)


@pytest.mark.parametrize("content", [OF_AN_AGENT, BEFORE_JUNE_2026])
def test_a_file_of_kx_is_read_and_written_again_as_it_was(tmp_path: Path, content: dict):
    path = write(tmp_path / "results_some-model.json", content)

    told = call("import", str(path))
    run = read_runs().get()
    exported = json.loads(call("export", run.key))

    assert exported == content
    assert (run.state, run.evaluations.get().policy) == ("succeeded", "some-model")
    assert "pass@1" in told
    assert f"{run.key}, which was read before" in call("import", str(path))
    assert read_runs().count() == 1


def test_what_was_read_is_found_beside_ours(tmp_path: Path, reader: Client):
    call("import", str(write(tmp_path / "r.json", OF_AN_AGENT)), "--policy", "theirs")
    read = Evaluation.objects.get(iteration=IMPORTED)

    text = reader.get("/evaluations/").content.decode()
    page = reader.get(f"/evaluations/{read.run.key}/{read.key}/").content.decode()
    run_page = reader.get(f"/runs/{read.run.key}/").content.decode()

    assert "theirs" in text
    assert "not comparable" in text
    assert "kx-1" in page
    assert "a results file of KX; nothing was run here" in run_page
    assert reader.get("/").context["page"].latest.policy != "theirs"


def test_an_evaluation_of_ours_is_written_and_read_with_the_same_numbers(
    tmp_path: Path, world: World
):
    path = tmp_path / "out.json"
    evaluation = world.finished.evaluations.filter(split="test").order_by("-created_at", "-pk")[0]
    attempts = world.finished.attempts.filter(
        purpose="evaluation", iteration=evaluation.iteration, split="test", policy=evaluation.policy
    )

    told = call("export", world.finished.key, "--output", str(path))
    call("import", str(path))
    written = json.loads(path.read_text())
    read = Evaluation.objects.get(iteration=IMPORTED)

    assert f"of {attempts.count()} passed, by value-1" in told
    assert written["total_solutions"] == attempts.count() > 0
    assert written["passed_solutions"] == attempts.filter(verdict="passed").count()
    assert read.record["verdicts"]["passed"] == written["passed_solutions"]
    assert read.n_problems == attempts.values("problem").distinct().count()


def test_programs_are_judged_again_by_the_rules_of_kx(tmp_path: Path, world: World):
    """A float where a long is expected is a wrong answer by our rules and none by those of KX."""
    evaluation = world.finished.evaluations.filter(split="test").order_by("-created_at", "-pk")[0]
    attempts = world.finished.attempts.filter(
        purpose="evaluation", iteration=evaluation.iteration, split="test", policy=evaluation.policy
    )
    keep = list(attempts.order_by("pk").values_list("pk", flat=True)[:3])
    attempts.exclude(pk__in=keep).delete()
    attempts.update(verdict="wrong_answer", program="{[x;label] 3f*first x}")
    path = tmp_path / "out.json"

    told = call("export", world.finished.key, "--grader", "kx-1", "--output", str(path))
    written = json.loads(path.read_text())

    assert "3 of 3 passed, by kx-1" in told
    assert [row["info"] for row in written["results"]] == ["passed"] * 3


def test_a_run_without_such_an_evaluation_is_one_sentence(world: World):
    with pytest.raises(CommandError, match="has no Evaluation 'nothing'; its page lists"):
        call("export", world.finished.key, "--evaluation", "nothing")
    with pytest.raises(CommandError, match="there is no Run 'nowhere'"):
        call("export", "nowhere")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path):
    with pytest.raises(CommandError, match="cannot read"):
        call("import", str(tmp_path / "nothing.json"))
    with pytest.raises(CommandError, match="is no results file of KX"):
        call("import", str(write(tmp_path / "other.json", {"results": []})))
    assert not read_runs().exists()
