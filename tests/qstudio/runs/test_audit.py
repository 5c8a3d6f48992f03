"""`audit_solutions` with the real sandbox and engine: who is quarantined, with what evidence and uses, who is not."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from pipeline import records
from pipeline.rundir import RunDir, write_json
from qstudio.problems.audit import AuditPlan, audit
from qstudio.problems.models import Problem, Quarantine, Solution
from qstudio.problems.services import store_solutions
from qstudio.runs.ingest import ingest
from qstudio.runs.models import Checkpoint, Evaluation, Run
from qstudio.runs.snapshot import take_snapshot
from qstudio.runs.uses import find_uses, withdrawn
from tests.qstudio.factories import (
    make_config,
    make_problem,
    make_run,
    make_solution,
    make_test_case,
)

pytestmark = pytest.mark.django_db

GOOD, TABLE = "f:{x+1}", "f:{(1+til 4)[x]}"
"""Both give what the stored tests expect; the second knows nothing else."""


def audited(*arguments: str) -> tuple[list[dict], dict, str]:
    """Findings, summary and the error of `audit_solutions --json`."""
    output, error = StringIO(), ""
    try:
        call_command("audit_solutions", "--json", *arguments, stdout=output)
    except CommandError as raised:
        error = str(raised)
    rows = [json.loads(line) for line in output.getvalue().splitlines()]
    return rows[:-1], rows[-1]["summary"], error


def trained_run(solution: records.Solution) -> Run:
    """A Run that trained on a Solution in its first Iteration, and went on from there."""
    run = make_run(name="trainer")
    own = {"origin": "solution", "problem": solution.problem, "parents": [solution.key]}
    made = {"origin": "splice", "problem": "", "parents": [solution.key, "1" * 64]}
    other = {"origin": "solution", "problem": "another", "parents": ["0" * 64]}
    for place, rows in {
        "initial": [other],
        "iterations/001": [own, other, made],
        "iterations/002": [other],
    }.items():
        write_json(Path(run.directory) / place / "dataset.json", rows)
    for key, parent, place, iteration in (
        ("initial", "", "initial", 0),
        ("iteration-1", "initial", "iterations/001", 1),
        ("iteration-2", "iteration-1", "iterations/002", 2),
    ):
        Checkpoint.objects.create(
            run=run,
            key=key,
            parent=parent,
            path=f"{place}/checkpoint",
            iteration=iteration,
            role="candidate",
            steps=1,
            train_rows=1,
        )
        Evaluation.objects.create(
            run=run,
            key=f"{key}-test",
            policy=key,
            iteration=iteration,
            split="test",
            n_problems=1,
            n_samples=1,
            grader="value-1",
            engine="embedded",
            engine_version="0.1",
            record={"pass_at": {"1": {"value": 0.25, "low": 0.1, "high": 0.4}}},
            created_at=timezone.now(),
        )
    return run


def test_what_fails_on_new_inputs_is_quarantined_with_the_input_that_failed():
    make_problem()
    make_solution(program=GOOD)
    bad = make_solution(program=TABLE)

    findings, summary, error = audited("--seed", "5", "--inputs", "10")

    assert {row["solution"]: row["outcome"] for row in findings}[bad.key] == "failed"
    assert (summary["passed"], summary["failed"], summary["seed"]) == (1, 1, 5)
    assert error == "1 Solution is now in quarantine"
    assert list(Solution.objects.usable().values_list("program", flat=True)) == [GOOD]
    row = Quarantine.objects.get(key=bad.key)
    (argument,) = row.evidence["test"]["arguments"]
    assert row.reason.startswith("wrong_answer: test 20")
    assert row.evidence["test"]["expected"] == argument + 1
    assert argument > 3
    assert row.evidence["seed"] == 5
    assert row.evidence["engine"] == "embedded"


def test_a_bootstrap_solution_is_audited_like_a_reference_and_all_its_rows_change():
    make_problem()
    solution = records.Solution(problem="add-one", program=TABLE, origin="bootstrap")
    store_solutions([solution], run_key="one")
    store_solutions([solution], run_key="two")

    findings, summary, _ = audited()

    assert summary["solutions"] == summary["failed"] == 1
    assert Solution.objects.filter(is_quarantined=True).count() == 2
    assert findings[0]["uses"] == []


def test_a_program_in_quarantine_stays_there_when_another_run_accepts_it():
    make_problem()
    make_solution(program=TABLE)
    audited()

    store_solutions(
        [records.Solution(problem="add-one", program=TABLE, origin="bootstrap")], run_key="later"
    )

    assert Solution.objects.get(run_key="later").is_quarantined
    assert not Problem.objects.solved().exists()


def test_a_dry_run_changes_nothing_and_fails_all_the_same():
    make_problem()
    make_solution(program=TABLE)

    _, summary, error = audited("--dry-run")

    assert (summary["failed"], summary["dry_run"]) == (1, True)
    assert error == "1 Solution would be in quarantine"
    assert not Quarantine.objects.exists()
    assert Solution.objects.usable().count() == 1


def test_what_is_quarantined_is_not_audited_again_and_a_good_rest_is_no_error():
    make_problem()
    make_solution(program=GOOD)
    make_solution(program=TABLE)
    audited()

    _, summary, error = audited()

    assert (summary["solutions"], summary["passed"], error) == (1, 1, "")


def test_a_gap_of_the_engine_or_a_missing_generator_quarantines_nobody():
    make_problem("gap")
    make_solution("gap", 'f:{$[x>50;system"s 4";x+1]}')
    make_problem("no-generator", generator="")
    make_solution("no-generator", TABLE)
    make_problem("all-known", generator="def generate(rng):\n    return (rng.randint(0, 3),)\n")
    make_solution("all-known", TABLE)
    mixed = [make_test_case(n, comparator="equal" if n else "close:1e-6") for n in range(4)]
    make_problem("mixed", tests=tuple(mixed))
    make_solution("mixed", TABLE)

    findings, summary, error = audited()

    reasons = {row["problem"]: (row["outcome"], row["reason"]) for row in findings}
    assert reasons["gap"][0] == "not_judged"
    assert reasons["gap"][1].startswith("unsupported")
    assert reasons["no-generator"] == ("not_drawn", "the Problem has no input generator")
    assert reasons["all-known"][0] == "not_drawn"
    assert reasons["mixed"][0] == "not_drawn"
    assert reasons["mixed"][1].startswith("the tests are compared in different ways")
    assert (summary["failed"], error) == (0, "")


def test_a_reference_that_changes_its_mind_quarantines_nobody():
    reference = "import time\ndef f(x):\n    return x + 1 + time.time_ns() % 1_000_003\n"
    problem = make_problem(reference=reference)
    make_solution(program=GOOD)

    findings, summary, _ = audited()

    assert findings[0]["reason"] == "the reference gives other answers when it is asked again"
    assert summary["not_judged"] == 1
    assert not problem.quarantines.exists()


def test_the_same_seed_asks_the_same_and_another_asks_something_else():
    make_problem()
    make_solution(program=TABLE)

    tests = []
    for seed in ("1", "1", "2"):
        findings, *_ = audited("--dry-run", "--seed", seed)
        tests.append(findings[0]["evidence"]["test"]["arguments"])

    assert tests[0] == tests[1] != tests[2]


def test_a_set_or_a_run_can_be_chosen():
    make_problem()
    make_problem("other", problem_set="others")
    make_solution(program=GOOD)
    make_solution("other", GOOD)
    run = make_run()
    store_solutions(
        [records.Solution(problem="other", program="f:{1+x}", origin="bootstrap")], run.key
    )

    assert {row["problem"] for row in audited("--set", "others")[0]} == {"other"}
    assert [row["program"] for row in audited("--run", run.key)[0]] == ["f:{1+x}"]
    with pytest.raises(CommandError, match="no problem set 'nothing'"):
        call_command("audit_solutions", "--set", "nothing")
    with pytest.raises(CommandError, match="no Run 'nothing'"):
        call_command("audit_solutions", "--run", "nothing")
    with pytest.raises(CommandError, match="'0' is not a number of inputs"):
        call_command("audit_solutions", "--inputs", "0")


def test_the_quarantine_lists_what_used_the_program():
    make_problem()
    bad = make_solution(program=TABLE)
    run = trained_run(bad)

    findings, summary, _ = audited()

    assert findings[0]["uses"] == [
        {
            "run": run.key,
            "run_name": "trainer",
            "dataset": "iterations/001/dataset.json",
            "rows": 1,
            "augmented_rows": 1,
            "checkpoints": ["iteration-1"],
            "later_checkpoints": ["iteration-2"],
            "iterations": [1, 2],
            "evaluations": [
                {"policy": "iteration-1", "split": "test", "pass_at_1": 0.25},
                {"policy": "iteration-2", "split": "test", "pass_at_1": 0.25},
            ],
        }
    ]
    assert Quarantine.objects.get().uses == findings[0]["uses"]
    assert summary["runs_not_read"] == []


def test_a_solution_that_no_training_set_holds_has_no_uses_and_a_lost_directory_is_named(tmp_path):
    make_problem()
    bad = make_solution(program=TABLE)
    trained_run(bad)
    lost = make_run("20260101-lost-00000002")
    Run.objects.filter(pk=lost.pk).update(directory=str(tmp_path / "gone"))

    uses, unread = find_uses(["f" * 64, bad.key])

    assert uses["f" * 64] == []
    assert len(uses[bad.key]) == 1
    assert unread == [lost.key]


def test_rows_that_were_made_from_another_program_of_the_problem_are_no_uses():
    make_problem()
    bad, good = make_solution(program=TABLE), make_solution(program=GOOD)
    run = make_run()
    rows = [{"origin": "digit_swap", "problem": "", "parents": [good.key]}] * 3
    write_json(Path(run.directory) / "initial" / "dataset.json", rows)

    uses, _ = find_uses([bad.key, good.key])

    assert uses[bad.key] == []
    assert [(use["rows"], use["augmented_rows"]) for use in uses[good.key]] == [(0, 3)]


def test_what_a_run_does_with_a_program_after_its_quarantine_is_listed_too():
    make_problem()
    bad = make_solution(program=TABLE)
    audited()
    assert Quarantine.objects.get().uses == []
    run = make_run(state="running")
    directory = RunDir.open(Path(run.directory))
    row = {"origin": "solution", "problem": bad.problem, "parents": [bad.key]}
    write_json(directory.path / "iterations/001/dataset.json", [row])
    checkpoint = records.Checkpoint(
        id="it-1",
        iteration=1,
        role="candidate",
        path="iterations/001/checkpoint",
        steps=1,
        train_rows=1,
        final_loss=0.1,
    )
    directory.event("checkpoint", "it-1 is saved", **checkpoint.model_dump(mode="json"))

    for _ in range(2):
        ingest(run)
        (use,) = Quarantine.objects.get().uses
        assert (use["run"], use["rows"], use["checkpoints"]) == (run.key, 1, ["it-1"])


def test_what_only_quarantined_programs_solved_is_not_counted_as_solved(admin_client: Client):
    make_problem()
    make_problem("other")
    make_problem("third")
    run = make_run(state="succeeded", n_problems=3, n_seeds=1, n_solved=3)
    seed = make_solution("third", TABLE)
    row = {"origin": "solution", "problem": "third", "parents": [seed.key]}
    write_json(Path(run.directory) / "initial" / "dataset.json", [row])
    found = {"add-one": [TABLE, "f:{x+1+0*x}"], "other": [TABLE]}
    store_solutions(
        [
            records.Solution(problem=slug, program=program, origin="bootstrap")
            for slug, programs in found.items()
            for program in programs
        ],
        run.key,
    )
    assert withdrawn([run]) == {}

    audited()

    assert withdrawn([run]) == {run.key: 2}  # of add-one another Program stands
    page = admin_client.get(f"/runs/{run.key}/").content.decode()
    assert "1 of 3 (1 seeds; 2 more in quarantine)" in page
    assert "1 of 3 training Problems solved" in page
    assert "2 more in quarantine" in admin_client.get("/runs/").content.decode()
    told = StringIO()
    call_command("run", "list", "--json", stdout=told)
    assert json.loads(told.getvalue())["n_solved"] == 1
    for key in Quarantine.objects.values_list("key", flat=True):
        call_command("audit_solutions", "--release", key, "--reason", "a wrong test")
    assert withdrawn([run]) == {}


def test_a_release_needs_a_reason_and_is_kept():
    make_problem()
    bad = make_solution(program=TABLE)
    audited()

    with pytest.raises(CommandError, match="say why"):
        call_command("audit_solutions", "--release", bad.key)
    output = StringIO()
    call_command(
        "audit_solutions", "--release", bad.key[:9], "--reason", "a wrong test", stdout=output
    )

    row = Quarantine.objects.get()
    assert "is used again: a wrong test" in output.getvalue()
    assert (row.release_reason, row.released_at is not None) == ("a wrong test", True)
    assert Solution.objects.usable().count() == 1
    with pytest.raises(CommandError, match="no Solution in quarantine"):
        call_command("audit_solutions", "--release", bad.key, "--reason", "again")
    audited()
    assert Quarantine.objects.filter(released_at=None).count() == 1


def test_a_person_reads_what_failed_and_what_used_it():
    make_problem()
    bad = make_solution(program=TABLE)
    run = trained_run(bad)
    output = StringIO()

    with pytest.raises(CommandError, match="1 Solution is now in quarantine"):
        call_command("audit_solutions", stdout=output)

    text = output.getvalue()
    assert f"add-one  {bad.key[:12]}  FAILED  wrong_answer" in text
    assert f"    | {TABLE}" in text
    used = f"used by {run.key}: iterations/001/dataset.json, rows: 1; rows made from it: 1; "
    assert f"{used}Checkpoints: iteration-1; and after them: iteration-2; " in text
    assert "0 passed, 1 failed, 0 could not be judged" in text


def test_a_new_run_knows_nothing_of_what_is_quarantined():
    make_problem()
    make_solution(program=TABLE)
    assert take_snapshot(make_config()).n_seeds == 1

    audited()

    snapshot = take_snapshot(make_config())
    assert (snapshot.n_seeds, snapshot.solutions) == (0, ())


def test_a_demo_seed_in_quarantine_is_left_out(monkeypatch):
    from qstudio.runs import snapshot

    make_problem(problem_set="demo")
    config = make_config(problems={"sets": ["demo"]})
    monkeypatch.setattr(snapshot, "_seed_programs", lambda seed: {"add-one": TABLE})
    assert take_snapshot(config).n_seeds == 1
    make_solution(program=TABLE)

    audited()

    assert take_snapshot(config).n_seeds == 0


def test_the_page_of_the_problem_shows_the_quarantine_and_its_release(admin_client: Client):
    make_problem()
    bad = make_solution(program=TABLE)
    run = trained_run(bad)
    audited("--seed", "7")

    text = admin_client.get("/problems/add-one/").content.decode()

    assert 'data-quarantine="stands"' in text
    assert "unsolved</span>" in text
    assert "wrong_answer: test 20" in text
    assert "seed 7" in text
    assert run.key in text
    assert "iteration-2 on test: pass@1 25.0" in text
    call_command("audit_solutions", "--release", bad.key, "--reason", "a wrong test")
    text = admin_client.get("/problems/add-one/").content.decode()
    assert 'data-quarantine="released"' in text
    assert "unsolved</span>" not in text


def test_the_page_of_a_run_says_that_it_trained_on_what_is_quarantined(admin_client: Client):
    make_problem()
    bad = make_solution(program=TABLE)
    run = trained_run(bad)
    page = f"/runs/{run.key}/"
    assert 'id="quarantined"' not in admin_client.get(page).content.decode()

    audited()

    assert 'id="quarantined"' in admin_client.get(page).content.decode()
    assert admin_client.get(page).context["page"].quarantined == ("add-one",)
    call_command("audit_solutions", "--release", bad.key, "--reason", "a wrong test")
    assert 'id="quarantined"' not in admin_client.get(page).content.decode()


def test_an_audit_of_many_problems_goes_in_chunks():
    rows = [make_problem(f"p-{number}") for number in range(70)]
    from qstudio.problems.services import problem_record

    found = list(
        audit(
            {row.slug: [GOOD] for row in rows},
            [problem_record(row) for row in rows],
            AuditPlan(1, 2),
        )
    )

    assert [len(findings) for findings in found] == [64, 6]
    assert {item.outcome for findings in found for item in findings} == {"passed"}
