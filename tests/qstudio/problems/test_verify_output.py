"""`verify --output`: Verdicts are kept on disk, and survive the end of the process that judges."""

from __future__ import annotations

import json
import random
import signal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.qstudio.factories import make_problem
from tests.qstudio.processes import wait_until

N_PROGRAMS = 1200
KILLED_AFTER = (1, 900)
"""How many Verdicts are there when the process is killed: something between these."""


def programs(n: int) -> list[str]:
    """Different Programs of which every third is right, some wrong and some broken."""
    bodies = ("x+1+0*{n}", "x+{n}+2", "'`e{n}", "x+1 /{n}", "x+`{n}", "{n}")
    return [f"f:{{{bodies[n % len(bodies)].replace('{n}', str(n))}}}" for n in range(n)]


def write_rows(path: Path, rows: list[str]) -> Path:
    lines = (json.dumps({"problem": "add-one", "program": program}) for program in rows)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def verify(path: Path, output: Path, *arguments: str) -> list[str]:
    """What `verify --output --json` prints, line by line; not every Program passes."""
    told = StringIO()
    with pytest.raises(CommandError, match="did not pass"):
        call_command(
            "verify", str(path), "--json", "--output", str(output), *arguments, stdout=told
        )
    return told.getvalue().splitlines()


def whole_lines(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1] if path.exists() else []


@pytest.mark.django_db
def test_what_is_written_is_what_is_told_and_is_not_judged_again(tmp_path, monkeypatch):
    make_problem()
    path, output = write_rows(tmp_path / "in.jsonl", programs(50)), tmp_path / "out.jsonl"
    first = verify(path, output)
    written = output.read_bytes()
    monkeypatch.setattr("qstudio.problems.judging.Judge", None)

    assert verify(path, output) == first
    assert output.read_bytes() == written
    assert [json.loads(line)["row"] for line in whole_lines(output)] == list(range(1, 51))


@pytest.mark.django_db
def test_a_torn_line_is_owed_again(tmp_path):
    make_problem()
    path, output = write_rows(tmp_path / "in.jsonl", programs(50)), tmp_path / "out.jsonl"
    first = verify(path, output)
    written = output.read_bytes()
    output.write_bytes(written[:-40])

    assert verify(path, output) == first
    assert output.read_bytes() == written


@pytest.mark.django_db
def test_verdicts_on_something_else_are_not_mixed_in(tmp_path):
    make_problem()
    path, output = write_rows(tmp_path / "in.jsonl", ["f:{x}", "f:{x+2}"]), tmp_path / "out.jsonl"
    verify(path, output)
    write_rows(path, ["f:{x}", "f:{x+3}"])

    with pytest.raises(CommandError, match="on line 2 under another Program"):
        call_command("verify", str(path), "--output", str(output))
    with pytest.raises(CommandError, match="on line 1 under another"):
        call_command("verify", str(path), "--output", str(output), "--grader", "kx-1")
    output.write_text('{"row": 1}\n')
    with pytest.raises(CommandError, match="is not a Verdict that verify wrote"):
        call_command("verify", str(path), "--output", str(output))
    with pytest.raises(CommandError, match="leave out --cross-check"):
        call_command("verify", str(path), "--output", str(output), "--cross-check", "kdb_ipc")


def test_a_thousand_verdicts_survive_kill_9_with_nothing_lost_or_counted_twice(system, tmp_path):
    make_problem()
    path = write_rows(tmp_path / "in.jsonl", programs(N_PROGRAMS))
    output = tmp_path / "out.jsonl"
    moments = sorted(random.Random().sample(range(*KILLED_AFTER), 2))
    kept: list[str] = []
    for moment in moments:
        process = system.start("verify", str(path), "--output", str(output))
        wait_until(lambda n=moment: len(whole_lines(output)) >= n, f"{moment} Verdicts on disk")
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = whole_lines(output)

        assert now[: len(kept)] == kept, moments
        kept = now
    process = system.start("verify", str(path), "--output", str(output))
    process.wait()
    uninterrupted = tmp_path / "uninterrupted.jsonl"
    verify(path, uninterrupted)

    assert whole_lines(output)[: len(kept)] == kept, moments
    assert output.read_text() == uninterrupted.read_text(), moments
    assert len(whole_lines(output)) == N_PROGRAMS
    wait_until(lambda: not system.survivors(), "the killed process's workers ended")
