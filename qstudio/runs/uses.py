"""What has used a Solution: training sets, the Checkpoints trained on them and what followed, Iterations, Evaluations.

Training sets are read from the run directories: a row names its Solution by key, or, made from accepted Programs of the
demo family, the Problems of these. Everything else is in the tables. What this deliberately does not do: say what a
use was worth.

A use is `{"run", "run_name", "dataset", "rows", "augmented_rows", "checkpoints", "later_checkpoints", "iterations",
"evaluations"}`: `rows` of that training set are the Solution itself, `augmented_rows` may come from it; `checkpoints`
were trained on it and `later_checkpoints` went on from these; `iterations` had a part in either; `evaluations` are
`{"policy", "split", "pass_at_1"}` of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.rundir import read_json
from qstudio.problems.models import Quarantine
from qstudio.runs.models import Checkpoint, Run

DATASET = "dataset.json"
Use = dict[str, Any]


def find_uses(solutions: Mapping[str, str]) -> tuple[dict[str, list[Use]], list[str]]:
    """The uses of each Solution by its key, and the Runs whose training sets cannot be read; takes keys with slugs."""
    found: dict[str, list[Use]] = {key: [] for key in solutions}
    unread: list[str] = []
    for run in Run.objects.order_by("created_at").prefetch_related("checkpoints", "evaluations"):
        directory = Path(run.directory)
        try:
            if not directory.is_dir():
                raise FileNotFoundError(directory)
            datasets = {path: read_json(path) for path in _datasets(directory)}
        except (OSError, PipelineError):
            unread.append(run.key)
            continue
        for path, rows in datasets.items():
            for key, n_rows, n_augmented in _counted(rows, solutions):
                place = path.parent.relative_to(directory)
                found[key].append(_use(run, place, n_rows, n_augmented))
    return found, unread


def quarantined_problems(run: Run) -> tuple[str, ...]:
    """Slugs of the Problems of which a Run trained on a Program that is in quarantine."""
    standing = Quarantine.objects.filter(released_at=None).values_list("problem__slug", "uses")
    return tuple(
        sorted({slug for slug, uses in standing if any(use.get("run") == run.key for use in uses)})
    )


def _datasets(directory: Path) -> Iterator[Path]:
    """The training sets of a run directory, in the order in which a Run makes them."""
    for pattern in ("initial", "iterations/*", "equal_steps_base/*"):
        for folder in sorted(directory.glob(pattern)):
            if (folder / DATASET).is_file():
                yield folder / DATASET


def _counted(
    rows: Iterable[Mapping[str, Any]], solutions: Mapping[str, str]
) -> Iterator[tuple[str, int, int]]:
    """Key, own rows and augmented rows of each of the Solutions that a training set holds."""
    own: dict[str, int] = {}
    from_problem: dict[str, int] = {}
    for row in rows:
        counts = own if row.get("origin") == "solution" else from_problem
        for parent in set(row.get("parents", ())):
            counts[parent] = counts.get(parent, 0) + 1
    for key, slug in solutions.items():
        if own.get(key):
            yield key, own[key], from_problem.get(slug, 0)


def _use(run: Run, place: Path, n_rows: int, n_augmented: int) -> Use:
    checkpoints = list(run.checkpoints.all())
    trained = [item for item in checkpoints if Path(item.path).parent == place]
    later = _descendants(checkpoints, {item.key for item in trained})
    policies = {item.key for item in (*trained, *later)}
    iterations = {item.iteration for item in (*trained, *later) if item.iteration > 0}
    if place.parts[0] == "iterations":
        iterations.add(int(place.name))
    return {
        "run": run.key,
        "run_name": run.name,
        "dataset": (place / DATASET).as_posix(),
        "rows": n_rows,
        "augmented_rows": n_augmented,
        "checkpoints": [item.key for item in trained],
        "later_checkpoints": [item.key for item in later],
        "iterations": sorted(iterations),
        "evaluations": [
            {
                "policy": evaluation.policy,
                "split": evaluation.split,
                "pass_at_1": (evaluation.record.get("pass_at", {}).get("1") or {}).get("value"),
            }
            for evaluation in run.evaluations.all()
            if evaluation.policy in policies
        ],
    }


def _descendants(checkpoints: Iterable[Checkpoint], keys: set[str]) -> list[Checkpoint]:
    """Checkpoints that went on from some, directly or not; a parent is always older than its children."""
    reached, found = set(keys), []
    for checkpoint in checkpoints:
        if checkpoint.parent in reached and checkpoint.key not in keys:
            reached.add(checkpoint.key)
            found.append(checkpoint)
    return found
