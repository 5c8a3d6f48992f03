"""What has used a Solution: training sets, the Checkpoints trained on them and what followed, Iterations, Evaluations.

Training sets are read from the run directories, in which a row names the Solutions that it is or was made from by their
keys. Everything else is in the tables. What a Quarantine knows of uses is renewed as the Runs go on (`renew_uses`).
What this deliberately does not do: say what a use was worth.

A use is `{"run", "run_name", "dataset", "rows", "augmented_rows", "checkpoints", "later_checkpoints", "iterations",
"evaluations"}`: `rows` of that training set are the Solution itself, `augmented_rows` were made from it; `checkpoints`
were trained on it and `later_checkpoints` went on from these; `iterations` had a part in either; `evaluations` are
`{"policy", "split", "pass_at_1"}` of all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.rundir import read_json
from qstudio.problems.models import Quarantine, Solution
from qstudio.runs.models import Checkpoint, Run

DATASET = "dataset.json"
Use = dict[str, Any]


def find_uses(keys: Iterable[str]) -> tuple[dict[str, list[Use]], list[str]]:
    """The uses of each Solution by its key, and the Runs whose training sets cannot be read."""
    found: dict[str, list[Use]] = {key: [] for key in keys}
    unread: list[str] = []
    for run in Run.objects.order_by("created_at").prefetch_related("checkpoints", "evaluations"):
        try:
            for key, uses in _uses_of(run, found.keys()).items():
                found[key] += uses
        except (OSError, PipelineError):
            unread.append(run.key)
    return found, unread


def renew_uses(run: Run) -> None:
    """Have the Quarantines that stand know what a Run uses now: one that has begun goes on with what it knew."""
    standing = {row.key: row for row in Quarantine.objects.filter(released_at=None)}
    if not standing:
        return
    try:
        found = _uses_of(run, standing)
    except (OSError, PipelineError):
        return  # what is known of it stays
    for key, quarantine in standing.items():
        others = [use for use in quarantine.uses if use.get("run") != run.key]
        if quarantine.uses != [*others, *found[key]]:
            quarantine.uses = [*others, *found[key]]
            quarantine.save(update_fields=["uses"])


def withdrawn(runs: Iterable[Run]) -> dict[str, int]:
    """How many Problems a Run counts as solved although every Program that solved them is in quarantine now, by key.

    Runs without such Problems are left out. One query where nothing is in quarantine.
    """
    keys = {run.key for run in runs}
    standing = list(Quarantine.objects.filter(released_at=None).values_list("problem_id", "uses"))
    if not standing:
        return {}
    lost = {(use.get("run"), problem) for problem, uses in standing for use in uses}
    problems = {problem for problem, _ in standing}
    known = Solution.objects.filter(problem__in=problems, run_key__in={"", *keys})
    rows = list(known.values_list("run_key", "problem_id", "is_quarantined"))
    lost |= {(run, problem) for run, problem, is_quarantined in rows if is_quarantined}
    kept = {(run, problem) for run, problem, is_quarantined in rows if not is_quarantined}
    return Counter(
        str(run)
        for run, problem in lost
        if run in keys and (run, problem) not in kept and ("", problem) not in kept
    )


def quarantined_problems(run: Run) -> tuple[str, ...]:
    """Slugs of the Problems of which a Run trained on a Program that is in quarantine."""
    standing = Quarantine.objects.filter(released_at=None).values_list("problem__slug", "uses")
    return tuple(
        sorted({slug for slug, uses in standing if any(use.get("run") == run.key for use in uses)})
    )


def _uses_of(run: Run, keys: Iterable[str]) -> dict[str, list[Use]]:
    """The uses that one Run has made of some Solutions. Raises: OSError, PipelineError when it cannot be read."""
    directory = Path(run.directory)
    if not directory.is_dir():
        raise FileNotFoundError(directory)
    found: dict[str, list[Use]] = {key: [] for key in keys}
    for path in _datasets(directory):
        place = path.parent.relative_to(directory)
        for key, n_rows, n_augmented in _counted(read_json(path), found):
            found[key].append(_use(run, place, n_rows, n_augmented))
    return found


def _datasets(directory: Path) -> Iterator[Path]:
    """The training sets of a run directory, in the order in which a Run makes them."""
    for pattern in ("initial", "iterations/*", "equal_steps_base/*"):
        for folder in sorted(directory.glob(pattern)):
            if (folder / DATASET).is_file():
                yield folder / DATASET


def _counted(
    rows: Iterable[Mapping[str, Any]], keys: Iterable[str]
) -> Iterator[tuple[str, int, int]]:
    """Key, own rows and augmented rows of each of the Solutions that a training set holds."""
    own: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for row in rows:
        (own if row.get("origin") == "solution" else made).update(set(row.get("parents", ())))
    for key in keys:
        if own[key] or made[key]:
            yield key, own[key], made[key]


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
