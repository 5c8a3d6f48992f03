"""Importing a file of problems: read rows, observe their tests in the sandbox, prove each reference, build Problems.

Rows go through three rounds in the sandbox, a chunk of rows at a time:

    1  observe    the row's asserts run on its reference (`asserts`); that gives arguments, results and comparators,
                  which must be what the asserts state where the reference is not (`confirming`)
    2  prove      the reference answers every test twice more, on arguments in the types that q will see, and once with
                  the order of its sets reversed (`set_order`)
    3  generate   an input generator inferred from the arguments is tried on the reference (`infer_generator`)

A row is accepted when every assert holds on its own reference, the answers repeat, at least MIN_TESTS different tests
remain, and all arguments and answers exist in q. Everything else is reported for its row in a sentence, and the other
rows go on. What this deliberately does not do: store anything, or verify q solutions that rows bring along.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.comparators import NoComparator, comparator_for_new_inputs
from pipeline.errors import ImportProblemsError
from pipeline.importers import humaneval, jsonl, mbpp, q_humaneval
from pipeline.importers.asserts import COLLECT, MAX_OBSERVATIONS, build_collector
from pipeline.importers.building import (
    Draft,
    TestDraft,
    build_problem,
    draft_tests,
    settle_results,
    with_returns,
)
from pipeline.importers.confirming import confirm
from pipeline.importers.infer_generator import STYLES, check_generated, infer_generator
from pipeline.importers.rows import (
    ImportedRow,
    RowMalformed,
    RowRefused,
    SourceRow,
    parse_python,
    refuse_python_internals,
)
from pipeline.importers.set_order import relax_order, reverse_sets
from pipeline.printable import printable
from pipeline.typed_values import encode_typed
from q_runtime import Limits, PythonJob, PythonPool, PythonResult

READERS: dict[str, Callable[[Mapping[str, Any]], SourceRow]] = {
    "humaneval": humaneval.read_row,
    "mbpp": mbpp.read_row,
    "q-humaneval": q_humaneval.read_row,
    "q-problems": jsonl.read_q_problems_row,
    "jsonl": jsonl.read_jsonl_row,
}
FORMATS = tuple(READERS)
IMPORT_LIMITS = Limits(time_s=10.0)
"""Limits for the pool of an import: a few references of public sets take seconds, more on a busy machine."""
CHUNK_ROWS = 64
MAX_LINE_BYTES = 4_000_000
GENERATOR_SEED = 20
GENERATOR_TRIALS = 40


@dataclass
class _Entry:
    """One row on its way through the rounds."""

    row_number: int
    source_id: str
    row: SourceRow | None = None
    observations: Any = None
    draft: Draft | None = None
    generator: str = ""
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_malformed: bool = False

    @property
    def key(self) -> str:
        return str(self.row_number)


def import_file(path: Path, format_name: str, python_pool: PythonPool) -> Iterator[ImportedRow]:
    """Import a file row by row, in the order of the file; make the pool with IMPORT_LIMITS.

    Raises:
        ImportProblemsError: the format is unknown or the file cannot be read at all.
    """
    if format_name not in READERS:
        raise ImportProblemsError(
            f"the format '{format_name}' is unknown: use one of {', '.join(FORMATS)}"
        )
    rows = list(_read_lines(path))
    foreign = _find_foreign(format_name, rows)
    entries = (_read_entry(number, row, foreign, format_name) for number, row in rows)
    seen: dict[str, int] = {}
    while chunk := list(islice(entries, CHUNK_ROWS)):
        _refuse_repeated(chunk, seen)
        _observe(chunk, python_pool)
        _prove(chunk, python_pool)
        _relax_order(chunk, python_pool)
        _generate(chunk, python_pool)
        yield from map(_finish, chunk)


def _read_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Line numbers with the decoded row, or with the sentence that says why there is none."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _decode_line(line)
    except OSError as error:
        raise ImportProblemsError(
            f"the file {path} cannot be read ({error.strerror or error}): check its name and permissions"
        ) from error


def _decode_line(line: bytes) -> Mapping[str, Any] | str:
    if len(line) > MAX_LINE_BYTES:
        return f"the line has {len(line)} bytes, more than the {MAX_LINE_BYTES} that a row may have"
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        return "the line is not UTF-8 text"
    except json.JSONDecodeError as error:
        return f"the line is not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError):
        return "the line is not JSON that can be read: too deep, or a number of thousands of digits"
    return row if isinstance(row, dict) else "the line is JSON, but not an object with fields"


def _find_foreign(
    format_name: str, rows: Sequence[tuple[int, Mapping[str, Any] | str]]
) -> dict[int, str]:
    """Line numbers of rows that carry another row's description; only q-humaneval is known for it."""
    if format_name != "q-humaneval":
        return {}
    found = q_humaneval.find_foreign_descriptions(
        [None if isinstance(row, str) else row for _, row in rows]
    )
    return {rows[position][0]: sentence for position, sentence in found.items()}


