"""The qSQL and table-literal part of the parser; mixed into Parser.

Reads `select ... by ... from ... where ...` and `([keys] columns)` into nodes.
"""

from __future__ import annotations

from q_runtime.errors import QSyntaxError, span_of
from q_runtime.lang import nodes as nd
from q_runtime.lang import tokens as tk
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.tokens import Token

_COLUMN_STOPS = frozenset({",", "by", "from"})
_WHERE_STOPS = frozenset({","})
_ENDS = frozenset({tk.END, tk.CLOSE, tk.SEMI})
_WORDS = frozenset({"by", "from", "where"})
"""What ends a clause of a query."""
_ARITHMETIC = frozenset({"+", "-", "*", "%", "&", "|", "<", ">", "=", "~", "<=", ">=", "<>"})


class QueryParser:
    """What Parser needs to read queries; relies on Parser's token methods."""

    source: str
    tokens: list[Token]
    at: int
    stops: frozenset[str]
    is_clause: bool

    @property
    def token(self) -> Token:
        """The token not read yet."""
        return self.tokens[self.at]

    def query(self, word: Token) -> nd.Node:
        """Parse a query whose first word has been read."""
        kept = self.stops
        node = nd.Query(word.start, word.end, word.value, [], None, nd.Elided(0, 0))
        if self.token.kind == tk.OPEN and self.token.value == "[":
            self._brackets(node)
        if self.token.kind == tk.NAME and self.token.value == "distinct" and word.value == "select":
            self.advance()  # type: ignore[attr-defined]
            node.distinct = True
        node.columns, node.named_columns = self.clauses(_COLUMN_STOPS)
        if self._takes("by"):
            node.by, node.named_by = self.clauses(_COLUMN_STOPS)
        if word.value in ("select", "exec"):
            self._name_apart(node)
        if not self._takes("from"):
            at = self.token.start
            raise QSyntaxError("from", "expected from", span_of(self.source, at, at + 1))
        self.stops = frozenset({"where"}) | (kept & _WHERE_STOPS)
        node.source = self.expression()  # type: ignore[attr-defined]
        if self._takes("where"):
            node.where = [value for _, value in self.clauses(_WHERE_STOPS)[0]]
        self.stops = kept
        node.end = self.tokens[self.at - 1].end
        node.text = self.source[node.start : node.end]
        return node

    def _name_apart(self, node: nd.Query) -> None:
        """Number the repeated names of columns and of groups; a `select` has none in both.

        Raises: QSyntaxError('dup names for cols/groups NAME').
        """
        node.columns = _numbered(node.columns)
        if node.by is None:
            return
        node.by = _numbered(node.by)
        groups = {name for name, _ in node.by}
        for name, value in node.columns if node.word == "select" else ():
            if name in groups:
                code = f"dup names for cols/groups {name}"
                raise QSyntaxError(code, "", span_of(self.source, value.start, value.end))

    def _takes(self, word: str) -> bool:
        if self.token.kind == tk.NAME and self.token.value == word:
            self.at += 1
            return True
        return False

    def _brackets(self, node: nd.Query) -> None:
        """Parse `[n]`, `[m n]`, `[>col]` or `[n;>col]` after the first word of a query."""
        self.advance()  # type: ignore[attr-defined]
        kept, self.stops = self.stops, frozenset()
        if not self._starts_order():
            node.limit = self.expression()  # type: ignore[attr-defined]
            if self.token.kind == tk.SEMI:
                self.advance()  # type: ignore[attr-defined]
                if not self._starts_order():
                    raise self.fail(self.token, "expected < or > and a column")  # type: ignore[attr-defined]
        if self._starts_order():
            descending = self.advance().value == ">"  # type: ignore[attr-defined]
            node.order = (descending, self.expression())  # type: ignore[attr-defined]
        if self.token.kind != tk.CLOSE or self.token.value != "]":
            raise self.fail(self.token, "expected ]")  # type: ignore[attr-defined]
        self.advance()  # type: ignore[attr-defined]
        self.stops = kept

    def _starts_order(self) -> bool:
        return self.token.kind == tk.VERB and self.token.value in ("<", ">")

    def clauses(self, stops: frozenset[str]) -> tuple[list[tuple[str, nd.Node]], frozenset[int]]:
        """Parse expressions separated by commas, each with its column name.

        Also returns the places of those whose name was written.
        """
        out: list[tuple[str, nd.Node]] = []
        named: set[int] = set()
        outer, self.is_clause = self.is_clause, True
        self.stops = stops
        while not (self.token.kind == tk.NAME and self.token.value in stops):
            if self.token.kind in _ENDS:
                break
            name = ""
            after = self.tokens[self.at + 1]
            if self.token.kind == tk.NAME and after.kind == tk.ASSIGN and after.value == ":":
                name = self.token.value
                named.add(len(out))
                self.at += 2
            value = self.expression()  # type: ignore[attr-defined]
            self.refuse_reserved(name, after)  # type: ignore[attr-defined]
            out.append((name or column_name(value), value))
            if self.token.kind != tk.VERB or self.token.value != ",":
                break
            comma = self.advance()  # type: ignore[attr-defined]
            if self.token.kind in _ENDS or self.token.value in _WORDS:
                raise self.fail(comma, "nothing follows")  # type: ignore[attr-defined]
        self.is_clause = outer
        return out, frozenset(named)

    def table(self, opener: Token) -> nd.Node:
        """Parse `([keys] columns)`; the `(` has been read."""
        self.advance()  # type: ignore[attr-defined]
        kept, self.stops = self.stops, frozenset()
        taken: set[str] = set()
        keys = self.columns("]", taken)
        columns = self.columns(")", taken)
        self.stops = kept
        return nd.TableLiteral(opener.start, self.tokens[self.at - 1].end, keys, columns)

    def columns(self, closer: str, taken: set[str]) -> list[tuple[str, nd.Node]]:
        """Parse `name:value; ...` up to `closer`, which is read too.

        A name that was not written and is `taken` gets a number behind it.
        """
        out: list[tuple[str, nd.Node]] = []
        while True:
            token = self.token
            if token.kind == tk.CLOSE and token.value == closer:
                self.advance()  # type: ignore[attr-defined]
                return out
            after = self.tokens[self.at + 1]
            name = ""
            if token.kind == tk.NAME and after.kind == tk.ASSIGN and after.value == ":":
                name = token.value
                self.at += 2
            value = self.expression()  # type: ignore[attr-defined]
            self.refuse_reserved(name, after)  # type: ignore[attr-defined]
            if name or not isinstance(value, nd.Elided):
                out.append((name or free_name(column_name(value), taken), value))
                taken.add(out[-1][0])
            if self.token.kind == tk.SEMI:
                self.advance()  # type: ignore[attr-defined]


