"""Compilation of expressions; mixed into FunctionCompiler.

Every method writes statements that leave its value in a Python variable (or finds a constant) and returns
that as an Operand. Operands are evaluated right to left, as q does.
"""

from __future__ import annotations

from typing import Any

from q_runtime.evaluate.codegen import DEPTH_DOWN, Operand, Writer, primitive_name, python_name
from q_runtime.evaluate.controls import ControlCompiler
from q_runtime.evaluate.scopes import assigns, unsupported
from q_runtime.lang import nodes as nd
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.values.functions import HOLE, NIL, IteratorValue, Prim

_ARITHMETIC = frozenset("+-*")
_COMPARE = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=": "==", "<>": "!="}
_INTEGER = {"div": "//", "mod": "%"}
_PICK = {"&": "<", "and": "<", "|": ">", "or": ">"}
_BIG = "9223372036854775807"


class ExpressionCompiler(ControlCompiler):
    """Compiles nodes that have a value."""

    source: str
    namespace: str
    is_local: frozenset[str]
    writer: Writer
    constants: list[Any]
    n_temps: int
    calls: bool

    # -- small services

    def emit(self, text: str, node: nd.Node | None = None) -> None:
        """Write a line that stands for `node`."""
        self.writer.emit(text, (node.start, node.end) if node else (0, 0))

    def temp(self) -> str:
        """Return a new temporary variable."""
        self.n_temps += 1
        return f"t{self.n_temps}"

    def constant(self, value: Any) -> str:
        """Return the Python variable that holds a constant."""
        for i, known in enumerate(self.constants):
            if known is value:
                return f"k{i}"
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    def store(self, code: str, node: nd.Node, kind: str = "") -> Operand:
        """Write `temp = code` and return the temporary."""
        name = self.temp()
        self.emit(f"{name} = {code}", node)
        return Operand(name, kind)

    def settle(self, operand: Operand, later: list[nd.Node]) -> Operand:
        """Copy a variable that code evaluated later may assign."""
        if operand.is_variable and any(assigns(n) for n in later):
            name = self.temp()
            self.emit(f"{name} = {operand.code}")
            return Operand(name, operand.kind)
        return operand

    def in_order(self, nodes: list[nd.Node]) -> list[Operand]:
        """Evaluate several nodes from the last to the first; returns them in written order."""
        out: list[Operand] = []
        for i in range(len(nodes) - 1, -1, -1):
            out.append(self.settle(self.expression(nodes[i]), nodes[:i]))
        out.reverse()
        return out

    # -- dispatch

    def expression(self, node: nd.Node) -> Operand:
        """Compile any node."""
        return getattr(self, "on_" + type(node).__name__)(node)

    def on_Constant(self, node: nd.Constant) -> Operand:
        """A literal; small numbers are written into the Python text."""
        value = node.value
        if type(value) is int:
            return Operand(f"({value})" if value < 0 else str(value), "int")
        if type(value) is float and value == value and abs(value) != float("inf"):
            return Operand(f"({value!r})" if value < 0 else repr(value), "float")
        if type(value) is bool:
            return Operand(repr(value), "bool")
        return Operand(self.constant(value))

    def on_Elided(self, node: nd.Elided) -> Operand:
        """Nothing where a value is needed: the generic null."""
        return Operand(self.constant(NIL))

    def on_Name(self, node: nd.Name) -> Operand:
        """A variable, `.z.s` or a keyword used as a value."""
        name = node.name
        if name in self.is_local:
            return Operand(python_name(name), "", True)
        if name == ".z.s" and self.spec is not None:  # type: ignore[attr-defined]
            return Operand("rt.self_of(f)")
        prim = PRIMITIVES.get(name)
        if prim is not None:
            return Operand(self.constant(prim))
        if name.startswith(".z."):
            return self.store(f"rt.clock({name[3:]!r})", node)
        full = name if name[0] == "." or not self.namespace else f"{self.namespace}.{name}"
        temp = self.temp()
        self.emit(f"{temp} = G.get({full!r})", node)
        self.emit(f"if {temp} is None: {temp} = rt.missing({name!r}, {full!r})", node)
        return Operand(temp)

    def on_Verb(self, node: nd.Verb) -> Operand:
        """An operator used as a value."""
        if node.name in self.is_local:
            return Operand(python_name(node.name), "", True)
        prim = PRIMITIVES.get(node.name)
        if prim is None:
            raise unsupported(f"the operator {node.name}")
        return Operand(self.constant(prim))

    def on_Iterated(self, node: nd.Iterated) -> Operand:
        """A derived function used as a value."""
        if node.base is None:
            return Operand(self.constant(IteratorValue(node.glyph)))
        base = self.expression(node.base)
        return self.store(f"derive({node.glyph!r}, {base.code})", node)

    def on_LambdaNode(self, node: nd.LambdaNode) -> Operand:
        """A lambda: a constant made when the function is linked to a session."""
        from q_runtime.evaluate.compiler import lambda_spec

        return Operand(self.constant(lambda_spec(node)))

    def on_ListOf(self, node: nd.ListOf) -> Operand:
        """`(a;b;c)`."""
        if any(isinstance(item, nd.Elided) for item in node.items):
            parts = self.arguments(node.items)
            return self.store(f"project({self.constant(PRIMITIVES['enlist'])}, {parts})", node)
        items = self.in_order(node.items)
        return self.store(f"collapse([{', '.join(o.code for o in items)}])", node)

    def on_Monad(self, node: nd.Monad) -> Operand:
        """`f x`."""
        return self.application(node, node.function, [node.argument])

    def on_Call(self, node: nd.Call) -> Operand:
        """`f[...]`; elided arguments make a projection."""
        arguments = node.arguments
        if isinstance(node.function, nd.Iterated) and node.function.base is None:
            if node.function.glyph == "'":
                return self.composition(node)
            operands = self.in_order(arguments)
            glyph = node.function.glyph
            return self.store(f"derive({glyph!r}, {operands[0].code})", node)
        if len(arguments) > 8 and not self.is_enlist(node.function):
            self.emit("rt.fail('rank')", node)
        if len(arguments) > 1 and any(isinstance(a, nd.Elided) for a in arguments):
            parts = self.arguments(arguments)
            function = self.expression(node.function)
            return self.store(f"project({function.code}, {parts})", node)
        return self.application(node, node.function, arguments)

    def is_enlist(self, node: nd.Node) -> bool:
        """Say whether a node is the keyword `enlist`, which takes any number of arguments."""
        return isinstance(node, nd.Name) and node.name == "enlist"

    def composition(self, node: nd.Call) -> Operand:
        """`'[f;g]`."""
        if len(node.arguments) == 1:
            inner = self.expression(node.arguments[0])
            return self.store(f'derive("\'", {inner.code})', node)
        operands = self.in_order(node.arguments)
        return self.store(f"compose({', '.join(o.code for o in operands)})", node)

    def arguments(self, nodes: list[nd.Node]) -> str:
        """Compile arguments, with HOLE for the elided ones, to the text of a tuple."""
        codes: list[str] = []
        for i in range(len(nodes) - 1, -1, -1):
            if isinstance(nodes[i], nd.Elided):
                codes.append(self.constant(HOLE))
            else:
                codes.append(self.settle(self.expression(nodes[i]), nodes[:i]).code)
        codes.reverse()
        return f"({', '.join(codes)},)"

    def on_Composed(self, node: nd.Composed) -> Operand:
        """`f g@`: a composition."""
        inner = self.settle(self.expression(node.inner), [node.outer])
        outer = self.expression(node.outer)
        return self.store(f"compose({outer.code}, {inner.code})", node)

    def on_LeftBound(self, node: nd.LeftBound) -> Operand:
        """`x +`: a projection."""
        left = self.expression(node.left)
        verb = self.expression(node.verb)
        return self.store(f"project({verb.code}, ({left.code}, {self.constant(HOLE)}))", node)

    def on_Dyad(self, node: nd.Dyad) -> Operand:
        """`x f y`."""
        return self.application(node, node.verb, [node.left, node.right])

    # -- application

    def application(self, node: nd.Node, function: nd.Node, nodes: list[nd.Node]) -> Operand:
        """Apply `function` to arguments evaluated right to left; the function comes last."""
        prim = self.known_primitive(function)
        operands = self.in_order(nodes)
        if (
            len(operands) == 1
            and isinstance(nodes[0], nd.Elided)
            and prim is not None
            and (prim.rank > 1 and isinstance(node, nd.Call))
        ):
            return self.store(f"project({self.constant(prim)}, ({self.constant(HOLE)},))", node)
        operands = [self.settle(o, [function]) for o in operands]
        if prim is not None:
            return self.primitive_call(node, prim, operands)
        codes = ", ".join(o.code for o in operands)
        self.calls = True
        if isinstance(function, nd.Iterated) and function.base is not None:
            base = self.expression(function.base)
            return self.store(f"rt.iterate({function.glyph!r}, {base.code}, ({codes},))", node)
        if isinstance(function, nd.Name) and function.name == ".z.s":
            spec = self.spec  # type: ignore[attr-defined]
            if spec is not None and len(operands) == max(1, len(spec.params)):
                return self.store(f"f({codes})", node)
        target = self.expression(function)
        n = len(operands)
        if target.kind or isinstance(function, nd.Constant):
            return self.store(f"call({target.code}, ({codes},))", node)
        fast = f"type({target.code}) is Lambda and {target.code}.rank == {n}"
        slow = f"at({target.code}, {codes})" if n == 1 else f"call({target.code}, ({codes},))"
        if target.is_variable and n == 1:
            return self.store(slow, node)
        return self.store(f"{target.code}.fn({codes}) if {fast} else {slow}", node)

    def known_primitive(self, function: nd.Node) -> Prim | None:
        """Return the primitive that a function node stands for, when that is certain."""
        if isinstance(function, (nd.Name, nd.Verb)) and function.name not in self.is_local:
            return PRIMITIVES.get(function.name)
        return None

    def primitive_call(self, node: nd.Node, prim: Prim, operands: list[Operand]) -> Operand:
        """Call a primitive directly, with the arithmetic of longs inline."""
        n = len(operands)
        if n not in prim.ranks:
            self.calls = True
            codes = ", ".join(o.code for o in operands)
            return self.store(f"call({self.constant(prim)}, ({codes},))", node)
        if n == 2:
            made = self.inline_dyad(node, prim.name, *operands)
            if made is not None:
                return made
        args = [o.code for o in operands]
        if prim.needs_host:
            self.calls = True
            args.insert(0, "rt")
        return self.store(f"{primitive_name(prim.name)}({', '.join(args)})", node)

    def inline_dyad(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """Write a dyad with a fast path for longs; None when it has none."""
        if x.kind not in ("", "int", "float") or y.kind not in ("", "int", "float"):
            return None
        if name in _COMPARE:
            return self.comparison(node, name, x, y)
        slow = f"{primitive_name(name)}({x.code}, {y.code})"
        if "float" in (x.kind, y.kind):
            return None
        guard = " and ".join(f"type({o.code}) is int" for o in (x, y) if o.kind != "int")
        if name in _ARITHMETIC:
            out = self.temp()
            depth = self.writer.indent
            if guard:
                self.emit(f"if {guard}:")
                self.writer.indent += 1
            self.emit(f"{out} = {x.code} {name} {y.code}")
            self.emit(f"if not -{_BIG} <= {out} <= {_BIG}: {out} = {slow}", node)
            self.writer.indent = depth
            if guard:
                self.emit(f"else: {out} = {slow}", node)
            return Operand(out)
        if name in _INTEGER:
            checks = " and ".join(part for part in (guard, y.code) if part)
            fast = f"{x.code} {_INTEGER[name]} {y.code}"
            return self.store(f"{fast} if {checks} else {slow}", node)
        if name in _PICK and guard:
            fast = f"({x.code} if {x.code} {_PICK[name]} {y.code} else {y.code})"
            return self.store(f"{fast} if {guard} else {slow}", node)
        return None

    def comparison(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """Write a comparison with a fast path for longs."""
        code = self.comparison_code(name, x, y)
        return self.store(code[0], node, code[1]) if code else None

    def comparison_code(self, name: str, x: Operand, y: Operand) -> tuple[str, str] | None:
        """Return the expression of a comparison and its kind, None without a fast path."""
        if "float" in (x.kind, y.kind):
            return None
        fast = f"{x.code} {_COMPARE[name]} {y.code}"
        guard = " and ".join(f"type({o.code}) is int" for o in (x, y) if o.kind != "int")
        if not guard:
            return fast, "bool"
        return f"{fast} if {guard} else {primitive_name(name)}({x.code}, {y.code})", ""

    # -- assignment

    def on_Assign(self, node: nd.Assign) -> Operand:
        """Assignment: plain, indexed or through an operator; the value is the right side's."""
        from q_runtime.evaluate.checks import check_target

        check_target(node.name)
        return self.assign(node, self.settle(self.expression(node.value), [*node.indices]))

    def assign(self, node: nd.Assign, value: Operand) -> Operand:
        """Assign a value that has been compiled."""
        is_local = node.name in self.is_local
        if not node.indexed and node.verb is None:
            self.assign_to(node, is_local, value.code)
            if is_local and value.kind:
                return value
            return value
        if not node.indexed:
            prim = PRIMITIVES[node.verb.name]  # type: ignore[union-attr]
            current = self.on_Name(nd.Name(node.start, node.start + len(node.name), node.name))
            if prim.name == ",":
                made = self.store(f"append_assign({current.code}, {value.code})", node)
            else:
                made = self.primitive_call(node, prim, [current, value])
            self.assign_to(node, is_local, made.code)
            return made
        indices = f"({', '.join(o.code for o in self.in_order(node.indices))},)"
        current = self.on_Name(nd.Name(node.start, node.start + len(node.name), node.name))
        verb = self.expression(node.verb).code if node.verb is not None else "None"
        code = f"amend(rt, {current.code}, {indices}, {verb}, {value.code})"
        made = self.store(code, node)
        self.assign_to(node, is_local, made.code)
        if node.verb is not None:
            return self.store(f"call({made.code}, {indices})", node)
        return value

    def assign_to(self, node: nd.Assign, is_local: bool, code: str) -> None:
        """Write the store itself."""
        if is_local:
            self.emit(f"{python_name(node.name)} = {code}", node)
            return
        name = node.name
        full = name if name[0] == "." or not self.namespace else f"{self.namespace}.{name}"
        if "." in full or self.spec is None:  # type: ignore[attr-defined]
            self.emit(f"rt.set_global({full!r}, {code})", node)
        else:
            self.emit(f"G[{full!r}] = {code}", node)

    def leave(self, operand: Operand, node: nd.Node | None = None) -> None:
        """Write a return from the function."""
        self.emit(DEPTH_DOWN, node)
        self.emit(f"return {operand.code}", node)
