"""Tokens to syntax tree, by the grammar of kdb+.

    E: E;e | e      e: nve | te | (nothing)      t: n | v      v: tA | V      n: t[E] | (E) | {E} | N

An expression is read left to right and bound right to left: a noun followed by a verb is infix, a term
followed by anything else is applied to it. A verb has no one-argument use by juxtaposition: `-x`, `+/x` and
`each x` are errors here, as they are in kdb+. Text that begins with `k)` is k, where they are none.
"""

from __future__ import annotations

from q_runtime.errors import QError, QSyntaxError, Span, span_of
from q_runtime.lang import nodes as nd
from q_runtime.lang import tokens as tk
from q_runtime.lang.keywords import CONTROL, INFIX, QUERY, RESERVED
from q_runtime.lang.query_parser import QueryParser
from q_runtime.lang.tokenizer import check_brackets, syntax_error, tokenize
from q_runtime.lang.tokens import Token
from q_runtime.values.functions import NIL

_ENDS = frozenset({tk.SEMI, tk.CLOSE, tk.END})
"""Tokens that no expression holds."""
_WORDS = frozenset({tk.VERB, tk.NAME})
_HEADS = frozenset({tk.ASSIGN, tk.ITERATOR})
"""Tokens that may mean something else at the head of an expression."""
_SUFFIXES = frozenset({tk.OPEN, tk.ITERATOR, tk.ASSIGN})
"""Tokens that may belong to the term before them."""
_SPECIAL = frozenset(CONTROL) | frozenset(QUERY) | frozenset(INFIX)
_TAILS = (nd.Verb, nd.Iterated, nd.LeftBound, nd.Composed)
_MAX_NESTING = 250
_MAX_PARAMETERS = 8
_GLYPHS = frozenset("+-*%&|^=<>$,#_~!?@.")


def parse(source: str) -> list[nd.Node]:
    """Parse one statement text (which may hold several, separated by `;`).

    Raises: QSyntaxError; QError('stack') when it is nested too deep.
    """
    try:
        return Parser(source).program()
    except QError as error:
        error.text = source
        raise
    except RecursionError:
        raise QError("stack", "nested too deep") from None


