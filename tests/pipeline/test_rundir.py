"""The run directory survives crashes at any byte and says what is wrong with a disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.config import load_preset
from pipeline.errors import RecordError, RunDirError
from pipeline.records import RunEvent
from pipeline.rundir import EVENTS, RunDir, append_lines, read_json, read_records, write_json


@pytest.fixture
def rundir(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "run", load_preset("smoke"))


def test_the_settings_come_back_as_they_were(rundir: RunDir) -> None:
    assert RunDir.open(rundir.path).config() == load_preset("smoke")


def test_a_directory_with_a_run_is_not_taken_for_another(rundir: RunDir) -> None:
    with pytest.raises(RunDirError, match="already holds a run"):
        RunDir.create(rundir.path, load_preset("demo"))

    assert rundir.config() == load_preset("smoke")


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirError, match="holds no run"):
        RunDir.open(tmp_path)


def test_events_are_numbered_on_after_a_restart(rundir: RunDir) -> None:
    rundir.event("warning", "first")
    rundir.event("warning", "second")

    RunDir.open(rundir.path).event("warning", "third")

    events = list(read_records(rundir.path / EVENTS, RunEvent))
    assert [(event.seq, event.message) for event in events] == [
        (1, "first"),
        (2, "second"),
        (3, "third"),
    ]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_owed_again(rundir: RunDir, cut: int) -> None:
    rundir.event("warning", "whole")
    rundir.event("warning", "torn by a crash in the middle of the write")
    path = rundir.path / EVENTS
    path.write_bytes(path.read_bytes()[:-cut])

    assert [event.message for event in read_records(path, RunEvent)] == ["whole"]
    RunDir.open(rundir.path).event("warning", "after")

    assert [(e.seq, e.message) for e in read_records(path, RunEvent)] == [
        (1, "whole"),
        (2, "after"),
    ]


def test_a_torn_line_longer_than_one_read_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"x" * 200_000)

    append_lines(path, ['{"a": 2}'])

    assert path.read_text() == '{"a": 1}\n{"a": 2}\n'


def test_a_foreign_line_is_named_by_number(rundir: RunDir) -> None:
    rundir.event("warning", "fine")
    append_lines(rundir.path / EVENTS, [json.dumps({"seq": "no"})])

    with pytest.raises(RecordError, match=r"events.jsonl line 2 is not a RunEvent"):
        list(read_records(rundir.path / EVENTS, RunEvent))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})

    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert read_json(path) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["value.json"]


def test_a_request_is_heard_and_withdrawn(rundir: RunDir) -> None:
    assert rundir.requested() is None
    rundir.request("stop")
    assert rundir.requested() == "stop"
    rundir.request(None)
    assert rundir.requested() is None


def test_a_full_disk_is_called_a_full_disk() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")

    with pytest.raises(RunDirError, match="the disk is full"):
        append_lines(full, ["line"])


def test_logs_are_numbered_per_process(rundir: RunDir) -> None:
    first = rundir.next_log()
    first.touch()

    assert [first.name, rundir.next_log().name] == ["attempt_1.log", "attempt_2.log"]
