"""`manage.py bootstrap` in the foreground, as a person uses it: to the end, interrupted, resumed, mistaken."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from qstudio.runs.models import Run
from tests.qstudio.factories import make_problem, make_solution
from tests.qstudio.processes import REPOSITORY, System, lives, starts, wait_until


@pytest.fixture
def config(tmp_path: Path) -> Path:
    make_problem("add-one")
    make_problem("add-one-again", n_tests=3)
    make_solution("add-one-again")
    path = tmp_path / "settings.toml"
    path.write_text('name = "mine"\n[problems]\nsets = ["sums"]\n')
    return path


def begin(system: System, *arguments: str) -> subprocess.Popen[str]:
    """Start the command with its output caught."""
    import sys

    process = subprocess.Popen(
        [sys.executable, "manage.py", "bootstrap", *arguments],
        cwd=REPOSITORY,
        env=system.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    system.processes.append(process)  # type: ignore[arg-type]
    return process


def run_to_end(system: System, *arguments: str) -> tuple[int, str, str]:
    process = begin(system, *arguments)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "my-run"


@pytest.fixture
def script(directory: Path):
    """What the stage program is to do in the directory."""

    def write(act: str) -> None:
        directory.mkdir(exist_ok=True)
        (directory / "script.json").write_text(json.dumps({"act": act}))

    return write


def test_it_runs_to_the_end_and_prints_one_json_line(system, config, directory, script):
    script("finish")

    code, output, errors = run_to_end(
        system, "--config", str(config), "--run-dir", str(directory), "--json"
    )

    report = json.loads(output)
    assert code == 0, errors
    assert (report["solved_total"], report["run_dir"]) == (1, str(directory))
    run = Run.objects.get()
    assert (run.state, run.is_headless, run.attempts.count()) == ("succeeded", True, 4)


def test_ctrl_c_saves_and_the_same_command_goes_on(system, config, directory, script):
    script("wait")
    arguments = ("--config", str(config), "--run-dir", str(directory))
    process = begin(system, *arguments)
    wait_until(lambda: (directory / "progress.json").exists(), "it is at work")

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert f"manage.py bootstrap --run-dir {directory}" in errors
    assert Run.objects.get().state == "stopped"
    assert not lives(starts(directory)[0])

    (directory / "go").touch()
    code, output, errors = run_to_end(system, *arguments)
    assert code == 0, errors
    assert "1 of 1 training Problems solved" in output
    assert Run.objects.get().state == "succeeded"
    assert Run.objects.get().attempts.count() == 4


def test_a_failure_is_told_and_is_not_a_success(system, config, directory, script):
    script("fail")

    code, output, errors = run_to_end(
        system, "--config", str(config), "--run-dir", str(directory), "--json"
    )

    assert code == 1
    assert json.loads(output)["state"] == "failed"
    assert "failed: no luck" in errors


def test_a_process_that_ends_without_a_word_is_a_failure(system, config, directory, script):
    script("vanish")

    code, _, errors = run_to_end(system, "--config", str(config), "--run-dir", str(directory))

    assert code == 1
    assert "ended with code 1 and said nothing" in errors


def test_a_directory_without_its_database_row_is_resumed_all_the_same(
    system, config, directory, script
):
    script("finish")
    run_to_end(system, "--config", str(config), "--run-dir", str(directory))
    Run.objects.all().delete()

    code, output, _ = run_to_end(system, "--run-dir", str(directory), "--json")

    assert (code, json.loads(output)["state"]) == (0, "succeeded")
    assert len(starts(directory)) == 1
    assert Run.objects.get().attempts.count() == 4


def test_other_settings_for_a_directory_are_refused(system, config, directory, script):
    script("finish")
    run_to_end(system, "--config", str(config), "--run-dir", str(directory))

    code, _, errors = run_to_end(
        system, "--config", str(config), "--set", "sampling.k=3", "--run-dir", str(directory)
    )

    assert code == 2
    assert "sampling.k is 16 there and 3 here" in errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "nothing"], "unknown preset 'nothing'; choose one of: demo"),
        (["--set", "sampling.k"], "expected NAME=VALUE"),
        (["--set", "sampling.kk=2"], "unknown setting 'sampling.kk'"),
        (["--set", "sampling.k=none"], "setting 'sampling.k' = 'none' is not valid"),
        (
            ["--config", "/does/not/exist.toml"],
            "cannot read the settings file /does/not/exist.toml",
        ),
    ],
)
def test_mistakes_in_the_settings_are_one_sentence(system, arguments, sentence):
    code, output, errors = run_to_end(system, *arguments)

    assert code == 2
    assert output == ""
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
    assert not Run.objects.exists()


def test_a_set_that_is_not_there_is_one_sentence(system, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[problems]\nsets = ["mbpp"]\n')

    code, _, errors = run_to_end(system, "--config", str(path))

    assert code == 1
    assert "there are no Problems in the set 'mbpp'" in errors
