"""Compilation of control flow: `$[;;]`, if, do, while, return, signal, blocks, queries and tables."""

from __future__ import annotations

from q_runtime.evaluate.codegen import Operand, Writer
from q_runtime.evaluate.patterns import Plan, read_pattern, target_name
from q_runtime.evaluate.scalars import COMPARE
from q_runtime.evaluate.shapes import ANY, BOOL, Shape, joined
from q_runtime.lang import nodes as nd
from q_runtime.prims.tabular import table_maker
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import symbols

_FLAT_PARTS = 24
POLL = "for _ in B.passes: break"
ENTRY = (POLL, "d = B.depth + 1 if d is None else d + 1", "if d > MAXD: B.too_deep()")


class ControlCompiler:
    """What ExpressionCompiler needs for nodes that steer."""

    writer: Writer
    effect: nd.Node | None
    assigned: set[str]
    n_loops: int
    """How many loops are around this point."""
    enters_in_loop: bool
    is_leaf: bool
    """Whether nothing that was written can call a q function or assign a global."""
    found: Shape | None
    """What the branches of the conditional under way have in common."""

    def tail(self, node: nd.Node) -> None:
        """Compile a node whose value the function returns."""
        if isinstance(node, nd.Conditional):
            self.branches(node, None)
            return
        if isinstance(node, nd.Block) and node.statements:
            for statement in node.statements[:-1]:
                self.perform(statement)
            self.tail(node.statements[-1])
            return
        operand = self.expression(node)  # type: ignore[attr-defined]
        if not isinstance(node, nd.Return):
            self.leave(operand, node)  # type: ignore[attr-defined]

    def perform(self, node: nd.Node) -> None:
        """Compile a statement whose value is not used."""
        self.effect = node
        self.expression(node)  # type: ignore[attr-defined]
        self.effect = None

    def on_Conditional(self, node: nd.Conditional) -> Operand:
        """`$[c;a;...;b]` used as a value."""
        out = self.temp()  # type: ignore[attr-defined]
        outer, self.found = self.found, None
        self.branches(node, out)
        shape, self.found = self.found or ANY, outer
        return Operand(out, shape)

    def branches(self, node: nd.Conditional, out: str | None) -> None:
        """Compile the parts of a conditional; each branch is stored in `out`, or returned."""
        if out is None or len(node.parts) > _FLAT_PARTS:
            self.flat_branches(node, out)
            return
        parts = node.parts
        depth = self.writer.indent
        i = 0
        word = "if"
        ends: list[set[str]] = []
        while i + 1 < len(parts):
            mark = len(self.writer.lines)
            condition = self.condition(parts[i])
            if word == "elif" and len(self.writer.lines) > mark:
                held = self.writer.lines[mark:]
                del self.writer.lines[mark:]
                self.emit("else:")  # type: ignore[attr-defined]
                self.writer.indent += 1
                self.writer.lines.extend((" " + text, here) for text, here in held)
                word = "if"
            self.emit(f"{word} {condition}:", parts[i])  # type: ignore[attr-defined]
            before = set(self.assigned)
            self.branch(parts[i + 1], out)
            ends.append(self.assigned)
            self.assigned = before
            word = "elif"
            i += 2
        self.emit("else:")  # type: ignore[attr-defined]
        last = parts[i] if i < len(parts) else nd.Elided(node.end, node.end)
        self.branch(last, out)
        self.assigned = self.assigned.intersection(*ends)
        self.writer.indent = depth

    def flat_branches(self, node: nd.Conditional, out: str | None) -> None:
        """Compile a conditional without nesting: a branch leaves the function, or a loop run once."""
        parts = node.parts
        depth = self.writer.indent
        if out is not None:
            self.emit("while True:")  # type: ignore[attr-defined]
            self.writer.indent += 1
        for i in range(0, len(parts) - 1, 2):
            self.emit(f"if {self.condition(parts[i])}:", parts[i])  # type: ignore[attr-defined]
            before = set(self.assigned)
            self.branch(parts[i + 1], out)
            self.assigned = before
            if out is not None:
                self.emit(" break")  # type: ignore[attr-defined]
        last = parts[-1] if len(parts) % 2 else nd.Elided(node.end, node.end)
        if out is None:
            self.tail(last)
        else:
            self.result(last, out)
            self.emit("break")  # type: ignore[attr-defined]
        self.writer.indent = depth

    def branch(self, node: nd.Node, out: str | None) -> None:
        """Compile one branch, indented."""
        self.writer.indent += 1
        if out is None:
            self.tail(node)
        else:
            self.result(node, out)
        self.writer.indent -= 1

    def result(self, node: nd.Node, out: str) -> None:
        """Compile the value of a branch into `out`."""
        mark = len(self.writer.lines)
        made = self.expression(node)  # type: ignore[attr-defined]
        self.put(out, mark, made, node)  # type: ignore[attr-defined]
        self.found = joined(self.found, made.shape)

    def condition(self, node: nd.Node) -> str:
        """Compile a condition to a Python expression for `if` or `while`."""
        if isinstance(node, nd.Block) and len(node.statements) == 1:
            return self.condition(node.statements[0])
        if isinstance(node, nd.Dyad) and isinstance(node.verb, nd.Verb):
            name = node.verb.name
            if name in COMPARE:
                x, y = self.in_order([node.left, node.right])  # type: ignore[attr-defined]
                made = self.comparison_code(name, x, y)  # type: ignore[attr-defined]
                if made is None:
                    operand = self.primitive_call(node, self.known_primitive(node.verb), [x, y])  # type: ignore[attr-defined]
                    return f"truth({operand.code})"
                code, shape = made
                if shape is BOOL:
                    return code
                fast, _, rest = code.partition(" if ")
                guard, _, slow = rest.partition(" else ")
                return f"({fast} if {guard} else truth({slow}))"
        operand = self.expression(node)  # type: ignore[attr-defined]
        if operand.kind in ("bool", "int", "long", "float"):
            made = None if operand.is_variable else self.writer.take_back(operand.code)
            return operand.code if made is None else f"({made})"
        return f"({operand.code} if type({operand.code}) is bool else truth({operand.code}))"

    def on_Control(self, node: nd.Control) -> Operand:
        """`if`, `do`, `while`; the value is the generic null."""
        depth = self.writer.indent
        before = self.assigned
        mark = len(self.writer.lines)
        if node.word != "if":
            self.n_loops += 1
        if node.word == "if":
            self.emit(f"if {self.condition(node.condition)}:", node.condition)  # type: ignore[attr-defined]
            self.writer.indent += 1
        elif node.word == "do":
            count = self.expression(node.condition)  # type: ignore[attr-defined]
            self.emit(f"for _ in range(times({count.code})):", node.condition)  # type: ignore[attr-defined]
            self.writer.indent += 1
            self.emit(POLL)  # type: ignore[attr-defined]
        else:
            self.emit("for _ in B.passes:")  # type: ignore[attr-defined]
            self.writer.indent += 1
            self.emit(f"if not {self.condition(node.condition)}: break", node.condition)  # type: ignore[attr-defined]
        self.assigned = set(before)
        start = len(self.writer.lines)
        for statement in node.body:
            if not isinstance(statement, nd.Elided):
                self.perform(statement)
        self.assigned = before
        if node.word == "if":
            self.close_body(start)
        self.writer.indent = depth
        if node.word != "if":
            self.n_loops -= 1
            if self.enters_in_loop and not self.n_loops:
                self.enter_before(mark, depth)
                self.assigned.add("")
        return Operand(self.constant(NIL))  # type: ignore[attr-defined]

    def close_body(self, start: int) -> None:
        """Write a statement where nothing was written since the line `start`: Python has no empty body."""
        if len(self.writer.lines) == start:
            self.emit("pass")  # type: ignore[attr-defined]

    def enter(self) -> None:
        """Write, before the first call in a lambda, what counts the call of the lambda itself and how deep it is.

        In a loop that stands before the loop. A lambda that returns without a call needs none of it.
        """
        self.is_leaf = False
        if self.spec is None or "" in self.assigned:  # type: ignore[attr-defined]
            return
        if self.n_loops:
            self.enters_in_loop = True
            return
        self.assigned.add("")
        for line in ENTRY:
            self.emit(line)  # type: ignore[attr-defined]

    def enter_before(self, mark: int, indent: int) -> None:
        """Write the same before the line `mark`, where a loop begins."""
        self.enters_in_loop = False
        self.writer.lines[mark:mark] = [(" " * indent + line, None) for line in ENTRY]

    def on_Return(self, node: nd.Return) -> Operand:
        """`:x`: leave the function."""
        operand = self.expression(node.value)  # type: ignore[attr-defined]
        self.leave(operand, node)  # type: ignore[attr-defined]
        return Operand(self.constant(NIL))  # type: ignore[attr-defined]

    def on_Signal(self, node: nd.Signal) -> Operand:
        """`'x`: signal an error."""
        operand = self.expression(node.value)  # type: ignore[attr-defined]
        return self.store(f"signal({operand.code})", node)  # type: ignore[attr-defined]

    def on_Block(self, node: nd.Block) -> Operand:
        """A parenthesised expression or `[a;b]`: the value of the last part."""
        operand = Operand(self.constant(NIL))  # type: ignore[attr-defined]
        for statement in node.statements:
            operand = self.expression(statement)  # type: ignore[attr-defined]
        return operand

    def on_PatternAssign(self, node: nd.PatternAssign) -> Operand:
        """`(a;b):x`; the value is that of `x`, as the filters in the pattern leave it."""
        value = self.expression(node.value)  # type: ignore[attr-defined]
        plan = read_pattern(node.target)
        found = self.match_code("match", plan, value, node)
        self.bind(plan, f"{found}[1]", node.is_global)
        return self.store(f"{found}[0]", node)  # type: ignore[attr-defined]

    def on_Match(self, node: nd.Match) -> Operand:
        """`:[x;pattern;result;...;default]`, as a loop that runs once and is left by the first match."""
        value = self.store(self.expression(node.value).code, node)  # type: ignore[attr-defined]
        out = self.temp()  # type: ignore[attr-defined]
        depth = self.writer.indent
        first = set(self.assigned)
        self.emit("while True:")  # type: ignore[attr-defined]
        self.writer.indent += 1
        for i in range(0, len(node.parts) - 1, 2):
            plan = read_pattern(node.parts[i])
            before = set(self.assigned)
            found = self.match_code("attempt", plan, value, node.parts[i])
            self.emit(f"if {found} is not None:", node.parts[i])  # type: ignore[attr-defined]
            self.writer.indent += 1
            self.bind(plan, f"{found}[1]", False)
            result = self.expression(node.parts[i + 1])  # type: ignore[attr-defined]
            self.emit(f"{out} = {result.code}", node.parts[i + 1])  # type: ignore[attr-defined]
            self.emit("break")  # type: ignore[attr-defined]
            self.writer.indent -= 1
            self.assigned = before
        last = node.parts[-1] if len(node.parts) % 2 else nd.Elided(node.end, node.end)
        self.emit(f"{out} = {self.expression(last).code}", last)  # type: ignore[attr-defined]
        self.emit("break")  # type: ignore[attr-defined]
        self.assigned = first
        self.writer.indent = depth
        return Operand(out)

    def match_code(self, how: str, plan: Plan, value: Operand, node: nd.Node) -> str:
        """Write the matching of a pattern; returns the variable that holds what came of it."""
        filters = self.in_order(plan.filters)  # type: ignore[attr-defined]
        codes = "".join(f"{o.code}, " for o in filters)
        code = f"{self.constant(plan)}.{how}({value.code}, ({codes}), at)"  # type: ignore[attr-defined]
        return self.deep(code, node).code  # type: ignore[attr-defined]

    def bind(self, plan: Plan, bound: str, is_global: bool) -> None:
        """Assign what a match has found, the last target first."""
        for i in range(len(plan.targets) - 1, -1, -1):
            target = plan.targets[i]
            indices: list[nd.Node] = target.arguments if isinstance(target, nd.Call) else []
            shell = nd.Assign(
                target.start,
                target.end,
                target_name(target),
                indices,
                None,
                nd.Elided(target.end, target.end),
                is_global,
                isinstance(target, nd.Call),
            )
            self.assign(shell, self.store(f"{bound}[{i}]", target))  # type: ignore[attr-defined]

    def on_TableLiteral(self, node: nd.TableLiteral) -> Operand:
        """`([] a:..; b:..)`; a value left out makes it a projection."""
        pairs = [*node.keys, *node.columns]
        if any(isinstance(value, nd.Elided) for _, value in pairs):
            made = self.constant(table_maker([name for name, _ in pairs], len(node.keys)))  # type: ignore[attr-defined]
            parts = self.arguments([value for _, value in pairs])  # type: ignore[attr-defined]
            return self.store(f"project({made}, {parts})", node)  # type: ignore[attr-defined]
        operands = self.in_order([value for _, value in pairs])  # type: ignore[attr-defined]
        names = self.constant(symbols([name for name, _ in pairs]))  # type: ignore[attr-defined]
        codes = ", ".join(o.code for o in operands)
        n_keys = len(node.keys)
        return self.store(f"rt.table({names}, [{codes}], {n_keys})", node)  # type: ignore[attr-defined]

    def on_Query(self, node: nd.Query) -> Operand:
        """A qSQL query: its clauses become functions of the table's columns."""
        from q_runtime.evaluate.queries import query_plan

        names = self.local_values()
        plan = query_plan(node, self.is_local)  # type: ignore[attr-defined]
        source = self.expression(node.source)  # type: ignore[attr-defined]
        limit = self.expression(node.limit).code if node.limit is not None else "None"  # type: ignore[attr-defined]
        plan_code = self.constant(plan)  # type: ignore[attr-defined]
        return self.deep(  # type: ignore[attr-defined]
            f"rt.query({plan_code}, {source.code}, {names}, {limit})", node
        )

    def functional_query(self, node: nd.Node, glyph: str, args: list[str]) -> Operand:
        """`?` or `!` with the arguments of a query: as in a query text, names in its trees may be locals."""
        return self.deep(  # type: ignore[attr-defined]
            f"rt.query_form({glyph!r}, [{', '.join(args)}], {self.local_values()})", node
        )

    def local_values(self) -> str:
        """Write a dictionary of the locals, for a query whose clauses read them."""
        self.disown()  # type: ignore[attr-defined]
        self.unset |= self.is_local  # type: ignore[attr-defined]
        names = sorted(self.is_local)  # type: ignore[attr-defined]
        return f"{{{', '.join(f'{name!r}: v_{name}' for name in names)}}}"
