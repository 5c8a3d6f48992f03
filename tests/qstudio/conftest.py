"""Fixtures of the web project's tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from qstudio.runs.launch import create_run
from qstudio.runs.models import Run
from tests.qstudio.factories import make_config, make_problem, make_solution
from tests.qstudio.processes import STAGE_COMMAND, System


@pytest.fixture(autouse=True)
def outputs(settings: Any, tmp_path: Path) -> Path:
    """Run directories of a test lie in its own folder."""
    settings.DATA_DIR = tmp_path
    settings.OUTPUTS_DIR = tmp_path / "outputs"
    settings.RUN_COMMAND = STAGE_COMMAND
    return settings.OUTPUTS_DIR


@pytest.fixture
def system(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[System]:
    """Processes over the test's database, which the test sees as well."""
    cache.clear()
    found = System(str(connection.settings_dict["NAME"]), tmp_path, settings.SECRET_KEY)
    yield found
    found.close()


@pytest.fixture
def new_run() -> Callable[..., Run]:
    """Makes a queued Run over one Problem whose process will do as told (`stage_program`)."""

    def make(act: str = "finish", **fields: Any) -> Run:
        make_problem("add-one")
        make_problem("add-one-again", n_tests=3)
        make_solution("add-one-again")
        run = create_run(make_config(), **fields)
        Path(run.directory, "script.json").write_text(json.dumps({"act": act}), encoding="utf-8")
        return run

    return make
