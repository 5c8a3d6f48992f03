"""The documents say what is so: maps, tables, commands and links are compared with the tree and the code."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands

from pipeline.records import VerdictKind
from tests.architecture.tree import PACKAGES, REPOSITORY, files, read, sources

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
MAPPED_FOLDERS = (*PACKAGES, "tests", "docs")
"""Folders whose direct subfolders the README names one by one."""

# Written in pieces, so that this file does not match itself.
REGISTRIES = (
    "py"
    r"pi\.org|python"
    r"hosted\.|registry\.np"
    r"mjs|np"
    r"mjs\.com/|deb\.deb"
    r"ian\.|download\.py"
    "torch"
)
MACHINE_PATHS = r"(^|[^a-z0-9_.~-])/(work|farm|root|home/[a-z]+)/[a-z.]|/opt/(wheels|py" "pi)"
UNFINISHED = (
    r"\b(TO"
    r"DO|FIX"
    r"ME|XX"
    r"X|place"
    r"holder|not implemented "
    r"yet|st"
    r"ub)\b|raise NotImplemented"
    "Error"
)


def rows_of(heading: str, document: str = "README.md") -> list[str]:
    """The first cells of the table below a heading, without their back quotes."""
    section = read(Path(document)).partition(f"{heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)


def keys_written(function: ast.FunctionDef) -> set[str]:
    """The constant keys of all dictionaries that a function makes or adds to."""
    keys: list[ast.expr | None] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            keys += node.keys
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys.append(node.slice)
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def is_ours(path: Path) -> bool:
    """True for text that was written here: vendored files and pictures are not."""
    return "vendor" not in path.parts and path.suffix != ".svg"


def lines_that_match(pattern: str, paths: list[Path]) -> list[str]:
    """`file:line` of every line that the pattern is found in, whatever its case."""
    expression = re.compile(pattern, flags=re.IGNORECASE)
    return [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate(read(path).splitlines(), start=1)
        if expression.search(line)
    ]


def test_the_readme_begins_with_the_two_commands():
    text = read(Path("README.md"))

    assert 0 < text.index("make run") < text.index("make test") < 300


def test_the_readme_maps_the_tree():
    tree = set()
    for path in files():
        if len(path.parts) == 1 and not path.name.startswith("."):
            tree.add(path.name)
        elif len(path.parts) > 1 and not path.parts[0].startswith("."):
            tree.add(f"{path.parts[0]}/")
            if len(path.parts) > 2 and path.parts[0] in MAPPED_FOLDERS:
                tree.add(f"{path.parts[0]}/{path.parts[1]}/")

    assert tree == set(rows_of("## What is where"))


def test_the_page_of_settings_is_current():
    page = runpy.run_path(str(REPOSITORY / "docs" / "settings_page.py"))["render"]()

    assert page == read(Path("docs/settings.md")), "run `make docs`"


def test_the_page_of_q_coverage_is_current():
    page = runpy.run_path(str(REPOSITORY / "docs" / "q_coverage.py"))["render"]()

    assert page == read(Path("docs/q-coverage.md")), "run `make docs`"


def test_every_environment_variable_is_documented_and_read():
    read_here = {
        name
        for path in [*sources("qstudio"), Path("manage.py")]
        for name in re.findall(r"\"(QSTUDIO_[A-Z_]+)\"", read(path))
    }

    assert {name for name in read_here if not name.endswith("_")} == set(
        rows_of("# Environment variables", "docs/environment.md")
    )


def test_every_kind_of_event_is_documented():
    kinds = {
        kind
        for path in sources("pipeline")
        for kind in re.findall(r"(?:\.event\(|announce_\w+\(\s*context,)\s*\"(\w+)\"", read(path))
    }

    assert kinds == set(rows_of("## Events", "docs/run-directory.md"))


def test_every_key_of_the_final_report_is_documented():
    module = ast.parse(read(Path("pipeline/stages/report.py")))
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    written = keys_written(functions["write_report"]) | keys_written(functions["_measured"])
    section = read(Path("docs/run-directory.md")).partition("## The final report\n")[2]

    assert len(written) > 30
    assert {key for key in written if f"`{key}`" not in section} == set()
    assert set(rows_of("## The final report", "docs/run-directory.md")) - written == set()


def test_every_verdict_is_documented():
    table = rows_of("## From results to a Verdict", "docs/grading.md")

    assert table == [kind.value for kind in VerdictKind]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(document))
    missing = [
        target
        for target in targets
        if "://" not in target and not (REPOSITORY / document.parent / target).exists()
    ]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_exist(document):
    text = read(document)
    goals = set(re.findall(r"^([a-z-]+):.*## ", read(Path("Makefile")), flags=re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", text)) - goals == set()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) - {"help", *get_commands()} == set()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(document):
    named = re.findall(
        r"`((?:q_runtime|pipeline|qstudio|templates|tests|docs|requirements)/[\w./-]+)`",
        read(Path(document)),
    )

    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_every_page_is_in_the_index():
    pages = {path.name for path in files() if path.parent == Path("docs") and path.suffix == ".md"}
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", read(Path("docs/README.md"))))

    assert pages - {"README.md"} == listed


def test_decisions_are_numbered_titled_and_listed():
    pages = sorted(
        path for path in files() if path.parent == Path("docs/adr") and path.name != "README.md"
    )

    assert [int(path.name[:4]) for path in pages] == list(range(len(pages)))
    for page in pages:
        text = read(page)
        assert text.startswith(f"# {page.name[:4]} ")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]
        assert f"({page.name})" in read(Path("docs/adr/README.md"))


def test_the_version_is_that_of_the_newest_change():
    newest = re.search(r"^## (\S+)", read(Path("CHANGELOG.md")), flags=re.MULTILINE)

    assert newest is not None
    assert newest[1] == tomllib.loads(read(Path("pyproject.toml")))["project"]["version"]


def test_no_file_holds_a_registry_address_or_a_path_of_one_machine():
    assert (
        lines_that_match(
            f"{REGISTRIES}|{MACHINE_PATHS}", [path for path in files() if is_ours(path)]
        )
        == []
    )


def test_nothing_is_marked_as_unfinished():
    code = [path for path in files() if path.suffix in (".py", ".js", ".toml") and is_ours(path)]

    assert lines_that_match(UNFINISHED, [path for path in code if path.parts[0] != "tests"]) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRIES, "--index-url https://" + "py" + "pi.org/simple"),
        (MACHINE_PATHS, "path = '/" + "root/project'"),
        (UNFINISHED, "# TO" + "DO: later"),
    ],
)
def test_what_may_not_stand_in_a_file_would_be_found(pattern, line):
    assert re.search(pattern, line, flags=re.IGNORECASE)
