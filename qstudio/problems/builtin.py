"""The built-in problem sets as rows: loaded on a first start, and again when the program brings a new version."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from pipeline import problemsets
from pipeline.problemsets.demo import build_family
from pipeline.problemsets.materialise import materialise
from pipeline.problemsets.source import ProblemSource
from pipeline.problemsets.starter_set import load_starter
from pipeline.records import content_hash
from pipeline.rundir import write_json
from q_runtime import PythonPool
from qstudio.problems.models import Problem
from qstudio.problems.services import store_problems, store_solutions

_FOLDER = Path(problemsets.__file__).parent
_NOTE = "problem_sets.json"


def _demo_sources() -> Sequence[ProblemSource]:
    """The demo family without any q: which Problems a Run knows solved depends on its seed (`runs.snapshot`)."""
    return [replace(source, solution=None, seeded=False) for source in build_family(0).problems]


_SOURCES: dict[str, Callable[[], Sequence[ProblemSource]]] = {
    "starter": load_starter,
    "demo": _demo_sources,
}
BUILTIN_SETS = tuple(_SOURCES)


def load_builtin(name: str) -> Counter[str]:
    """Store a built-in set and its Solutions; how many Problems were created, updated, unchanged.

    Raises: RecordError when the set is not in order; nothing of it is stored then.
    """
    sources = _SOURCES[name]()
    with PythonPool() as pool:
        built = materialise(sources, pool)
    outcomes = Counter[str](store_problems(item.problem(name) for item in built).values())
    _retire(name, {source.slug for source in sources})
    solutions = [item.solution(name) for item in built]
    store_solutions(solution for solution in solutions if solution is not None)
    _write_note(name, sets_version())
    return outcomes


def _retire(name: str, slugs: set[str]) -> None:
    """Take Problems of an earlier version out of the set; those that Runs have attempted stay, set aside."""
    gone = [row for row in Problem.objects.filter(problem_set=name) if row.slug not in slugs]
    attempted = set(
        Problem.objects.filter(pk__in=[row.pk for row in gone], attempts__isnull=False).values_list(
            "pk", flat=True
        )
    )
    Problem.objects.filter(pk__in=attempted).update(problem_set=f"{name}-earlier")
    Problem.objects.filter(pk__in=[row.pk for row in gone if row.pk not in attempted]).delete()


def load_missing(names: tuple[str, ...] = BUILTIN_SETS) -> dict[str, Counter[str]]:
    """Load those built-in sets that are absent or were loaded from another version of the program."""
    notes, version = _notes(), sets_version()
    loaded: dict[str, Counter[str]] = {}
    for name in names:
        present = Problem.objects.filter(problem_set=name).exists()
        if not present or notes.get(name) != version:
            loaded[name] = load_builtin(name)
    return loaded


def sets_version() -> str:
    """Changes when the built-in sets, or how their TestCases are made, change: a hash of the files that say so."""
    files = [path for path in sorted(_FOLDER.rglob("*")) if path.suffix in (".py", ".toml")]
    return content_hash(
        [[str(path.relative_to(_FOLDER)), path.read_text(encoding="utf-8")] for path in files]
    )


def _notes() -> dict[str, str]:
    try:
        found = json.loads((Path(settings.DATA_DIR) / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_note(name: str, version: str) -> None:
    write_json(Path(settings.DATA_DIR) / _NOTE, {**_notes(), name: version})
