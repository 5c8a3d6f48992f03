"""Which engine judges: what the environment says of it, and what happens when it goes away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.config import ExecutionConfig, load_preset
from pipeline.engines import engine_settings
from pipeline.errors import GradingPaused
from pipeline.rundir import RunDir
from q_runtime import EngineUnavailable


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


def test_a_run_whose_engine_goes_away_stops_and_may_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*args: Any) -> None:
        raise GradingPaused("grading is paused: the q engine 'kdb_ipc' went away")

    monkeypatch.setattr(cli, "_work", work)
    directory = RunDir.create(tmp_path / "run", load_preset("smoke")).path

    assert cli.run_directory(directory) == cli.STOPPED
    last = json.loads((directory / "events.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["data"]["state"]) == ("run_finished", "stopped")
    assert "went away" in last["data"]["reason"]
