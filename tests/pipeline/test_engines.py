"""Which engine judges: what the environment says of it, and what happens when it goes away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.config import ExecutionConfig, load_preset
from pipeline.engines import engine_settings
from pipeline.errors import GradingError, GradingPaused
from pipeline.judging import Candidate, Judge
from pipeline.rundir import RunDir
from pipeline.suite import TestSuite
from q_runtime import EngineUnavailable
from tests.pipeline.test_grading import SQUARE


def test_the_operator_names_binary_server_and_login(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    environment = {
        "QSTUDIO_Q_BINARY": "/opt/kdb/q",
        "QSTUDIO_KDB_ADDRESS": "kdb:5001",
        "QSTUDIO_KDB_USER": "ada",
        "QSTUDIO_KDB_PASSWORD_FILE": str(secret),
    }
    settings = engine_settings(ExecutionConfig(workers=3), environment)

    assert (settings.q_binary, settings.address) == ("/opt/kdb/q", "kdb:5001")
    assert (settings.user, settings.password, settings.n_workers) == ("ada", "open sesame", 3)


def test_a_password_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"QSTUDIO_KDB_PASSWORD_FILE=.* cannot be read"):
        engine_settings(ExecutionConfig(), {"QSTUDIO_KDB_PASSWORD_FILE": str(tmp_path / "no")})


OUR_Q = Path(__file__).resolve().parents[2] / "q_runtime" / "bin" / "q"
BROKEN = """echo "'2024.05.01T09:30:00.000 licence error: exp"; exit 1"""


def write_q(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def test_programs_wait_for_an_engine_that_went_away_and_are_judged_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary, whole = tmp_path / "q", f'exec {OUR_Q} "$@"'
    monkeypatch.setenv("QSTUDIO_Q_BINARY", str(binary))
    suites = {"square": TestSuite(SQUARE)}
    programs = ["square:{x*x}", "square:{x+x}"]
    candidates = [Candidate("square", program) for program in programs]
    write_q(binary, whole)
    with Judge(ExecutionConfig(engine="kdb_process", workers=1, wait_s=0)) as judge:
        write_q(binary, BROKEN)
        with pytest.raises(GradingPaused, match=r"went away: .* the licence has expired; renew it"):
            judge.judge(candidates, suites)
        write_q(binary, whole)
        verdicts = judge.judge(candidates, suites)

    assert [verdict.kind.value for verdict in verdicts] == ["passed", "wrong_answer"]


@pytest.mark.parametrize(
    ("engine", "environment", "reason"),
    [
        ("kdb_process", {"QSTUDIO_Q_BINARY": "/nowhere/q"}, "there is no program /nowhere/q"),
        ("kdb_process", {"QSTUDIO_Q_BINARY": "BROKEN"}, "the licence has expired; renew it"),
        ("kdb_ipc", {"QSTUDIO_KDB_ADDRESS": "127.0.0.1:1"}, "Connection refused; start q there"),
    ],
)
def test_an_engine_that_is_not_there_pauses_a_run_before_any_attempt(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    environment: dict[str, str],
    reason: str,
) -> None:
    write_q(tmp_path / "q", BROKEN)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("BROKEN", str(tmp_path / "q")))
    config = load_preset("smoke", [f"execution.engine={engine}", "execution.wait_s=0"])
    directory = RunDir.create(tmp_path / "run", config).path
    problem = SQUARE.model_dump_json()
    (directory / "problems.jsonl").write_text(f"{problem}\n", encoding="utf-8")

    assert cli.run_directory(directory) == cli.STOPPED
    last = json.loads((directory / "events.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["data"]["state"]) == ("run_finished", "paused")
    assert f"the q engine '{engine}' cannot be used" in last["data"]["reason"]
    assert reason in last["data"]["reason"]
    assert not list(directory.rglob("*attempts.jsonl"))


def test_an_engine_that_does_not_exist_fails_a_run(tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="there is no q engine 'k4'; choose one of") as caught:
        Judge(ExecutionConfig(engine="k4"))
    assert not isinstance(caught.value, GradingPaused)


def test_a_run_whose_engine_goes_away_is_paused_and_may_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*args: Any) -> None:
        raise GradingPaused("grading is paused: the q engine 'kdb_ipc' went away")

    monkeypatch.setattr(cli, "_work", work)
    directory = RunDir.create(tmp_path / "run", load_preset("smoke")).path

    assert cli.run_directory(directory) == cli.STOPPED
    last = json.loads((directory / "events.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["data"]["state"]) == ("run_finished", "paused")
    assert "went away" in last["data"]["reason"]