class Parser(QueryParser):
    """A recursive-descent parser over the tokens of one source text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.is_k = source.startswith("k)")
        self.tokens: list[Token] = tokenize("  " + source[2:] if self.is_k else source)
        self.at = 0
        self.stops: frozenset[str] = frozenset()
        self.nesting = 0
        self.is_clause = False
        """Whether a clause of a query is being read, outside any lambda in it."""

    # -- reading tokens

    def advance(self) -> Token:
        """Read one token."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def fail(self, token: Token, detail: str = "unexpected here") -> QSyntaxError:
        """Build the error for a token out of place."""
        code = token.value if isinstance(token.value, str) and token.value else ""
        if token.kind in (tk.LITERAL, tk.SYMBOLS):
            code = self.source[token.start : token.end]
        return syntax_error(self.source, code or "parse", token.start, detail)

    def at_end(self) -> bool:
        """Say whether the expression being read stops here."""
        token = self.tokens[self.at]
        if token.kind in _ENDS:
            return True
        return bool(self.stops) and token.kind in _WORDS and token.value in self.stops

    # -- statements

    def program(self) -> list[nd.Node]:
        """Parse the whole text as statements."""
        check_brackets(self.source, self.tokens)
        return self.sequence()

    def sequence(self) -> list[nd.Node]:
        """Parse expressions separated by `;` up to a closing bracket or the end."""
        out = [self.expression()]
        while self.tokens[self.at].kind == tk.SEMI:
            self.at += 1
            out.append(self.expression())
        return out

    def bracketed(self, opener: Token) -> list[nd.Node]:
        """Parse what stands between `opener` (already read) and its closing bracket."""
        stops, self.stops = self.stops, frozenset()
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise QError("stack", "brackets nested too deep", self.span(opener))
        out = self.sequence()
        self.nesting -= 1
        self.stops = stops
        self.advance()
        return out

    def span(self, token: Token) -> Span:
        """Locate a token."""
        return span_of(self.source, token.start, token.end)

    # -- expressions

    def expression(self) -> nd.Node:
        """Parse one expression; Elided when there is nothing."""
        token = self.tokens[self.at]
        if self.at_end():
            return nd.Elided(token.start, token.start)
        if token.kind not in _HEADS:
            return self.expression_from(self.term())
        follower = self.tokens[self.at + 1]
        is_verb = follower.kind in (tk.CLOSE, tk.SEMI) or (
            follower.kind == tk.ITERATOR and follower.value != "'" and not follower.spaced
        )
        if token.kind == tk.ASSIGN and token.value == ":" and not is_verb:
            if not (follower.kind == tk.OPEN and follower.value == "[" and not follower.spaced):
                self.advance()
                value = self.expression()
                return nd.Return(token.start, value.end, value)
        if token.kind == tk.ITERATOR and token.value == "'":
            if follower.kind not in (tk.CLOSE, tk.SEMI, tk.END) and follower.value != "[":
                self.advance()
                value = self.expression()
                return nd.Signal(token.start, value.end, value)
        return self.expression_from(self.term())

    def expression_from(self, head: nd.Node) -> nd.Node:
        """Parse the rest of an expression whose first term is `head`.

        Long chains are read in a loop, not by recursion, so that a long line cannot exhaust the stack.
        """
        pending: list[tuple[nd.Node, nd.Node | None]] = []
        while True:
            if isinstance(head, (nd.Verb, nd.Iterated)):
                self.refuse_keyword(head)
                if self.at_end():
                    tail: nd.Node = head
                    break
                pending.append((self.prefix(head), None))
            else:
                kind = self.tokens[self.at].kind
                if kind in _ENDS:
                    tail = head
                    break
                if kind == tk.ASSIGN or (
                    kind == tk.VERB and self.tokens[self.at + 1].kind == tk.ASSIGN
                ):
                    made = self.assignment(head)
                    if made is not None:
                        tail = made
                        break
                if self.stops and self.at_end():
                    tail = head
                    break
                following = self.term()
                if not isinstance(following, (nd.Verb, nd.Iterated)):
                    if _is_identity(following) and self.at_end():
                        tail = self.named_train(head, pending.pop()) if pending else head
                        break
                    pending.append((head, None))
                    head = following
                    continue
                if self.at_end():
                    tail = self.left_bound(head, following)
                    break
                pending.append((head, following))
            token = self.tokens[self.at]
            if token.kind in _HEADS and token.value in (":", "'"):
                tail = self.expression()
                break
            head = self.term()
        for left, verb in reversed(pending):
            tail = self.join(left, verb, tail)
        return tail

    def join(self, left: nd.Node, verb: nd.Node | None, right: nd.Node) -> nd.Node:
        """Bind `left` (and its infix verb) to the expression on its right."""
        if isinstance(right, _TAILS):
            if verb is not None:
                left = nd.LeftBound(left.start, verb.end, verb, left)
            return nd.Composed(left.start, right.end, left, right)
        if verb is None:
            return nd.Monad(left.start, right.end, unary_form(left), right)
        is_unary = isinstance(verb, nd.Verb) and verb.name[1:] == ":" and not verb.name[0].isdigit()
        if is_unary and not self.is_k:
            raise syntax_error(self.source, "nyi", verb.start, "a unary form takes one argument")
        return nd.Dyad(left.start, right.end, verb, left, right)

    def left_bound(self, left: nd.Node, verb: nd.Node) -> nd.Node:
        """Bind a verb that ends an expression to its left argument; one like `,:` is applied to it at once."""
        if isinstance(verb, nd.Verb) and len(verb.name) == 2 and verb.name[1] == ":":
            return nd.Monad(left.start, verb.end, verb, left)
        return nd.LeftBound(left.start, verb.end, verb, left)

    def named_train(self, last: nd.Node, before: tuple[nd.Node, nd.Node | None]) -> nd.Node:
        """Compose a train that `::` ends, as in `sqrt var::`: `last` is the function that takes its arguments."""
        left, verb = before
        if verb is not None:
            left = nd.LeftBound(left.start, verb.end, verb, left)
        return nd.Composed(left.start, last.end, left, last)

    def prefix(self, head: nd.Node) -> nd.Node:
        """Return a verb that stands before its only argument; in k an operator has its one-argument form there.

        Raises: QSyntaxError in q; kdb+ names the end of the verb, which is a blank where one follows.
        """
        if not self.is_k:
            end = self.source[head.end : head.end + 1]
            name = head.name if isinstance(head, nd.Verb) else head.glyph  # type: ignore[attr-defined]
            code = " " if end == " " else name
            raise syntax_error(self.source, code, head.start, "no left argument")
        if isinstance(head, nd.Verb) and head.name not in INFIX and not head.name.endswith(":"):
            return nd.Verb(head.start, head.end, head.name + ":")
        return head

    def assignment(self, target: nd.Node) -> nd.Node | None:
        """Parse an assignment to `target` when one follows, else return None.

        `:[` begins a call, as every verb and a bracket do: `r:[]` applies `r` and assigns nothing.
        """
        token = self.tokens[self.at]
        at = token.start
        verb: nd.Node | None = None
        if token.kind == tk.VERB:
            after = self.tokens[self.at + 1]
            if after.kind != tk.ASSIGN or after.spaced or token.value[0].isdigit():
                return None
            if self.at_end() or not _is_target(target) or self.is_call(self.at + 1):
                return None
            verb = nd.Verb(token.start, token.end, token.value)
            self.advance()
            token = after
        elif token.kind != tk.ASSIGN or self.is_call(self.at):
            return None
        if token.value == "::" and self.tokens[self.at + 1].kind in (tk.CLOSE, tk.SEMI, tk.END):
            return None
        self.advance()
        is_pattern = not _is_target(target)
        if is_pattern and not self.is_pattern(target):
            raise self.fail(token, "not something that can be assigned")
        value = self.expression()
        if isinstance(value, nd.Elided):
            raise self.fail(token, "nothing to assign")
        name = _target_name(target)
        self.refuse_reserved(name, token)
        is_global = token.value == "::"
        if is_pattern:
            return nd.PatternAssign(target.start, value.end, target, value, is_global)
        indexed = isinstance(target, nd.Call)
        indices = target.arguments if isinstance(target, nd.Call) else []
        return nd.Assign(
            target.start, value.end, name, indices, verb, value, is_global, indexed, at
        )

    def is_call(self, at: int) -> bool:
        """Say whether the `:` at a place begins a call, as in `:[x;y]`."""
        follower = self.tokens[at + 1]
        return self.tokens[at].value == ":" and follower.kind == tk.OPEN and follower.value == "["

    def refuse_keyword(self, head: nd.Node) -> None:
        """Refuse an assignment to an infix keyword.

        Raises: QError('assign').
        """
        if self.token.kind == tk.ASSIGN and isinstance(head, nd.Verb):
            self.refuse_reserved(head.name, self.token)

    def refuse_reserved(self, name: str, colon: Token) -> None:
        """Refuse a reserved name left of a colon: of a variable, or of a column.

        Raises: QError('assign').
        """
        if name in RESERVED and not self.is_k:
            raise QError("assign", f"{name} is reserved", self.span(colon))

    def is_pattern(self, node: nd.Node) -> bool:
        """Say whether a node has the brackets that a pattern on the left of a colon needs."""
        if isinstance(node, (nd.ListOf, nd.TableLiteral)):
            return True
        return isinstance(node, nd.Block) and self.source[node.start] == "("

    # -- terms

    def term(self) -> nd.Node:
        """Parse a primary with the brackets and iterators behind it."""
        node = self.primary()
        while True:
            token = self.tokens[self.at]
            if token.kind not in _SUFFIXES:
                return node
            if token.value == "[":
                node = self.call(node)
            elif token.kind == tk.ITERATOR:
                self.at += 1
                node = nd.Iterated(node.start, token.end, token.value, node)
            elif self.is_unary_form(node, token):
                self.at += 1
                node = nd.Verb(node.start, token.end, node.name + ":")  # type: ignore[attr-defined]
            else:
                return node

    def is_unary_form(self, node: nd.Node, token: Token) -> bool:
        """Recognise `#:` and its like: a glyph with a colon right behind it."""
        if token.kind != tk.ASSIGN or token.value != ":" or token.spaced:
            return False
        return isinstance(node, nd.Verb) and len(node.name) == 1 and not node.name.isalpha()

    def call(self, function: nd.Node) -> nd.Node:
        """Parse `[...]` behind `function`.

        In a clause of a query `$[c;a;b]` is no conditional. Source: KX basics/qsql.
        """
        opener = self.advance()
        arguments = self.bracketed(opener)
        end = self.tokens[self.at - 1].end
        is_dollar = isinstance(function, nd.Verb) and function.name == "$"
        if is_dollar and len(arguments) > 2 and not self.is_clause:
            return nd.Conditional(function.start, end, arguments)
        if isinstance(function, nd.Verb) and function.name == ":" and len(arguments) > 2:
            return nd.Match(function.start, end, arguments[0], arguments[1:])
        return nd.Call(function.start, end, function, arguments)

    def primary(self) -> nd.Node:
        """Parse a noun or a verb without what may follow it."""
        token = self.tokens[self.at]
        self.at += 1
        kind = token.kind
        if kind == tk.NAME:
            if token.value in _SPECIAL:
                return self.word(token)
            return nd.Name(token.start, token.end, token.value)
        if kind == tk.LITERAL or kind == tk.SYMBOLS:
            return nd.Constant(token.start, token.end, token.value)
        if kind == tk.VERB:
            return nd.Verb(token.start, token.end, token.value)
        if kind == tk.OPEN:
            if token.value == "(":
                return self.parenthesis(token)
            if token.value == "{":
                return self.function(token)
            body = self.bracketed(token)
            return nd.Block(token.start, self.tokens[self.at - 1].end, body)
        if kind == tk.ASSIGN:
            if token.value == "::":
                return nd.Constant(token.start, token.end, NIL)
            return nd.Verb(token.start, token.end, ":")
        if kind == tk.ITERATOR:
            return nd.Iterated(token.start, token.end, token.value, None)
        self.at -= 1
        raise self.fail(token)

    def word(self, token: Token) -> nd.Node:
        """Parse what a special word introduces: control, a query, an infix keyword; else it is a name like others."""
        name = token.value
        if name in CONTROL and self.token.kind == tk.OPEN and self.token.value == "[":
            parts = self.bracketed(self.advance())
            end = self.tokens[self.at - 1].end
            return nd.Control(token.start, end, name, parts[0], parts[1:])
        if name in QUERY and not (
            self.token.kind == tk.OPEN
            and self.token.value == "["
            and name not in ("select", "exec")
        ):
            return self.query(token)
        if name in INFIX:
            return nd.Verb(token.start, token.end, name)
        return nd.Name(token.start, token.end, name)

    def parenthesis(self, opener: Token) -> nd.Node:
        """Parse `(...)`: a list, a grouped expression or a table."""
        if self.token.kind == tk.OPEN and self.token.value == "[":
            return self.table(opener)
        items = self.bracketed(opener)
        end = self.tokens[self.at - 1].end
        if len(items) == 1:
            inner = items[0]
            if isinstance(inner, nd.Elided):
                return nd.ListOf(opener.start, end, [])
            return nd.Block(opener.start, end, [inner])
        return nd.ListOf(opener.start, end, items)

    def function(self, opener: Token) -> nd.Node:
        """Parse a lambda whose `{` has been read."""
        parameters: list[str] | None = None
        patterns: list[nd.PatternAssign] = []
        if self.token.kind == tk.OPEN and self.token.value == "[":
            parameters, patterns = self.parameters(self.advance())
        outer, self.is_clause = self.is_clause, False
        body = [*patterns, *self.bracketed(opener)]
        self.is_clause = outer
        for pattern in patterns:
            self.refuse_pattern(pattern.target)
        end = self.tokens[self.at - 1].end
        source = ("k)" if self.is_k else "") + self.source[opener.start : end]
        return nd.LambdaNode(opener.start, end, source, parameters, body)

    def refuse_pattern(self, node: nd.Node) -> None:
        """Refuse a parameter that takes no value apart, as `flip p` and `k!p` do.

        Raises: QSyntaxError('nyi').
        """
        if isinstance(node, (nd.Dyad, nd.Monad)):
            head = node.function if isinstance(node, nd.Monad) else node.verb
            if not isinstance(head, (nd.Name, nd.Verb)) or head.name not in ("flip", "!"):
                raise syntax_error(self.source, "nyi", node.start, "no pattern")

    def parameters(self, opener: Token) -> tuple[list[str], list[nd.PatternAssign]]:
        """Parse what stands between the brackets at the head of a lambda.

        Returns the names, and for each pattern the assignment that takes its argument apart; such a
        parameter is named by its position, which no name in q can be.
        """
        names: list[str] = []
        patterns: list[nd.PatternAssign] = []
        given = self.bracketed(opener)
        if len(given) == 1 and isinstance(given[0], nd.Elided):
            return names, patterns
        if len(given) > _MAX_PARAMETERS:
            raise QSyntaxError("params", f"more than {_MAX_PARAMETERS}", self.span(opener))
        for node in given:
            if isinstance(node, nd.Name):
                if node.name in names:
                    raise syntax_error(self.source, node.name, node.start, "parameter named twice")
                names.append(node.name)
                continue
            hidden = str(len(names))
            names.append(hidden)
            if not isinstance(node, nd.Elided):
                argument = nd.Name(node.start, node.end, hidden)
                patterns.append(nd.PatternAssign(node.start, node.end, node, argument))
        return names, patterns


def unary_form(function: nd.Node) -> nd.Node:
    """Return `+:` for an operator in parentheses, as in `(+)x`: there it takes one argument."""
    if isinstance(function, nd.Block) and len(function.statements) == 1:
        inner = function.statements[0]
        if isinstance(inner, nd.Verb) and len(inner.name) == 1 and inner.name in _GLYPHS:
            return nd.Verb(inner.start, inner.end, inner.name + ":")
    return function


def _is_identity(node: nd.Node) -> bool:
    return isinstance(node, nd.Constant) and node.value is NIL


def _target_name(node: nd.Node) -> str:
    """Return the name of the variable that an assignment to `node` changes, "" for a pattern."""
    if isinstance(node, nd.Call):
        node = node.function
    return node.name if isinstance(node, nd.Name) else ""


def _is_target(node: nd.Node) -> bool:
    if isinstance(node, nd.Name):
        return True
    return isinstance(node, nd.Call) and isinstance(node.function, nd.Name)
