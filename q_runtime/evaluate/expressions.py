"""Compilation of expressions; mixed into FunctionCompiler.

Every method writes statements that leave its value in a Python variable (or finds a constant) and returns
that as an Operand. Operands are evaluated right to left, as q does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from q_runtime.evaluate.checks import check_target
from q_runtime.evaluate.codegen import Operand, Writer, primitive_name
from q_runtime.evaluate.controls import ControlCompiler
from q_runtime.evaluate.scopes import assigns, unsupported
from q_runtime.evaluate.shapes import (
    ANY,
    BOOL,
    LISTS,
    LONGS,
    STRING,
    TYPES,
    Shape,
    of_primitive,
    shape_of_constant,
)
from q_runtime.evaluate.steady import SteadyCompiler
from q_runtime.lang import nodes as nd
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.values.functions import HOLE, NIL, IteratorValue, Prim
from q_runtime.values.vectors import Vec, items_of

SHORT_DYADS = frozenset(",_")


class ExpressionCompiler(ControlCompiler, SteadyCompiler):
    """Compiles nodes that have a value."""

    source: str
    namespace: str
    is_local: frozenset[str]
    writer: Writer
    constants: list[Any]
    n_temps: int
    effect: nd.Node | None
    """The statement under way, when its value is not used."""

    # -- small services

    def emit(self, text: str, node: nd.Node | None = None) -> None:
        """Write a line that stands for `node`."""
        self.writer.emit(text, node)

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

    def store(self, code: str, node: nd.Node, shape: Shape = ANY) -> Operand:
        """Write `temp = code` for a value of which so much is known, and return the temporary."""
        self.n_temps += 1
        name = f"t{self.n_temps}"
        self.writer.emit(f"{name} = {code}", node)
        return Operand(name, shape)

    def deep(self, code: str, node: nd.Node) -> Operand:
        """Write `temp = code` for code that may call q functions: they find out how deep they are nested."""
        out = self.temp()
        self.enter()
        line = f"{out} = {code}"
        if self.spec is not None:  # type: ignore[attr-defined]
            line = f"e = B.depth; B.depth = d; {line}; B.depth = e"
        self.emit(line, node)
        return Operand(out)

    def applied(self, function: str, arguments: list[str]) -> str:
        """Return the code that applies a value to arguments, and says how deep it is nested."""
        depth = "" if self.spec is None else ", d"  # type: ignore[attr-defined]
        if len(arguments) == 1:
            return f"at({function}, {arguments[0]}{depth})"
        return f"call({function}, ({', '.join(arguments)}){depth})"

    def put(self, variable: str, mark: int, value: Operand, node: nd.Node) -> None:
        """Write the assignment of a value that the lines from `mark` on compute, and that nothing else will read."""
        if value.code[0] == "t" and not value.is_variable and len(self.writer.lines) > mark:
            self.writer.rename(mark, value.code, variable)
        else:
            self.emit(f"{variable} = {value.code}", node)

    def settle(self, operand: Operand, later: list[nd.Node]) -> Operand:
        """Copy a variable that code evaluated later may assign."""
        if operand.is_variable and later and any(map(assigns, later)):
            name = self.temp()
            self.emit(f"{name} = {operand.code}")
            return Operand(name, operand.shape)
        return operand

    def in_order(self, nodes: list[nd.Node]) -> list[Operand]:
        """Evaluate several nodes from the last to the first; returns them in written order."""
        if len(nodes) == 1:
            return [self.expression(nodes[0])]
        out: list[Operand] = []
        for i in range(len(nodes) - 1, -1, -1):
            out.append(self.settle(self.expression(nodes[i]), nodes[:i]))
        out.reverse()
        return out

    # -- dispatch

    def expression(self, node: nd.Node) -> Operand:
        """Compile any node."""
        return _HANDLERS[type(node)](self, node)

    def on_Constant(self, node: nd.Constant) -> Operand:
        """A literal; small numbers are written into the Python text."""
        value = node.value
        c = type(value)
        if c is bool or c is int or (c is float and value == value and abs(value) != float("inf")):
            code = f"({value!r})" if value < 0 else repr(value)
        else:
            code = self.constant(value)
        return Operand(code, shape_of_constant(value))

    def on_Elided(self, node: nd.Elided) -> Operand:
        """Nothing where a value is needed: the generic null."""
        return Operand(self.constant(NIL))

    def on_Name(self, node: nd.Name) -> Operand:
        """A variable, `.z.s` or a keyword used as a value."""
        name = node.name
        if name in self.is_local:
            return self.local(name)
        if name == ".z.s" and self.spec is not None:  # type: ignore[attr-defined]
            return Operand("rt.self_of(f)")
        prim = PRIMITIVES.get(name)
        if prim is not None:
            return Operand(self.constant(prim))
        if name.startswith(".z."):
            return self.store(f"rt.clock({name[3:]!r})", node)
        full = self.full_name(name)
        if full in self.steady:
            return self.steady_whole(full)
        temp = self.temp()
        self.emit(f"try: {temp} = G[{full!r}]")
        self.emit(f"except KeyError: {temp} = rt.missing({name!r}, {full!r})", node)
        return Operand(temp)

    def full_name(self, name: str) -> str:
        """Return the name under which a global is stored."""
        return name if name[0] == "." or not self.namespace else f"{self.namespace}.{name}"

    def on_Verb(self, node: nd.Verb) -> Operand:
        """An operator used as a value."""
        if node.name in self.is_local:
            return self.local(node.name)
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
        if len(arguments) > 1 and any(isinstance(a, nd.Elided) for a in arguments):
            parts = self.arguments(arguments)
            function = self.expression(node.function)
            return self.store(f"project({function.code}, {parts})", node)
        return self.application(node, node.function, arguments)

    def composition(self, node: nd.Call) -> Operand:
        """`'[f;g]`, or its projection when an argument is elided."""
        if len(node.arguments) == 1:
            inner = self.expression(node.arguments[0])
            return self.store(f'derive("\'", {inner.code})', node)
        if any(isinstance(a, nd.Elided) for a in node.arguments):
            parts = self.arguments(node.arguments)
            quote = self.constant(IteratorValue("'"))
            return self.store(f"project({quote}, {parts})", node)
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
        return self.store(f"project({verb.code}, ({left.code},))", node)

    def on_Dyad(self, node: nd.Dyad) -> Operand:
        """`x f y`."""
        return self.application(node, node.verb, [node.left, node.right])

    # -- application

    def application(self, node: nd.Node, function: nd.Node, nodes: list[nd.Node]) -> Operand:
        """Apply `function` to arguments evaluated right to left; the function comes last."""
        prim = self.known_primitive(function)
        if prim is not None:
            return self.primitive_of(node, prim, nodes)
        operands = self.in_order(nodes)
        if isinstance(function, nd.Name):
            item = self.item_of(node, function.name, operands)
            if item is not None:
                return item
        operands = [self.settle(o, [function]) for o in operands]
        codes = ", ".join(o.code for o in operands)
        if isinstance(function, nd.Iterated) and function.base is not None:
            base = self.expression(function.base)
            return self.deep(f"rt.iterate({function.glyph!r}, {base.code}, ({codes},))", node)
        depth = "" if self.spec is None else ", d"  # type: ignore[attr-defined]
        if isinstance(function, nd.Name) and function.name == ".z.s":
            spec = self.spec  # type: ignore[attr-defined]
            if spec is not None and len(operands) == max(1, len(spec.params)):
                self.enter()
                return self.store(f"f({codes}{depth})", node)
        target = self.expression(function)
        n = len(operands)
        slow = self.applied(target.code, [o.code for o in operands])
        self.enter()
        if target.kind or isinstance(function, nd.Constant) or (target.is_variable and n == 1):
            return self.store(slow, node)
        out = self.temp()
        fast = f"{out} = {target.code}.fn({codes}{depth})"
        self.emit(f"if type({target.code}) is Lambda and {target.code}.rank == {n}: {fast}", node)
        if n == 1 and operands[0].kind in LONGS:
            bound = "" if operands[0].shape.is_low else f"{codes} >= 0 and "
            self.emit(f"elif {bound}type({target.code}) in LISTS:")
            self.emit(f" try: {out} = {target.code}.atoms[{codes}]", node)
            self.emit(f" except (AttributeError, IndexError): {out} = {slow}")
        self.emit(f"else: {out} = {slow}", node)
        return Operand(out)

    def item_of(self, node: nd.Node, name: str, operands: list[Operand]) -> Operand | None:
        """Read one item of a variable that is known to be a list of some kind; None when it is not."""
        if name in self.is_local:
            if len(operands) == 1:
                return self.item(node, name, operands[0])
            if len(operands) == 2 and isinstance(node, nd.Call):
                return self.item_of_row(node, name, operands)
            return None
        full = self.full_name(name)
        if full not in self.steady or name in PRIMITIVES:
            return None
        if len(operands) == 1:
            return self.steady_item(node, full, operands[0])
        return self.steady_item_of_row(node, full, operands) if len(operands) == 2 else None

    def is_one_of(self, node: nd.Node, nodes: list[nd.Node]) -> Operand | None:
        """`x in "abc"` for a char; None for anything else."""
        value = nodes[-1].value if isinstance(nodes[-1], nd.Constant) else None
        if len(nodes) != 2 or type(value) is not Vec or value.t != 10:
            return None
        x = self.expression(nodes[0])
        if x.kind == "char":
            return self.store(
                f"{x.code} in {self.constant(frozenset(items_of(value)))}", node, BOOL
            )
        return self.primitive_call(
            node, PRIMITIVES["in"], [x, Operand(self.constant(value), STRING)]
        )

    def known_primitive(self, function: nd.Node) -> Prim | None:
        """Return the primitive that a function node stands for, when that is certain."""
        if isinstance(function, (nd.Name, nd.Verb)) and function.name not in self.is_local:
            return PRIMITIVES.get(function.name)
        return None

    def primitive_of(self, node: nd.Node, prim: Prim, nodes: list[nd.Node]) -> Operand:
        """Apply a primitive to arguments evaluated right to left."""
        if len(nodes) == 1:
            whole = self.of_whole(node, prim.name, nodes[0])
            if whole is not None:
                return whole
            if isinstance(nodes[0], nd.Elided) and prim.rank > 1 and isinstance(node, nd.Call):
                parts = self.arguments(nodes)
                return self.store(f"project({self.constant(prim)}, {parts})", node)
        elif prim.name == "in" and isinstance(nodes[-1], nd.Constant):
            found = self.is_one_of(node, nodes)
            if found is not None:
                return found
        return self.primitive_call(node, prim, self.in_order(nodes))

    def primitive_call(self, node: nd.Node, prim: Prim, operands: list[Operand]) -> Operand:
        """Call a primitive directly, with the arithmetic of longs inline."""
        n = len(operands)
        if n not in prim.ranks:
            self.enter()
            return self.store(self.applied(self.constant(prim), [o.code for o in operands]), node)
        made = None
        if n == 2:
            made = self.inline_dyad(node, prim.name, *operands)
        elif n == 1:
            made = self.inline_monad(node, prim.name, *operands)
        if made is not None:
            return made
        args = [o.code for o in operands]
        if n > 3 and prim.name in "?!":
            return self.functional_query(node, prim.name, args)
        if n == 2 and prim.name in SHORT_DYADS:
            made = self.short_dyad(node, prim.name, *operands)
            if made is not None:
                return made
        if prim.needs_host:
            return self.deep(f"{primitive_name(prim.name)}(rt, {', '.join(args)})", node)
        shape = of_primitive(prim.name, *(o.shape for o in operands)) if n < 3 else ANY
        return self.store(f"{primitive_name(prim.name)}({', '.join(args)})", node, shape)

    def short_dyad(self, node: nd.Node, name: str, x: Operand, y: Operand) -> Operand | None:
        """`x,y` and `x _ y` for a vector of known type; None for anything else."""
        if name == "," and LISTS.get(y.kind) == x.kind:
            return self.store(f"append_atom({x.code}, {y.code})", node, Shape(x.kind))
        if name == "_" and x.kind == "int" and y.kind in TYPES:
            return self.store(f"drop_items({x.code}, {y.code})", node, Shape(y.kind))
        return None

    # -- assignment

    def on_Assign(self, node: nd.Assign) -> Operand:
        """Assignment: plain, indexed or through an operator; the value is the right side's."""
        check_target(node.name)
        mark = len(self.writer.lines)
        is_plain = not node.indexed and node.verb is None
        value = self.settle(self.expression(node.value), [*node.indices])
        if is_plain and self.effect is node and node.name in self.is_local:
            self.assign_local(node, value, mark)
            return value
        return self.assign(node, value)

    def assign(self, node: nd.Assign, value: Operand) -> Operand:
        """Assign a value that has been compiled."""
        is_effect = self.effect is node
        mark = len(self.writer.lines)
        if not node.indexed and node.verb is None:
            self.assign_to(node, value)
            return value
        name = nd.Name(node.start, node.start + len(node.name), node.name)
        if not node.indexed:
            prim = PRIMITIVES[node.verb.name]  # type: ignore[union-attr]
            if prim.name == ",":
                appended = self.append_item(node, value)
                if appended is not None:
                    return appended if is_effect else self.on_Name(name)
                current = self.on_Name(name)
                shape = of_primitive(",", current.shape, value.shape)
                if current.kind not in TYPES:
                    shape = ANY
                code = f"append_assign({current.code}, {value.code})"
                made = self.store(code, node, shape)
            else:
                made = self.primitive_call(node, prim, [self.on_Name(name), value])
            if is_effect and node.name in self.is_local:
                self.assign_local(node, made, mark)
            else:
                self.assign_to(node, made)
            return made
        return self.assign_items(node, name, value)

    def assign_items(self, node: nd.Assign, name: nd.Name, value: Operand) -> Operand:
        """`x[i;...]:y` and `x[i;...]f:y`."""
        operands = self.in_order(node.indices)
        only = operands[0] if len(operands) == 1 else None
        if only is not None and node.verb is None and self.set_item(node, only, value):
            return value
        if only is not None and node.verb is not None:
            prim = self.known_primitive(node.verb)
            old = self.item(node, node.name, only) if prim is not None else None
            if old is not None and prim is not None:
                new = self.primitive_call(node, prim, [old, value])
                if self.set_item(node, only, new):
                    return new
        indices = f"({', '.join(o.code for o in operands)},)"
        current = self.on_Name(name)
        verb = self.expression(node.verb).code if node.verb is not None else "None"
        code = f"amend(rt, {current.code}, {indices}, {verb}, {value.code})"
        keeps = only is not None and only.kind in ("int", "long", "longs") and current.kind in TYPES
        mark = len(self.writer.lines)
        made = self.store(code, node, Shape(current.kind) if keeps else ANY)
        if node.verb is None and node.name in self.is_local:
            self.assign_local(node, made, mark)
            return value
        self.assign_to(node, made)
        if node.verb is not None:
            return self.store(f"call({made.code}, {indices})", node)
        return value

    def assign_to(self, node: nd.Assign, value: Operand) -> None:
        """Write the store itself."""
        if node.name in self.is_local:
            self.assign_local(node, value)
            return
        code = value.code
        full = self.full_name(node.name)
        self.is_leaf = False
        if "." in full or self.spec is None:  # type: ignore[attr-defined]
            self.emit(f"rt.set_global({full!r}, {code})", node)
        else:
            self.emit(f"G[{full!r}] = {code}", node)

    def leave(self, operand: Operand, node: nd.Node | None = None) -> None:
        """Write a return from the function."""
        made = None if operand.is_variable else self.writer.take_back(operand.code)
        self.emit(f"return {operand.code if made is None else made}", node)


_HANDLERS: dict[type[nd.Node], Callable[[ExpressionCompiler, Any], Operand]] = {
    kind: getattr(ExpressionCompiler, "on_" + kind.__name__) for kind in nd.Node.__subclasses__()
}
"""The method that compiles a node, by its class."""
