"""Runs hostile code through the real path of grading or importing, with fair code after each, and says what came of it.

q Programs go through the `Judge` to a Verdict on the Problem `canary`; the one worker serves hostile and fair Programs
alike. Python references go through the import of a row whose asserts contradict them. A trial knows three ways to
fail: an escape, a wrong pass, and a fair one that does not pass any more.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import ExecutionConfig
from pipeline.importers import ImportedRow, import_file
from pipeline.judging import Candidate, Judge
from pipeline.records import Problem, Verdict, VerdictKind
from pipeline.suite import TestSuite
from q_runtime import Limits, PythonPool
from tests.q_runtime.hostile.canary import (
    ANSWERS,
    FAIR_REFERENCE,
    canary_problem,
    canary_row,
    fair_program,
)
from tests.q_runtime.hostile.cases import Case, load_cases
from tests.q_runtime.hostile.surroundings import Surroundings

TIME_S = 1.0
MEMORY_MB = 256
OUTPUT_BYTES = 65_536


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    case: Case
    verdicts: tuple[str, ...]
    """One per source: the Verdict's name, or why the row was refused."""
    escapes: tuple[str, ...]
    wrong_passes: tuple[str, ...]
    excuses: tuple[str, ...]
    """Verdicts that cost nothing and were earned by harming us: `infra_error`."""
    unfair: tuple[str, ...]
    """Fair code that did not pass afterwards."""

    @property
    def is_good(self) -> bool:
        """Tell that nothing went wrong."""
        return not (self.escapes or self.wrong_passes or self.excuses or self.unfair)


def try_q(
    surroundings: Surroundings,
    problem: Problem | None = None,
    chosen: Callable[[Case], bool] = lambda case: True,
) -> Iterator[Outcome]:
    """Judge every hostile Program, a fair one after each."""
    suites = {"canary": TestSuite(problem or canary_problem())}
    execution = ExecutionConfig(
        workers=1, time_s=TIME_S, memory_mb=MEMORY_MB, output_bytes=OUTPUT_BYTES
    )
    n_fair = 0
    with Judge(execution) as judge:
        judge.judge([Candidate("canary", fair_program(0))], suites)
        surroundings.remember_processes()
        for case in filter(chosen, load_cases("q", surroundings.offered)):
            verdicts: list[Verdict] = []
            unfair: list[str] = []
            for source in case.sources:
                n_fair += 1
                candidates = [
                    Candidate("canary", source),
                    Candidate("canary", fair_program(n_fair)),
                ]
                hostile, fair = judge.judge(candidates, suites)
                verdicts.append(hostile)
                if fair.kind is not VerdictKind.PASSED:
                    unfair.append(f"{source}: a fair Program got {fair.kind.value} {fair.reason}")
            yield Outcome(
                case=case,
                verdicts=tuple(verdict.kind.value for verdict in verdicts),
                escapes=tuple(
                    surroundings.traces("".join(item.model_dump_json() for item in verdicts))
                ),
                wrong_passes=_sources_with(case, verdicts, VerdictKind.PASSED),
                excuses=_sources_with(case, verdicts, VerdictKind.INFRA_ERROR),
                unfair=tuple(unfair),
            )


def try_python(
    surroundings: Surroundings, chosen: Callable[[Case], bool] = lambda case: True
) -> Iterator[Outcome]:
    """Import every hostile reference, a fair one beside it and after it."""
    limits = Limits(time_s=TIME_S, memory_mb=MEMORY_MB, output_bytes=OUTPUT_BYTES)
    with PythonPool(2, limits) as pool, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        _import(pool, path, FAIR_REFERENCE)
        surroundings.remember_processes()
        for case in filter(chosen, load_cases("python", surroundings.offered)):
            rows: list[ImportedRow] = []
            unfair: list[str] = []
            for source in case.sources:
                hostile, *fair = _import(pool, path, source, FAIR_REFERENCE, FAIR_REFERENCE)
                rows.append(hostile)
                unfair += [f"{source}: {reason}" for row in fair if (reason := _fault_of(row))]
            yield Outcome(
                case=case,
                verdicts=tuple("accepted" if row.accepted else row.reasons[0] for row in rows),
                escapes=tuple(surroundings.traces("".join(map(_all_of, rows)))),
                wrong_passes=tuple(
                    source for source, row in zip(case.sources, rows, strict=True) if row.accepted
                ),
                excuses=tuple(
                    source
                    for source, row in zip(case.sources, rows, strict=True)
                    if any("lost" in reason for reason in row.reasons)
                ),
                unfair=tuple(unfair),
            )


def _sources_with(case: Case, verdicts: list[Verdict], kind: VerdictKind) -> tuple[str, ...]:
    return tuple(
        f"{source[:200]}  ({verdict.reason})"
        for source, verdict in zip(case.sources, verdicts, strict=True)
        if verdict.kind is kind
    )


def _import(pool: PythonPool, path: Path, *references: str) -> list[ImportedRow]:
    rows = [canary_row(f"row-{number}", text) for number, text in enumerate(references)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return list(import_file(path, "jsonl", pool))


def _all_of(row: ImportedRow) -> str:
    """All that came back from a row's reference."""
    problem = row.problem.model_dump_json(exclude={"reference"}) if row.problem else ""
    return " ".join([*row.reasons, problem])


def _fault_of(row: ImportedRow) -> str:
    """What is wrong with a fair row; empty when it became the right Problem."""
    if row.problem is None:
        return f"a fair row was refused: {'; '.join(row.reasons)}"
    answers = [(list(test.arguments), test.expected) for test in row.problem.tests]
    wanted = [([numbers], answer) for numbers, answer in ANSWERS]
    return "" if answers == wanted else f"a fair row has the answers {answers}"
