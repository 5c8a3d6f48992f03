"""Small parts of the code generator: operands, the line buffer and name mangling."""

from __future__ import annotations

import re

from q_runtime.evaluate.shapes import ANY, Shape
from q_runtime.lang import nodes as nd


class Operand:
    """A Python expression without side effects, and what is known of its value."""

    __slots__ = ("code", "is_variable", "kind", "shape")

    def __init__(self, code: str, shape: Shape = ANY, is_variable: bool = False) -> None:
        self.code = code
        self.shape = shape
        self.kind = shape.kind
        self.is_variable = is_variable
        """Whether a later assignment may change what `code` means."""


BODY = 2
"""How deep the lines of a compiled function stand."""


class Writer:
    """Lines of Python with indentation and the node that each stands for."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, nd.Node | None]] = []
        self.indent = BODY

    def emit(self, text: str, node: nd.Node | None = None) -> None:
        """Append one line."""
        self.lines.append((" " * self.indent + text, node))

    def take_back(self, name: str) -> str | None:
        """Remove the last line if all it does is to assign `name` here, and return the assigned expression."""
        if not self.lines:
            return None
        start = " " * self.indent + name + " = "
        text = self.lines[-1][0]
        if not text.startswith(start):
            return None
        del self.lines[-1]
        return text[len(start) :]

    def rename(self, mark: int, old: str, new: str) -> None:
        """Write `new` for the variable `old` in the lines from `mark` on."""
        start = f"{' ' * self.indent}{old} = "
        text, node = self.lines[-1]
        if mark == len(self.lines) - 1 and text.startswith(start):
            self.lines[-1] = (f"{' ' * self.indent}{new} = {text[len(start) :]}", node)
            return
        word = re.compile(rf"\b{old}\b")
        for i in range(mark, len(self.lines)):
            text, node = self.lines[i]
            if old in text:
                self.lines[i] = (word.sub(new, text), node)


def python_name(name: str) -> str:
    """Return the Python variable for a q local."""
    return "v_" + name.replace(".", "__")


def atoms_name(name: str) -> str:
    """Return the Python variable for the atoms of a q local that holds a vector."""
    return "l_" + name.replace(".", "__")


def allowance_name(name: str) -> str:
    """Return the Python variable for how many changes may be made to them in place."""
    return "o_" + name.replace(".", "__")


def primitive_name(name: str) -> str:
    """Return the Python global under which a primitive's function is found."""
    if name.isidentifier():
        return "P_" + name
    return "P_" + "_".join(f"{ord(ch):x}" for ch in name)
