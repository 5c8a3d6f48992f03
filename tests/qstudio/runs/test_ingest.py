"""Run directories to rows: once, in parts, torn, by two at once, and again from the beginning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from pipeline import records
from pipeline.rundir import RunDir, append_records
from qstudio.problems.models import Problem, Solution
from qstudio.problems.services import store_solutions
from qstudio.runs import ingest as ingest_module
from qstudio.runs.ingest import ingest, rebuild
from qstudio.runs.models import Attempt, Prompt, Run, RunEvent, Verdict
from tests.qstudio.factories import (
    make_attempt_record,
    make_problem,
    make_prompt_record,
    make_run,
)

pytestmark = pytest.mark.django_db
ATTEMPTS = "iterations/001/attempts.jsonl"


@pytest.fixture
def run():
    make_problem("add-one")
    return make_run(state="starting")


def announce_attempts(directory: RunDir, first: int, n: int) -> None:
    """Append Attempts and say so, as a stage does."""
    append_records(directory.path / ATTEMPTS, [make_attempt_record(first + i) for i in range(n)])
    directory.event(
        "attempts", f"{n} Attempts", path=ATTEMPTS, n=n, purpose="sampling", iteration=1
    )


def write_everything(run: Run) -> RunDir:
    """One of every kind of event."""
    directory = RunDir.open(Path(run.directory))
    directory.event("run_started", "Starting", pid=1, host="elsewhere", resumed=False)
    directory.event("stage_started", "Sampling", stage="sampling", iteration=1)
    append_records(directory.path / "prompts.jsonl", [make_prompt_record()])
    directory.event("prompts", "1 Prompt", path="prompts.jsonl", n=1)
    announce_attempts(directory, 0, 7)
    solution = records.Solution(problem="add-one", program="f:{1+x}", origin="bootstrap")
    append_records(directory.path / "solutions_1.jsonl", [solution])
    directory.event("solutions", "1 Solution", path="solutions_1.jsonl", n=1, iteration=1)
    directory.event("stage_finished", "Sampled", stage="sampling", iteration=1, seconds=1.5)
    directory.event(
        "metric", "step 1", stage="sft", iteration=1, step=1, loss=0.5, learning_rate=1e-3
    )
    checkpoint = records.Checkpoint(
        id="it-1", iteration=1, role="candidate", path="x", steps=5, train_rows=2, final_loss=0.1
    )
    directory.event("checkpoint", "Saved", **checkpoint.model_dump())
    directory.event("evaluation", "Measured", **evaluation().model_dump(mode="json"))
    directory.event(
        "iteration_finished",
        "Iteration 1",
        index=1,
        attempted=1,
        newly_solved=1,
        solved_total=1,
        problems_total=1,
        train_rows=2,
        adopted=True,
        metadata={"k": 4},
        dataset_stats={"rows": 2},
    )
    (directory.path / "final_report.json").write_text('{"solved_total": 1}', encoding="utf-8")
    directory.event("run_finished", "Done", state="succeeded", reason="all solved")
    return directory


def evaluation() -> records.Evaluation:
    share = records.Interval(value=0.5, low=0.4, high=0.6)
    return records.Evaluation(
        id="it-1-test",
        iteration=1,
        policy="it-1",
        split="test",
        n_problems=1,
        n_samples=4,
        temperature=0.7,
        pass_at={"1": share},
        pass_at_all_in={"1": share},
        verdicts={"passed": 2, "q_error": 2},
        per_problem={"add-one": (4, 2)},
        grader="value-1",
        engine="embedded",
        engine_version="0.1",
        prompt_format="demo",
    )


def contents(run: Run) -> dict[str, list]:
    """All rows of a Run, without their primary keys."""
    names = ("stages", "iterations", "checkpoints", "evaluations", "prompts", "attempts", "events")
    rows = {
        name: [
            {k: v for k, v in row.items() if k not in ("id", "prompt_id")}
            for row in getattr(run, name).order_by("pk").values()
        ]
        for name in names
    }
    rows["verdicts"] = list(
        Verdict.objects.filter(attempt__run=run)
        .order_by("attempt__key")
        .values("attempt__key", "kind", "n_passed", "executions")
    )
    rows["solutions"] = list(Solution.objects.filter(run_key=run.key).values("key", "program"))
    return rows


def test_every_kind_of_record_becomes_rows(run):
    write_everything(run)

    ingest(run)

    run.refresh_from_db()
    assert (run.state, run.state_reason) == ("succeeded", "all solved")
    assert run.report == {"solved_total": 1}
    assert (run.n_solved, run.n_problems) == (1, 1)
    assert [(s.name, s.finished_at is not None) for s in run.stages.all()] == [("sampling", True)]
    assert run.iterations.get().is_adopted
    assert run.checkpoints.get().final_loss == 0.1
    assert run.evaluations.get().record["pass_at"]["1"]["value"] == 0.5
    assert run.prompts.get().text == "Solve add-one"
    assert run.attempts.count() == 7
    verdict = run.attempts.first().verdicts.get()
    assert (verdict.kind, len(verdict.executions)) == ("passed", 4)
    assert Solution.objects.get(run_key=run.key).origin == "bootstrap"
    assert run.events.filter(seq__isnull=False).count() == 11


def test_a_second_ingest_finds_nothing_new_and_writes_nothing(run):
    write_everything(run)
    ingest(run)
    before = contents(run)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ingest(run) == 0

    assert queries.captured_queries == []
    assert contents(run) == before


def test_an_ingest_from_the_beginning_adds_nothing(run):
    write_everything(run)
    ingest(run)
    before = contents(run)
    Run.objects.filter(pk=run.pk).update(event_offset=0, file_offsets={})

    ingest(Run.objects.get())

    assert contents(run) == before


def test_a_rebuild_gives_the_same_rows_and_leaves_the_state_alone(run):
    write_everything(run)
    ingest(run)
    before = contents(run)

    assert rebuild(Run.objects.get()) > 0

    after = contents(run)
    states = [event for event in before["events"] if event["seq"] is None]
    assert sorted(after.pop("events"), key=str) == sorted(before.pop("events"), key=str)
    assert len(states) == 2
    assert after == before
    assert Run.objects.get().state == "succeeded"


def test_reading_after_each_event_gives_the_same_rows_as_reading_once(run, monkeypatch):
    monkeypatch.setattr(ingest_module, "BATCH", 3)
    directory = RunDir.open(Path(run.directory))
    for first in range(0, 20, 5):
        announce_attempts(directory, first, 5)
        ingest(run)

    assert run.attempts.count() == 20
    assert Verdict.objects.count() == 20


def test_a_torn_line_is_read_when_it_is_whole(run):
    directory = RunDir.open(Path(run.directory))
    announce_attempts(directory, 0, 2)
    path = directory.path / ATTEMPTS
    line = make_attempt_record(2).model_dump_json() + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line[:100])
    events = directory.path / "events.jsonl"
    with events.open("a", encoding="utf-8") as file:
        file.write('{"seq": 2, "ti')

    ingest(run)
    assert run.attempts.count() == 2

    # Appending mends torn lines, as a resumed process would.
    announce_attempts(RunDir.open(directory.path), 2, 3)
    ingest(run)

    assert run.attempts.count() == 5
    assert list(run.events.filter(seq__isnull=False).values_list("seq", flat=True)) == [1, 2]


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_from_its_beginning(run):
    directory = RunDir.open(Path(run.directory))
    announce_attempts(directory, 0, 6)
    ingest(run)
    (directory.path / ATTEMPTS).unlink()
    announce_attempts(directory, 5, 3)

    ingest(run)

    assert run.attempts.count() == 8


def test_a_line_that_is_no_record_does_not_hide_the_others(run, caplog):
    directory = RunDir.open(Path(run.directory))
    (directory.path / "iterations/001").mkdir(parents=True)
    (directory.path / ATTEMPTS).write_text('{"id": "nonsense"}\n', encoding="utf-8")
    announce_attempts(directory, 0, 2)

    ingest(run)

    assert run.attempts.count() == 2
    assert "a line is not a Attempt" in caplog.text


def test_a_path_outside_the_directory_is_not_read(run, tmp_path):
    directory = RunDir.open(Path(run.directory))
    append_records(tmp_path / "attempts.jsonl", [make_attempt_record()])
    directory.event("attempts", "mine", path="../../attempts.jsonl", n=1)
    directory.event("attempts", "mine", path=str(tmp_path / "attempts.jsonl"), n=1)

    ingest(run)

    assert not Attempt.objects.exists()


def test_who_comes_second_leaves_without_writing(run):
    directory = RunDir.open(Path(run.directory))
    announce_attempts(directory, 0, 3)
    slow = Run.objects.get()  # read its offsets before the other one moved them
    ingest(run)
    n_events = RunEvent.objects.count()

    assert ingest(slow) == 0
    assert (Attempt.objects.count(), RunEvent.objects.count()) == (3, n_events)


def test_a_failure_in_a_transaction_leaves_the_offset_where_it_was(run, monkeypatch):
    directory = RunDir.open(Path(run.directory))
    announce_attempts(directory, 0, 3)
    monkeypatch.setattr(
        "qstudio.runs.projection.store_events", lambda *_: (_ for _ in ()).throw(OSError("disk"))
    )
    with pytest.raises(OSError, match="disk"), transaction.atomic():
        ingest(run)
    monkeypatch.undo()

    ingest(Run.objects.get())

    assert (Attempt.objects.count(), run.events.count()) == (3, 1)


def test_problems_that_the_database_does_not_know_come_from_the_directory(run):
    Problem.objects.all().delete()
    announce_attempts(RunDir.open(Path(run.directory)), 0, 2)

    ingest(run)

    assert Problem.objects.get().slug == "add-one"
    assert run.attempts.count() == 2


def test_attempts_may_be_announced_before_their_prompts(run):
    directory = RunDir.open(Path(run.directory))
    announce_attempts(directory, 0, 1)
    append_records(directory.path / "prompts.jsonl", [make_prompt_record()])
    directory.event("prompts", "1 Prompt", path="prompts.jsonl", n=1)

    ingest(run)

    assert Prompt.objects.get().text == "Solve add-one"


def test_no_transaction_writes_more_than_a_batch(run, monkeypatch):
    monkeypatch.setattr(ingest_module, "BATCH", 4)
    announce_attempts(RunDir.open(Path(run.directory)), 0, 10)
    sizes: list[int] = []
    store = ingest_module.projection.store_records
    monkeypatch.setattr(
        ingest_module.projection,
        "store_records",
        lambda run, kind, rows: (sizes.append(len(rows)), store(run, kind, rows)),
    )

    ingest(run)

    assert sizes == [4, 4, 2]


def test_a_report_that_is_not_there_is_no_error(run):
    directory = RunDir.open(Path(run.directory))
    directory.event("run_started", "Starting", pid=1, host="elsewhere", resumed=False)
    directory.event("run_finished", "Failed: no", state="failed", reason="no luck")

    ingest(run)

    run.refresh_from_db()
    assert (run.state, run.state_reason, run.report) == ("failed", "no luck", None)


def test_a_run_whose_engine_is_away_is_paused_and_can_be_resumed(run):
    directory = RunDir.open(Path(run.directory))
    directory.event("run_started", "Starting", pid=1, host="elsewhere", resumed=False)
    directory.event("run_finished", "Paused: no q", state="paused", reason="no licence; renew it")

    ingest(run)

    run.refresh_from_db()
    assert (run.state, run.state_reason) == ("paused", "no licence; renew it")
    assert run.is_resumable
    assert not run.is_active


def test_offsets_are_kept_per_file(run):
    directory = write_everything(run)
    ingest(run)

    kept = Run.objects.get()
    assert kept.event_offset == (directory.path / "events.jsonl").stat().st_size
    assert kept.file_offsets[ATTEMPTS] == (directory.path / ATTEMPTS).stat().st_size
    assert json.dumps(sorted(kept.file_offsets)) == json.dumps(
        [ATTEMPTS, "prompts.jsonl", "solutions_1.jsonl"]
    )


def test_nul_characters_in_what_a_model_wrote_become_visible_ones(run):
    directory = RunDir.open(Path(run.directory))
    append_records(directory.path / ATTEMPTS, [make_attempt_record(program="a\0b")])
    directory.event("attempts", "1 Attempt", path=ATTEMPTS, n=1)

    ingest(run)

    assert Attempt.objects.get().program == "a\u2400b"


def test_seeds_that_a_run_brings_along_count_once_and_as_seeds(run) -> None:
    given, brought = (
        records.Solution(problem="add-one", program=program, origin="reference")
        for program in ("f:{x+1}", "f:{1+x}")
    )
    store_solutions([given])
    Run.objects.filter(pk=run.pk).update(n_seeds=1)
    directory = RunDir.open(Path(run.directory))
    append_records(directory.path / "solutions.jsonl", [given, brought])
    directory.event("solutions", "2 known", path="solutions.jsonl", n=2, iteration=0)

    ingest(run)

    owners = dict(Solution.objects.values_list("program", "run_key"))
    assert owners == {given.program: "", brought.program: run.key}
    run.refresh_from_db()
    assert run.n_solved == 1
