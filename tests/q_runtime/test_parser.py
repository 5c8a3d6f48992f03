"""Tokens to trees: the grammar, and the errors it reports with line and column."""

from __future__ import annotations

import pytest

from q_runtime import QError
from q_runtime.lang import nodes as nd
from q_runtime.lang.parser import parse


def shape(node: nd.Node) -> object:
    """Return a tree as nested tuples of the essentials."""
    match node:
        case nd.Constant():
            return node.value
        case nd.Name() | nd.Verb():
            return node.name
        case nd.Iterated():
            return (node.glyph, shape(node.base) if node.base else None)
        case nd.Monad():
            return ("monad", shape(node.function), shape(node.argument))
        case nd.Dyad():
            return ("dyad", shape(node.verb), shape(node.left), shape(node.right))
        case nd.LeftBound():
            return ("bound", shape(node.verb), shape(node.left))
        case nd.Composed():
            return ("composed", shape(node.outer), shape(node.inner))
        case nd.Call():
            return ("call", shape(node.function), *map(shape, node.arguments))
        case nd.Block():
            return ("block", *map(shape, node.statements))
        case nd.ListOf():
            return ("list", *map(shape, node.items))
        case nd.Assign():
            return ("assign", node.name, shape(node.value))
        case nd.Conditional():
            return ("cond", *map(shape, node.parts))
        case nd.LambdaNode():
            return ("lambda", node.parameters, *map(shape, node.body))
        case nd.Elided():
            return None
    return type(node).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1+2*3", ("dyad", "+", 1, ("dyad", "*", 2, 3))),
        ("f x", ("monad", "f", "x")),
        ("f g x", ("monad", "f", ("monad", "g", "x"))),
        ("f x+1", ("monad", "f", ("dyad", "+", "x", 1))),
        ("f[x]+1", ("dyad", "+", ("call", "f", "x"), 1)),
        ("f[;1]", ("call", "f", None, 1)),
        ("(+/)x", ("monad", ("block", ("/", "+")), "x")),
        ("x f/y", ("dyad", ("/", "f"), "x", "y")),
        ("x f'y", ("dyad", ("'", "f"), "x", "y")),
        ("x +/:\\:y", ("dyad", ("\\:", ("/:", "+")), "x", "y")),
        ("1+", ("bound", "+", 1)),
        ("f each x", ("dyad", "each", "f", "x")),
        ("x in y", ("dyad", "in", "x", "y")),
        ("first reverse@", ("composed", "first", ("bound", "@", "reverse"))),
        ("(1;2)", ("list", 1, 2)),
        ("(+)", ("block", "+")),
        ("a:b:1", ("assign", "a", ("assign", "b", 1))),
        ("$[a;b;c]", ("cond", "a", "b", "c")),
        ("$[a;b]", ("call", "$", "a", "b")),
        ("{x+1}", ("lambda", None, ("dyad", "+", "x", 1))),
        ("{[a;b]a}", ("lambda", ["a", "b"], "a")),
        ("{[]1}", ("lambda", [], 1)),
        ("'[f;g]", ("call", ("'", None), "f", "g")),
    ],
)
def test_the_tree_of(text: str, expected: object) -> None:
    (node,) = parse(text)

    assert expected == shape(node)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("-x", "-", 1, 1),
        ("1==2", "=", 1, 3),
        ("(1;2", "(", 1, 1),
        ("f[1;2", "[", 1, 2),
        ("{x+\n (1", "(", 2, 2),
        ("1)", ")", 1, 2),
        ("(1]", "]", 1, 3),
        ("1:2", "1:", 1, 1),
        ("f:", ":", 1, 2),
    ],
)
def test_a_parse_error_names_the_character_and_its_place(
    text: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(QError) as caught:
        parse(text)

    assert (code, line, column) == (
        caught.value.code,
        caught.value.span.line,
        caught.value.span.column,
    )


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(QError) as caught:
        parse("(" * 5000 + ")" * 5000)

    assert caught.value.code == "stack"


def test_every_part_of_nested_applications_is_read_once() -> None:
    n = 100
    (node,) = parse("f (" * n + "x" + ")" * n)

    depth = 0
    while isinstance(node, nd.Monad):
        assert isinstance(node.argument, nd.Block)
        (node,) = node.argument.statements
        depth += 1
    assert depth == n


def test_a_long_chain_of_operators_parses() -> None:
    (node,) = parse("+".join(["1"] * 900))

    assert isinstance(node, nd.Dyad)
