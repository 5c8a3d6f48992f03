"""The repository as the architecture tests see it: its files, read once, and the imports in its Python sources."""

from __future__ import annotations

import ast
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("q_runtime", "pipeline", "qstudio")
LEFT_BEHIND = {".git", ".venv", "var", "outputs", "node_modules", "__pycache__", "build", "dist"}
"""Folders that are not looked into where git cannot say which files belong to the repository."""


@dataclass(frozen=True)
class Import:
    """One imported name (dotted, absolute) and where it stands."""

    path: Path
    line: int
    name: str
    is_at_module_level: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


@functools.cache
def files() -> tuple[Path, ...]:
    """The repository's files as paths relative to its root: those that git does not ignore, sorted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # no git, or an unpacked archive
        names = [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*")]
    paths = (Path(name) for name in names)
    return tuple(
        sorted(
            path
            for path in paths
            if not LEFT_BEHIND & set(path.parts) and not path.parts[0].endswith("_cache")
            if (REPOSITORY / path).is_file() and not (REPOSITORY / path).is_symlink()
        )
    )


def sources(folder: str = "") -> list[Path]:
    """The Python files under a folder, migrations left out."""
    return [
        path
        for path in files()
        if path.suffix == ".py" and "migrations" not in path.parts and path.is_relative_to(folder)
    ]


def read(path: Path) -> str:
    """A file's text; files that are not text give an empty one."""
    try:
        return (REPOSITORY / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def imports_of(path: Path) -> list[Import]:
    """Every import in a Python file of the repository, at whatever depth."""
    return imports_in(read(path), path)


def imports_in(text: str, path: Path) -> list[Import]:
    """Every import in a Python text that stands, or would stand, at `path`."""
    tree = ast.parse(text, filename=str(path))
    runs_on_import = set(_statements_run_on_import(tree.body))
    return [
        Import(path, node.lineno, name, node in runs_on_import)
        for node in ast.walk(tree)
        for name in _names(node, path)
    ]


def _names(node: ast.AST, path: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = path.with_suffix("").parts
    start = package[: len(package) - node.level] if node.level else ()
    module = ".".join((*start, *filter(None, [node.module])))
    return [f"{module}.{alias.name}" for alias in node.names]


def _statements_run_on_import(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements outside functions, except those under `if TYPE_CHECKING`, which no interpreter runs."""
    found = []
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(
            statement
        ):
            continue
        found.append(statement)
        for inner in ("body", "orelse", "finalbody"):
            found += _statements_run_on_import(getattr(statement, inner, []))
    return found


def _is_type_checking(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING")
