"""Compilation of arithmetic and comparison on atoms; mixed into FunctionCompiler.

Longs and floats whose shape is known are computed by Python's own operators, and what may leave the range of longs is
wrapped afterwards. Where nothing is known, a test of the exact Python type comes first. Everything else is None here
and calls the primitive.
"""

from __future__ import annotations

from abc import abstractmethod

from q_runtime.evaluate import shapes
from q_runtime.evaluate.codegen import Operand, Writer, primitive_name
from q_runtime.evaluate.shapes import ANY, BOOL, FITS, FLOAT, LONG, LONGS, Shape
from q_runtime.lang import nodes as nd

_ARITHMETIC = frozenset("+-*")
COMPARE = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=": "==", "<>": "!="}
_INTEGER = {"div": "//", "mod": "%"}
_PICK = {"&": "<", "and": "<", "|": ">", "or": ">"}
_PERHAPS_LONG = ("", *LONGS)
_EXACT = 53
_NEAR = 2**30 - 1
"""Python compares numbers up to here fastest."""


def _guard(*operands: Operand) -> str:
    """The test that operands of unknown kind are longs; empty when all are known."""
    return " and ".join(f"type({o.code}) is int" for o in operands if o.kind not in LONGS)


def _may_not_fit(name: str, x: Operand, y: Operand, out: str) -> str:
    """The test that a sum, difference or product may lie beyond 64 bits, on the sides where it can."""
    can_rise = not (name == "-" and y.shape.is_low)
    can_sink = not (
        (name == "+" and (x.shape.is_low or y.shape.is_low)) or (name == "-" and x.shape.is_low)
    )
    if name == "*" and (x.code == y.code or (x.shape.is_low and y.shape.is_low)):
        can_sink = False
    if can_rise and can_sink:
        return f"not -{_NEAR} <= {out} <= {_NEAR}"
    return f"{out} > {_NEAR}" if can_rise else f"{out} < -{_NEAR}"


class ScalarCompiler:
    """What ExpressionCompiler needs for operators on atoms."""

    writer: Writer

    @abstractmethod
    def emit(self, text: str, node: nd.Node | None = None) -> None:
        """Write a line that stands for `node`."""

    @abstractmethod
    def temp(self) -> str:
        """Return a new temporary variable."""

    @abstractmethod
    def store(self, code: str, node: nd.Node, shape: Shape = ANY) -> Operand:
        """Write `temp = code` for a value of which so much is known, and return the temporary."""

    def inline_monad(self, node: nd.Node, name: str, x: Operand) -> Operand | None:
        """Write a monad on an atom of known kind; None when it has no fast path."""
        if name == "not" and x.kind == "bool":
            return self.store(f"not {x.code}", node, BOOL)
        if name in ("abs", "neg") and x.kind in ("int", "long"):
            code = f"abs({x.code})" if name == "abs" else f"-{x.code}"
            return self.store(
                code, node, Shape(x.kind, x.shape.bits, x.kind == "int" and name == "abs")
            )
        return None

    def inline_dyad(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """Write a dyad on atoms; None when it has no fast path."""
        if x.kind == y.kind == "bool" and name in _PICK:
            word = "and" if _PICK[name] == "<" else "or"
            return self.store(f"{x.code} {word} {y.code}", node, BOOL)
        if name in COMPARE:
            return self.comparison(node, name, x, y)
        if "float" in (x.kind, y.kind):
            return self.float_dyad(node, name, x, y)
        if x.kind not in _PERHAPS_LONG or y.kind not in _PERHAPS_LONG:
            return None
        if name in _ARITHMETIC:
            return self.long_arithmetic(node, name, x, y)
        if name in _INTEGER:
            return self.integer_division(node, name, x, y)
        if name in _PICK:
            return self.pick(node, name, x, y)
        if name == "%" and x.kind == y.kind == "int" and max(x.shape.bits, y.shape.bits) <= _EXACT:
            slow = f"{primitive_name(name)}({x.code}, {y.code})"
            return self.store(f"{x.code} / {y.code} if {y.code} else {slow}", node, FLOAT)
        return None

    def float_dyad(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """Arithmetic of two floats, or of a float and a long that is not null."""
        if not {x.kind, y.kind} <= {"float", "int"}:
            return None
        if name in _ARITHMETIC:
            return self.store(f"{x.code} {name} {y.code}", node, FLOAT)
        if name == "%" and all(o.kind == "float" or o.shape.bits <= _EXACT for o in (x, y)):
            slow = f"{primitive_name(name)}({x.code}, {y.code})"
            return self.store(f"{x.code} / {y.code} if {y.code} else {slow}", node, FLOAT)
        return None

    def long_arithmetic(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand:
        """Sum, difference or product; a result beyond 64 bits is wrapped."""
        guard = _guard(x, y)
        made = shapes.arithmetic(name, x.shape, y.shape)
        code = f"{x.code} {name} {y.code}"
        if not guard and made.bits <= FITS:
            return self.store(code, node, made)
        out = self.temp()
        depth = self.writer.indent
        if guard:
            self.emit(f"if {guard}:")
            self.writer.indent += 1
        self.emit(f"{out} = {code}", node)
        if made.bits > FITS:
            self.emit(f"if {_may_not_fit(name, x, y, out)}: {out} = wrapped({out})", node)
        self.writer.indent = depth
        if guard:
            self.emit(f"else: {out} = {primitive_name(name)}({x.code}, {y.code})", node)
            return Operand(out)
        return Operand(out, made)

    def integer_division(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand:
        """`div` and `mod`, for a divisor that is not zero."""
        guard = _guard(x, y)
        slow = f"{primitive_name(name)}({x.code}, {y.code})"
        fast = f"{x.code} {_INTEGER[name]} {y.code}"
        constant = int(y.code) if y.code.isdigit() else 0
        if constant and not guard:
            return self.store(fast, node, shapes.quotient(name, x.shape, constant))
        checks = " and ".join(part for part in (guard, "" if constant else y.code) if part)
        shape = LONG if not guard else ANY
        return self.store(f"{fast} if {checks} else {slow}", node, shape)

    def pick(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand:
        """The smaller or the larger of two longs."""
        guard = _guard(x, y)
        fast = f"({x.code} if {x.code} {_PICK[name]} {y.code} else {y.code})"
        if not guard:
            return self.store(fast, node, shapes.joined(x.shape, y.shape))
        slow = f"{primitive_name(name)}({x.code}, {y.code})"
        return self.store(f"{fast} if {guard} else {slow}", node)

    def comparison(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """Write a comparison of atoms."""
        code = self.comparison_code(name, x, y)
        return self.store(code[0], node, code[1]) if code else None

    def comparison_code(self, name: str, x: Operand, y: Operand) -> tuple[str, Shape] | None:
        """Return the expression of a comparison and what is known of it, None without a fast path."""
        if x.kind == y.kind == "char" and name in ("=", "<>"):
            return f"{x.code} {'is' if name == '=' else 'is not'} {y.code}", BOOL
        if x.kind == y.kind == "bool" and name in ("=", "<>"):
            return f"{x.code} {COMPARE[name]} {y.code}", BOOL
        if x.kind not in _PERHAPS_LONG or y.kind not in _PERHAPS_LONG:
            return None
        fast = f"{x.code} {COMPARE[name]} {y.code}"
        guard = _guard(x, y)
        if not guard:
            return fast, BOOL
        return f"{fast} if {guard} else {primitive_name(name)}({x.code}, {y.code})", ANY