def _numbered(columns: list[tuple[str, nd.Node]]) -> list[tuple[str, nd.Node]]:
    """Return columns of different names: one that is taken gets a number behind it."""
    taken: set[str] = set()
    out = []
    for name, value in columns:
        out.append((free_name(name, taken), value))
        taken.add(out[-1][0])
    return out


def free_name(name: str, taken: set[str]) -> str:
    """Return `name`, with the first number behind it that makes it a new one."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}{number}"
    return found


def column_name(node: nd.Node) -> str:
    """Return the name that a column without one gets: its rightmost variable, else `x`.

    Of a sum, another operation of arithmetic or a comparison only the left side counts: `a+b` is `a`, `2*a` is `x`.
    """
    found = _rightmost(node)
    return "x" if found in ("", "i") else found.rsplit(".", 1)[-1]


def _is_arithmetic(verb: nd.Node) -> bool:
    return isinstance(verb, nd.Verb) and verb.name in _ARITHMETIC


def _rightmost(node: nd.Node) -> str:
    if isinstance(node, nd.Name):
        return "" if node.name in RESERVED else node.name
    if isinstance(node, nd.Monad):
        parts: list[nd.Node] = [node.function, node.argument]
    elif isinstance(node, nd.Dyad):
        parts = [node.left] if _is_arithmetic(node.verb) else [node.left, node.right]
    elif isinstance(node, nd.Call):
        is_dyad = _is_arithmetic(node.function) and len(node.arguments) == 2
        parts = node.arguments[:1] if is_dyad else [node.function, *node.arguments]
    elif isinstance(node, nd.Assign):
        return node.name
    elif isinstance(node, nd.ListOf):
        parts = node.items
    elif isinstance(node, nd.Block):
        parts = list(node.statements)
    else:
        parts = []
    for part in reversed(parts):
        found = _rightmost(part)
        if found:
            return found
    return ""
