"""Which part may import which: the rules that keep the engine, the pipeline and the web project apart.

An import may point down only. What a package may never import is stated here once, as dotted prefixes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.architecture.tree import Import, imports_in, imports_of, sources

HEAVY = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "vllm",
    "datasets",
    "accelerate",
    "tokenizers",
    "bitsandbytes",
)

FORBIDDEN = {
    "pipeline": ("django", "qstudio"),
    "qstudio": ("pipeline.stages", "pipeline.generators", "pipeline.trainers", *HEAVY),
    "manage.py": HEAVY,
    # Apps, from the lowest up: review may import runs, runs may import problems, all may import core.
    "qstudio/core": ("qstudio.problems", "qstudio.runs", "qstudio.review"),
    "qstudio/problems": ("qstudio.runs", "qstudio.review"),
    "qstudio/runs": ("qstudio.review",),
    # Inside the engine. A primitive that applies a function is handed `apply`; it does not import the evaluator.
    "q_runtime/errors.py": ("q_runtime",),
    "q_runtime/values": tuple(
        f"q_runtime.{name}"
        for name in ("lang", "prims", "evaluate", "sandbox", "kdb", "ipc", "session")
    ),
    "q_runtime/lang": tuple(
        f"q_runtime.{name}" for name in ("prims", "evaluate", "sandbox", "kdb", "ipc", "session")
    ),
    "q_runtime/prims": tuple(
        f"q_runtime.{name}" for name in ("evaluate", "sandbox", "kdb", "ipc", "session")
    ),
    "q_runtime/evaluate": tuple(
        f"q_runtime.{name}" for name in ("sandbox", "kdb", "ipc", "session")
    ),
    # The host's side of the wire: it serves sessions and knows nothing of workers; no session knows that it is served.
    "q_runtime/session.py": ("q_runtime.ipc", "q_runtime.sandbox", "q_runtime.kdb"),
    "q_runtime/ipc": ("q_runtime.sandbox", "q_runtime.kdb"),
    "q_runtime/sandbox": ("q_runtime.ipc", "q_runtime.kdb"),
    # Inside the pipeline. Records and errors are at the bottom; a stage meets engines through their base modules.
    "pipeline/errors.py": ("pipeline", "q_runtime"),
    "pipeline/records.py": (
        "pipeline.stages",
        "pipeline.config",
        "pipeline.rundir",
        "pipeline.cli",
    ),
    "pipeline/config.py": ("pipeline.stages", "pipeline.rundir", "pipeline.cli"),
    "pipeline/rundir.py": ("pipeline.stages", "pipeline.cli"),
    "pipeline/generators": ("pipeline.stages", "pipeline.cli"),
    "pipeline/trainers": ("pipeline.stages", "pipeline.cli"),
    "pipeline/stages": ("pipeline.cli",),
}

ENGINE_MAY_IMPORT = {*sys.stdlib_module_names, "numpy", "q_runtime"}
MAY_IMPORT_HEAVY = (Path("pipeline/generators"), Path("pipeline/trainers"))


def is_under(name: str, prefix: str) -> bool:
    """True for the module `prefix` itself and for what lies in it."""
    return name == prefix or name.startswith(prefix + ".")


def breaks_a_rule(item: Import) -> bool:
    """True when the file that the import stands in may not import that name."""
    return any(
        is_under(item.name, prefix)
        for place, prefixes in FORBIDDEN.items()
        if item.path.is_relative_to(place)
        for prefix in prefixes
    )


def test_no_import_points_upward():
    assert [
        str(item) for path in sources() for item in imports_of(path) if breaks_a_rule(item)
    ] == []


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("pipeline/grading.py", "from qstudio.runs import models"),
        ("pipeline/stages/sft.py", "def run():\n    import django.db"),
        ("qstudio/problems/views.py", "from ..runs import models"),
        ("qstudio/runs/tasks.py", "if True:\n    from pipeline import stages"),
        ("q_runtime/prims/lists.py", "from q_runtime.evaluate.apply import apply"),
        ("q_runtime/evaluate/apply.py", "def f():\n    from q_runtime.ipc import connect"),
    ],
)
def test_a_forbidden_import_would_be_found(place, text):
    assert any(map(breaks_a_rule, imports_in(text, Path(place))))


def test_the_engine_needs_numpy_and_the_standard_library_only():
    foreign = [
        str(item)
        for path in sources("q_runtime")
        for item in imports_of(path)
        if item.name.split(".")[0] not in ENGINE_MAY_IMPORT
        # PyKX is an optional licensed engine; its adapter asks for it when it is used.
        if not (
            item.name.startswith("pykx")
            and path.is_relative_to("q_runtime/kdb")
            and not item.is_at_module_level
        )
    ]

    assert foreign == []


def test_only_the_hosts_side_of_the_engine_opens_sockets():
    opened = [
        str(item)
        for path in sources("q_runtime")
        for item in imports_of(path)
        if item.name.split(".")[0] in ("socket", "selectors", "ssl", "asyncio", "http")
        and not any(
            map(path.is_relative_to, ("q_runtime/ipc", "q_runtime/sandbox", "q_runtime/kdb"))
        )
        # The console only names the type of the sockets that it hands on.
        and path != Path("q_runtime/console.py")
    ]

    assert opened == []


def test_other_parts_use_only_the_public_names_of_the_engine():
    inner = {path.parts[1].removesuffix(".py") for path in sources("q_runtime")}
    beyond = [
        str(item)
        for place in ("pipeline", "qstudio", "manage.py")
        for path in sources(place)
        for item in imports_of(path)
        if item.name.startswith("q_runtime.") and item.name.split(".")[1] in inner
    ]

    assert beyond == []


def test_only_generators_and_trainers_import_the_machine_learning_stack():
    strays = [
        str(item)
        for path in sources("pipeline")
        if not any(path.is_relative_to(folder) for folder in MAY_IMPORT_HEAVY)
        for item in imports_of(path)
        if item.name.split(".")[0] in HEAVY
    ]

    assert strays == []


def test_stages_choose_their_engines_when_they_run():
    early = [
        str(item)
        for path in sources("pipeline/stages")
        for item in imports_of(path)
        if item.is_at_module_level
        for folder in ("pipeline.generators", "pipeline.trainers")
        if is_under(item.name, folder) and not is_under(item.name, f"{folder}.base")
    ]

    assert early == []


MAY_START_AN_ENGINE = {
    "pipeline/engines.py": "makes the engine that the settings ask for",
    "pipeline/judging.py": "the one path by which Programs are executed",
    "qstudio/core/doctor.py": "asks every engine whether it is there",
}


def test_q_is_executed_by_the_judge_alone():
    names = ("QPool", "Session", "open_engine", "pipeline.engines.start_engine")
    starters = {
        str(path)
        for place in ("pipeline", "qstudio", "manage.py")
        for path in sources(place)
        for item in imports_of(path)
        if item.name.endswith(names)
    }

    assert starters == set(MAY_START_AN_ENGINE)
