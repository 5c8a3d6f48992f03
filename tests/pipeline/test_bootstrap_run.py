"""A whole bootstrap run, small and real: its outputs, its report, its resume, and what no policy may see."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.problemsets.demo.family import reference_solutions
from pipeline.records import Attempt, Evaluation, Prompt, RunEvent, Solution, content_hash
from pipeline.rundir import EVENTS, RunDir, read_records
from tests.pipeline.runs import carry_out, make_run, small_family, smoke_config, start


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    rundir = make_run(tmp_path_factory.mktemp("runs") / "whole", smoke_config())
    assert carry_out(rundir) == 0
    return rundir


def report(rundir: RunDir) -> dict:
    return json.loads((rundir.path / "final_report.json").read_text())


def attempts(rundir: RunDir) -> dict[str, Attempt]:
    """All Attempts of a run by id; asserts that none is there twice."""
    found: dict[str, Attempt] = {}
    for path in sorted(rundir.path.rglob("*attempts.jsonl")):
        for attempt in read_records(path, Attempt):
            assert attempt.id not in found, f"{attempt.id} is doubled"
            found[attempt.id] = attempt
    return found


def without_times(found: dict[str, Attempt]) -> dict[str, dict]:
    """Attempts as data, less what a clock put there."""
    rows = {key: attempt.model_dump(mode="json") for key, attempt in found.items()}
    for row in rows.values():
        for execution in row["verdict"]["executions"]:
            execution.pop("duration_s")
    return rows


def test_every_iteration_leaves_its_outputs(finished: RunDir) -> None:
    for index in (1, 2):
        place = finished.path / "iterations" / f"{index:03d}"
        names = {item.name for item in place.iterdir()}
        assert {
            "solved_problems",
            "evaluation",
            "checkpoint",
            "metadata.json",
            "dataset_stats.json",
        } <= names | {
            "solved_problems"  # exists only where something was solved
        }
        assert json.loads((place / "metadata.json").read_text())["index"] == index


def test_the_report_has_the_promised_keys_and_agrees_with_the_records(finished: RunDir) -> None:
    found = report(finished)

    assert found["seeds"] == 12
    assert found["problems_total"] == 24
    assert [item["index"] for item in found["iterations"]] == [1, 2]
    assert found["stopped_because"] in ("maximum", "target", "dry")
    assert found["solved_total"] == found["iterations"][-1]["solved_total"]
    for line in (
        found["base_equal_steps"],
        found["final"],
        *(i["trained"] for i in found["iterations"]),
    ):
        low, high = line["ci"]
        assert low <= line["pass@1"] <= high
    low, high = found["paired"]["ci"]
    assert low <= found["paired"]["diff"] <= high
    assert found["base_equal_steps"]["steps"] == found["iterations"][-1]["trained"]["steps"]


def test_evaluations_count_what_the_attempts_say(finished: RunDir) -> None:
    for path in sorted(finished.path.rglob("evaluation/test.json")):
        evaluation = next(read_records(path, Evaluation))
        counted: dict[str, int] = {}
        for attempt in read_records(path.parent / "test_attempts.jsonl", Attempt):
            counted[attempt.verdict.kind] = counted.get(attempt.verdict.kind, 0) + 1

        assert evaluation.verdicts == counted
        assert sum(counted.values()) == evaluation.n_problems * evaluation.n_samples


def test_events_are_whole_and_in_order(finished: RunDir) -> None:
    events = list(read_records(finished.path / EVENTS, RunEvent))

    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    kinds = [event.kind for event in events]
    assert kinds[0] == "run_started"
    assert (events[-1].kind, events[-1].data["state"]) == ("run_finished", "succeeded")
    assert kinds.count("iteration_finished") == 2
    written = sum(event.data["n"] for event in events if event.kind == "attempts")
    assert written == len(attempts(finished))


def test_no_q_of_an_unsolved_problem_reaches_what_learns(finished: RunDir) -> None:
    """Every text that a tokenizer, a training or a Prompt was made of, against the q that must be found."""
    solved = {s.problem for s in read_records(finished.path / "solutions.jsonl", Solution)}
    reference = reference_solutions()
    train = [m.source for m in small_family() if m.source.split == "train"]
    hidden = [source for source in train if source.slug not in solved]
    assert len(hidden) > 10
    shown = {reference[slug] for slug in solved}
    secrets = {digest(reference[source.slug]) for source in hidden} - {digest(q) for q in shown}
    pairs = {digest(source.statement, reference[source.slug]) for source in hidden}

    texts = json.loads((finished.path / "initial" / "tokenizer_corpus.json").read_text())
    assert not secrets & {digest(text) for text in texts}
    assert not secrets & {
        digest(text.rpartition("<q>")[2])
        for text in (
            prompt.text for prompt in read_records(finished.path / "prompts.jsonl", Prompt)
        )
    }
    for path in [
        finished.path / "initial",
        *sorted((finished.path / "equal_steps_base").glob("0*")),
    ]:
        rows = json.loads((path / "dataset.json").read_text())
        assert rows
        assert not pairs & {digest(statement(row["prompt"]), row["completion"]) for row in rows}


def test_the_check_for_leaks_would_find_one(finished: RunDir) -> None:
    seed = next(read_records(finished.path / "solutions.jsonl", Solution))
    texts = json.loads((finished.path / "initial" / "tokenizer_corpus.json").read_text())
    rows = json.loads((finished.path / "initial" / "dataset.json").read_text())
    source = next(m.source for m in small_family() if m.source.slug == seed.problem)

    assert digest(seed.program) in {digest(text) for text in texts}
    assert digest(source.statement, seed.program) in {
        digest(statement(row["prompt"]), row["completion"]) for row in rows
    }


def digest(*texts: str) -> str:
    return content_hash([text.strip() for text in texts])


def statement(prompt: str) -> str:
    """The description in a Prompt of the demo format."""
    return prompt.partition("<d>")[2].partition("<q>")[0]


def test_what_is_trained_on_was_a_seed_or_accepted_by_then(finished: RunDir) -> None:
    known = list(read_records(finished.path / "solutions.jsonl", Solution))
    for place in ("initial", "iterations/001", "iterations/002"):
        known += read_records(finished.path / place / "solutions.jsonl", Solution)
        programs = {solution.key: solution.program for solution in known}
        rows = json.loads((finished.path / place / "dataset.json").read_text())

        assert {row["origin"] for row in rows} > {"solution"}
        for row in rows:
            assert row["parents"]
            assert set(row["parents"]) <= programs.keys()
            if row["origin"] == "solution":
                assert [row["completion"]] == [programs[key] for key in row["parents"]]


def test_no_test_or_dev_problem_is_trained_on(finished: RunDir) -> None:
    held_out = {m.source.statement for m in small_family() if m.source.split != "train"}
    assert held_out
    for path in sorted(finished.path.rglob("dataset.json")):
        text = path.read_text()
        assert not [statement for statement in held_out if json.dumps(statement)[1:-1] in text]


def _after(kind: str, count: int) -> Callable[[list[RunEvent]], bool]:
    return lambda events: sum(event.kind == kind for event in events) >= count


MOMENTS = {
    "while pretraining": _after("stage_started", 3),
    "while sampling": _after("attempts", 3),
    "after an iteration": _after("iteration_finished", 1),
}


def _watch(rundir: RunDir, process: object) -> Iterator[list[RunEvent]]:
    while process.poll() is None:  # type: ignore[attr-defined]
        yield list(read_records(rundir.path / EVENTS, RunEvent))


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGTERM, "while pretraining"),
        (signal.SIGKILL, "while sampling"),
        (signal.SIGKILL, "after an iteration"),
    ],
    ids=["stopped while pretraining", "killed while sampling", "killed after an iteration"],
)
def test_a_resumed_run_has_the_records_of_one_that_ran_through(
    finished: RunDir, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    rundir = make_run(tmp_path / "cut", smoke_config())
    process = start(rundir)
    for events in _watch(rundir, process):
        if MOMENTS[moment](events):
            break
    os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
    process.communicate()
    assert not (rundir.path / "final_report.json").exists(), (
        "the signal came too late to test anything"
    )
    if number == signal.SIGTERM:
        assert process.returncode == 3

    assert carry_out(rundir) == 0

    assert without_times(attempts(rundir)) == without_times(attempts(finished))
    ours, whole = report(rundir), report(finished)
    assert {**ours, "finished_at": ""} == {**whole, "finished_at": ""}


def test_problems_without_any_seed_are_reported_honestly(tmp_path: Path) -> None:
    rundir = make_run(tmp_path / "bare", smoke_config("loop.max_iterations=1"))
    (rundir.path / "solutions.jsonl").write_text("")

    assert carry_out(rundir) == 0

    found = report(rundir)
    assert (found["seeds"], found["solved_total"]) == (0, 0)
    assert "Nothing was trained" in found["conclusion"]


def test_a_run_without_problems_fails_with_a_sentence(tmp_path: Path) -> None:
    rundir = make_run(tmp_path / "empty", smoke_config())
    (rundir.path / "problems.jsonl").write_text("")

    assert carry_out(rundir) == 1

    last = list(read_records(rundir.path / EVENTS, RunEvent))[-1]
    assert last.kind == "run_finished"
    assert "has no Problems" in last.data["reason"]
