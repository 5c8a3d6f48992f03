"""Small parts of the code generator: operands, the line buffer and name mangling."""

from __future__ import annotations

from typing import NamedTuple


class Operand(NamedTuple):
    """A Python expression without side effects, and its type when it is known.

    `kind` is "int", "float", "bool" or "" (unknown); "int" promises a non-null long.
    """

    code: str
    kind: str = ""
    is_variable: bool = False
    """Whether a later assignment may change what `code` means."""


DEPTH_DOWN = "B.depth -= 1"


class Writer:
    """Lines of Python with indentation and the q span each came from."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, tuple[int, int]]] = []
        self.indent = 0

    def emit(self, text: str, span: tuple[int, int] = (0, 0)) -> None:
        """Append one line."""
        self.lines.append((" " * self.indent + text, span))

    def drop_depth(self) -> None:
        """Remove the depth bookkeeping: the body calls no function that could recurse."""
        self.lines = [line for line in self.lines if line[0].strip() != DEPTH_DOWN]


def python_name(name: str) -> str:
    """Return the Python variable for a q local."""
    return "v_" + name.replace(".", "__")


def primitive_name(name: str) -> str:
    """Return the Python global under which a primitive's function is found."""
    if name.isidentifier():
        return "P_" + name
    return "P_" + "_".join(f"{ord(ch):x}" for ch in name)