def _read_entry(
    number: int,
    row: Mapping[str, Any] | str,
    foreign: Mapping[int, str],
    format_name: str,
) -> _Entry:
    if isinstance(row, str):
        return _Entry(number, "", reasons=[row], is_malformed=True)
    identifier = row.get("task_id", row.get("id", row.get("problem_id", "")))
    prefix = f"{format_name}/" if isinstance(identifier, int) else ""
    entry = _Entry(number, f"{prefix}{identifier}"[:100])
    if number in foreign:
        entry.reasons.append(foreign[number])
    try:
        entry.row = READERS[format_name](row)
        entry.source_id = entry.row.source_id
        refuse_python_internals(parse_python(entry.row.reference, "the reference"))
    except RowRefused as refusal:
        entry.reasons += refusal.reasons
        entry.is_malformed = isinstance(refusal, RowMalformed)
    return entry


def _refuse_repeated(chunk: Iterable[_Entry], seen: dict[str, int]) -> None:
    """A slug names one Problem: a second row of the same name is refused."""
    for entry in chunk:
        if entry.row is not None:
            first = seen.setdefault(entry.row.slug, entry.row_number)
            if first != entry.row_number:
                entry.reasons.append(f"line {first} has the same id; only the first counts")


def _open(chunk: Iterable[_Entry]) -> list[_Entry]:
    return [entry for entry in chunk if not entry.reasons]


def _run(pool: PythonPool, jobs: Iterable[PythonJob]) -> dict[str, PythonResult]:
    return {result.key: result for result in pool.run(jobs)}


def _observe(chunk: Iterable[_Entry], pool: PythonPool) -> None:
    """Round 1: the asserts become observations, and these the row's draft."""
    entries = {entry.key: entry for entry in _open(chunk)}
    jobs = (
        PythonJob(key, source=_observing_source(entry.row), expressions=(COLLECT,))
        for key, entry in entries.items()
        if entry.row is not None
    )
    results = _run(pool, jobs)
    stated = _state_alone(entries, pool)
    for key, entry in entries.items():
        try:
            if entry.row is not None:
                entry.observations = _observations(results[key])
                entry.draft = draft_tests(entry.row, entry.observations)
                is_complete = len(entry.observations) < MAX_OBSERVATIONS
                confirm(entry.observations, stated.get(key), is_complete)
        except RowRefused as refusal:
            entry.reasons += refusal.reasons


def _state_alone(entries: Mapping[str, _Entry], pool: PythonPool) -> dict[str, Any]:
    """What the asserts of each row demand by themselves, evaluated where its reference is not."""
    jobs = (
        PythonJob(key, source=_observing_source(replace(row, reference="")), expressions=(COLLECT,))
        for key, entry in entries.items()
        if (row := entry.row) is not None and row.reference
    )
    return {
        key: result.expressions[0].value
        for key, result in _run(pool, jobs).items()
        if result.load.status == "ok" and result.expressions[0].status == "ok"
    }


def _observing_source(row: SourceRow) -> str:
    collector = build_collector(row.tests, row.candidate, row.entry_point, bool(row.reference))
    return "\n".join([row.reference, row.setup, collector])


def _observations(result: PythonResult) -> Any:
    """The encoded list of observations; refuses the row when there is none."""
    if result.load.status != "ok":
        raise RowRefused(f"the reference cannot be loaded: {_cause(result.load)}")
    collected = result.expressions[0]
    if collected.status != "ok":
        raise RowRefused(f"the tests cannot be run on the reference: {_cause(collected)}")
    return collected.value


def _cause(execution: Any) -> str:
    """Status and error of an execution as part of a sentence."""
    names = {"time_limit": "it takes too long", "memory_limit": "it takes too much memory"}
    return names.get(execution.status) or execution.error or str(execution.status)


def _prove(chunk: Iterable[_Entry], pool: PythonPool) -> None:
    """Round 2; a row that fails it with ints made floats gets a second chance with both kinds as they were."""
    second_chance: list[_Entry] = []
    for entry, refusal in _settle(_open(chunk), pool):
        if entry.row is None or entry.draft is None:
            continue
        as_they_were = draft_tests(entry.row, entry.observations, keeps_kinds=True)
        if as_they_were.param_types == entry.draft.param_types:
            entry.reasons += refusal.reasons
        else:
            entry.draft = as_they_were
            second_chance.append(entry)
    for entry, refusal in _settle(second_chance, pool):
        entry.reasons += refusal.reasons


