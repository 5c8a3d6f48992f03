"""`load_problems`, `import_problems` and `verify` with the real sandbox and engine."""

from __future__ import annotations

import json
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from pipeline.config import ExecutionConfig
from qstudio.problems import builtin, judging
from qstudio.problems.models import Problem, Solution
from tests.qstudio.factories import make_attempt_record, make_problem, make_run
from tests.qstudio.processes import REPOSITORY

pytestmark = pytest.mark.django_db

ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x: int) -> int:\n    """Double a number."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": (
        "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(5) == 10\n"
        "    assert candidate(0) == 0\n    assert candidate(-3) == -6\n"
    ),
}


def call(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def few(monkeypatch):
    """The built-in sets, cut to their first Problems."""
    cut = {name: lambda load=load: list(load())[:3] for name, load in builtin._SOURCES.items()}
    monkeypatch.setattr(builtin, "_SOURCES", cut)


def test_built_in_sets_are_loaded_once(few):
    assert "starter: 3 Problems (3 created" in call("load_problems")
    assert "demo: 3 Problems (0 created, 0 updated, 3 unchanged)" in call(
        "load_problems", "--set", "demo"
    )

    assert builtin.load_missing() == {}
    assert {row.tests.count() >= 10 for row in Problem.objects.all()} == {True}


def test_no_solution_of_the_demo_set_is_stored(few):
    call("load_problems")

    assert Solution.objects.filter(problem__problem_set="starter").count() == 3
    assert not Solution.objects.filter(problem__problem_set="demo").exists()


def test_problems_of_an_earlier_version_leave_the_set_but_not_the_runs_that_tried_them(few):
    from pathlib import Path

    from pipeline.rundir import RunDir, append_records
    from qstudio.runs.ingest import ingest

    make_problem("old", problem_set="demo")
    make_problem("add-one", problem_set="demo")
    run = make_run()
    directory = RunDir.open(Path(run.directory))
    append_records(directory.path / "attempts.jsonl", [make_attempt_record()])
    directory.event("attempts", "1 Attempt", path="attempts.jsonl", n=1)
    ingest(run)

    call("load_problems", "--set", "demo")

    assert not Problem.objects.filter(slug="old").exists()
    assert Problem.objects.get(slug="add-one").problem_set == "demo-earlier"


def test_a_good_row_is_imported_and_a_bad_one_reported_with_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        json.dumps(ROW) + "\nnot json\n" + json.dumps({"task_id": "HumanEval/1"}) + "\n"
    )

    output = StringIO()
    with pytest.raises(CommandError, match=r"2 of 3 lines of .* could not be read \(line 2, 3\)"):
        call_command("import_problems", str(path), "--format", "humaneval", stdout=output)

    text = output.getvalue()
    assert "1 of 3 rows accepted" in text
    assert "line 2" in text
    assert "line 3" in text
    assert Problem.objects.get().entry_point == "double"


def test_an_import_that_brings_nothing_fails_although_every_line_was_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROW, "test": "def check(candidate):\n    pass\n"}) + "\n")

    with pytest.raises(CommandError, match=r"no row of .* was accepted"):
        call("import_problems", str(path), "--format", "humaneval")


def test_a_second_import_changes_nothing(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    call("import_problems", str(path), "--format", "humaneval")

    *rows, last = json_lines(call("import_problems", str(path), "--format", "humaneval", "--json"))

    assert [row["outcome"] for row in rows] == ["unchanged"]
    assert last["summary"]["accepted"] == 1
    assert Problem.objects.count() == 1


def test_a_dry_run_stores_nothing(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")

    assert "nothing was stored" in call(
        "import_problems", str(path), "--format", "humaneval", "--dry-run"
    )
    assert not Problem.objects.exists()


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(CommandError, match=r"nothing\.jsonl"):
        call("import_problems", str(tmp_path / "nothing.jsonl"), "--format", "mbpp")


def verify(tmp_path, lines: list[str], *arguments: str) -> tuple[list[dict], str]:
    """Rows and the error of `verify --json`."""
    path = tmp_path / "programs.jsonl"
    path.write_text("\n".join(lines) + "\n")
    output, error = StringIO(), ""
    try:
        call_command("verify", str(path), "--json", *arguments, stdout=output)
    except CommandError as raised:
        error = str(raised)
    return json_lines(output.getvalue()), error


def test_programs_are_judged_row_by_row(tmp_path):
    make_problem()
    programs = ["f:{x+1}", "f:{x+2}", "f:{'broken}", ""]
    lines = [json.dumps({"problem": "add-one", "program": program}) for program in programs]

    rows, error = verify(tmp_path, lines)

    kinds = [row["verdict"] for row in rows[:-1]]
    assert kinds == ["passed", "wrong_answer", "q_error", "no_program"]
    assert rows[-1]["summary"]["passed"] == 1
    assert error == "3 of 4 rows did not pass"


@pytest.mark.parametrize(
    ("grader", "kinds"),
    [
        ("value-1", ["passed", "wrong_answer", "passed"]),
        ("text-1", ["passed", "wrong_answer", "wrong_answer"]),
        ("kx-1", ["passed", "passed", "passed"]),
    ],
)
def test_a_grader_judges_under_its_own_name(tmp_path, grader: str, kinds: list[str]):
    make_problem()
    programs = ("f:{x+1}", "f:{x+1f}", 'f:{-1"so";x+1}')

    rows, _ = verify(tmp_path, rows_for(*programs), "--grader", grader)

    assert [row["verdict"] for row in rows[:-1]] == kinds
    assert {row["grader"] for row in rows[:-1]} == {grader}


def test_an_unknown_grader_is_refused(tmp_path):
    with pytest.raises(CommandError, match="invalid choice: 'value-9'"):
        call("verify", str(tmp_path / "programs.jsonl"), "--grader", "value-9")


def test_rows_that_cannot_be_read_are_said_to_be_so(tmp_path):
    make_problem()
    lines = ["{", '{"problem": 1}', json.dumps({"problem": "nothing", "program": "f"})]

    rows, error = verify(tmp_path, lines)

    assert [row["row"] for row in rows[:-1]] == [1, 2, 3]
    assert "not JSON" in rows[0]["reason"]
    assert "there is no Problem 'nothing'" in rows[2]["reason"]
    assert error == "3 of 3 rows did not pass"


def test_when_everything_passes_there_is_no_error(tmp_path):
    make_problem()

    rows, error = verify(tmp_path, [json.dumps({"problem": "add-one", "program": "{1+x}"})])

    assert (rows[0]["verdict"], rows[0]["n_passed"], error) == ("passed", 4, "")


def test_an_engine_that_is_not_there_is_one_sentence(tmp_path):
    make_problem()
    path = tmp_path / "programs.jsonl"
    path.write_text(json.dumps({"problem": "add-one", "program": "{1+x}"}) + "\n")

    with pytest.raises(
        CommandError, match="there is no q engine 'nothing'; choose one of embedded"
    ):
        call("verify", str(path), "--engine", "nothing")


def rows_for(*programs: str) -> list[str]:
    return [json.dumps({"problem": "add-one", "program": program}) for program in programs]


@pytest.fixture
def our_q(monkeypatch):
    """Our own console in the place of the q of kdb+."""
    monkeypatch.setenv("QSTUDIO_Q_BINARY", str(REPOSITORY / "q_runtime" / "bin" / "q"))


def test_another_engine_judges_under_its_own_name(tmp_path, our_q):
    make_problem()

    rows, error = verify(tmp_path, rows_for("f:{x+1}"), "--engine", "kdb_process")

    assert (rows[0]["verdict"], rows[0]["engine"], error) == ("passed", "kdb_process", "")
    assert rows[0]["engine_version"]


def test_a_cross_check_lists_what_two_engines_disagree_on(tmp_path, our_q):
    make_problem()
    programs = ("f:{x+1+.z.w}", "f:{x+2}")  # there is no client, and so no handle, when embedded

    rows, error = verify(tmp_path, rows_for(*programs), "--cross-check", "kdb_process")

    (different,) = (row for row in rows if "disagreement" in row)
    assert (different["row"], different["problem"], different["program"]) == (
        1,
        "add-one",
        programs[0],
    )
    assert different["disagreement"] == "passed against wrong_answer"
    assert {name: side["verdict"] for name, side in different["verdicts"].items()} == {
        "embedded": "passed",
        "kdb_process": "wrong_answer",
    }
    assert rows[-1]["summary"]["disagreements"] == 1
    assert error == "embedded and kdb_process disagree on 1 of 2"


def test_a_cross_check_without_a_disagreement_is_no_error(tmp_path, our_q):
    make_problem()

    rows, error = verify(tmp_path, rows_for("f:{x+2}", "f:{"), "--cross-check", "kdb_process")

    assert rows[-1]["summary"]["disagreements"] == 0
    assert error == ""


def test_an_engine_that_goes_away_gives_no_verdict(tmp_path, monkeypatch):
    make_problem()
    q = tmp_path / "q"
    real = REPOSITORY / "q_runtime" / "bin" / "q"
    mark = tmp_path / "used"
    q.write_text(
        f'#!/bin/sh\n[ -e {mark} ] && echo "k4.lic" && exit 1\n: >{mark}\nexec {real} "$@"\n'
    )
    q.chmod(0o755)
    monkeypatch.setenv("QSTUDIO_Q_BINARY", str(q))
    monkeypatch.setattr(judging, "ExecutionConfig", partial(ExecutionConfig, wait_s=0))

    rows, error = verify(tmp_path, rows_for("f:{x+1}"), "--engine", "kdb_process")

    assert rows == []
    assert "grading is paused: the q engine 'kdb_process' went away" in error
    assert "has no valid licence" in error