def _settle(entries: Sequence[_Entry], pool: PythonPool) -> list[tuple[_Entry, RowRefused]]:
    """Have each test answered twice; rows without a reference stand on what they state. Returns the refusals."""
    jobs = (
        PythonJob(
            entry.key,
            entry.row.reference,
            entry.row.entry_point,
            _encode_calls(entry.draft.tests) * 2,
        )
        for entry in entries
        if entry.row is not None and entry.row.reference and entry.draft is not None
    )
    results = _run(pool, jobs)
    refused: list[tuple[_Entry, RowRefused]] = []
    for entry in entries:
        try:
            if entry.draft is not None:
                calls = results[entry.key].calls if entry.key in results else None
                entry.draft = settle_results(entry.draft, calls)
        except RowRefused as refusal:
            refused.append((entry, refusal))
    return refused


def _encode_calls(tests: Iterable[TestDraft]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(map(encode_typed, test.arguments)) for test in tests)


def _relax_order(chunk: Iterable[_Entry], pool: PythonPool) -> None:
    """Part of round 2: where only the order in which Python keeps a set decides, order does not count."""
    variants = {
        entry.key: (entry, source)
        for entry in _open(chunk)
        if entry.row is not None and (source := reverse_sets(entry.row.reference)) is not None
    }
    jobs = (
        PythonJob(key, source, entry.row.entry_point, _encode_calls(entry.draft.tests))
        for key, (entry, source) in variants.items()
        if entry.row is not None and entry.draft is not None
    )
    results = _run(pool, jobs)
    for key, (entry, _) in variants.items():
        try:
            if entry.draft is not None:
                entry.draft = relax_order(entry.draft, results[key].calls)
        except RowRefused as refusal:
            entry.reasons += refusal.reasons


def _generate(chunk: Iterable[_Entry], pool: PythonPool) -> None:
    """Round 3: the row's own generator, or inferred ones from bold to careful until the reference bears one."""
    waiting = {
        entry.key: entry
        for entry in _open(chunk)
        if entry.row is not None and entry.row.reference and _says_how_to_compare(entry)
    }
    for style in STYLES:
        sources = {key: _generator_source(entry, style) for key, entry in waiting.items()}
        results = _run(pool, (_trial(waiting[key], source) for key, source in sources.items()))
        for key, source in sources.items():
            entry = waiting[key]
            if entry.draft is None:
                continue
            trial = check_generated(results[key].calls, entry.draft)
            if trial.objection:
                entry.notes = entry.notes or [f"no input generator: {trial.objection}"]
            else:
                entry.notes = []
                entry.generator = source
                entry.draft = with_returns(entry.draft, trial.answers)
                del waiting[key]


def _says_how_to_compare(entry: _Entry) -> bool:
    """Whether the tests say how answers to fresh inputs are compared; a row that brings a generator must say it."""
    if entry.row is None or entry.draft is None:
        return True
    try:
        comparator_for_new_inputs(test.comparator for test in entry.draft.tests)
    except NoComparator as error:
        if entry.row.generator:
            entry.reasons.append(
                f"it has a generator, but {error}: nothing says which answers to a fresh input are right, "
                "so leave out the generator, or give every assert one answer and the same form"
            )
        else:
            entry.notes.append(f"no input generator: {error}")
        return False
    return True


def _generator_source(entry: _Entry, style: str) -> str:
    if entry.row is None or entry.draft is None:
        raise ValueError("only a row that was proved has a generator")
    observed = [test.arguments for test in entry.draft.tests]
    return entry.row.generator or infer_generator(observed, entry.draft.param_types, style)


def _trial(entry: _Entry, source: str) -> PythonJob:
    if entry.row is None:
        raise ValueError("only a row that was read has a reference")
    return PythonJob(
        entry.key,
        source=entry.row.reference,
        entry_point=entry.row.entry_point,
        generator={"source": source, "seed": GENERATOR_SEED, "count": GENERATOR_TRIALS},
    )


def _finish(entry: _Entry) -> ImportedRow:
    problem = None
    if not entry.reasons and entry.row is not None and entry.draft is not None:
        problem = build_problem(entry.row, entry.draft, entry.generator)
    return ImportedRow(
        row_number=entry.row_number,
        source_id=entry.source_id,
        problem=problem,
        accepted=problem is not None,
        reasons=tuple(map(printable, entry.notes if problem is not None else entry.reasons)),
        solution=entry.row.solution if entry.row is not None else None,
        is_malformed=entry.is_malformed,
    )
