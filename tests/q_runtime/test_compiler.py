"""Lambdas to Python: order of evaluation, scoping, fast paths against the general ones."""

from __future__ import annotations

import itertools

import pytest

from q_runtime import QError, Session


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{(x:5)+x}1", 6),
        ("{x+x:5}1", 10),
        ("{(x;x:7)}1", [7, 7]),
        ("{[a]f:{x+1};f a:3}0", 4),
        ("{a:1;b:a+a:5;b}[]", 10),
        ("{y-x}[1;10]", 9),
        ("{z}[1;2;3]", 3),
        ("{$[x;:1;2];3}1b", 1),
        ("{$[x;:1;2];3}0b", 3),
        ("{r:$[x>2;`big;x>1;`mid;`low];r}each 1 2 3", ["low", "mid", "big"]),
        ("{[n]f:{$[x=0;1;x*.z.s x-1]};f n}5", 120),
        ("{x[0]:9;x}1 2 3", [9, 2, 3]),
        ("{1+x[1]+:5}1 2 3", 8),
        ("{a:b:2;a+b}[]", 4),
        ("{}[]", None),
        ("{1;}[]", None),
        ("{if[x;:1];2}each 10b", [1, 2]),
    ],
)
def test_a_lambda_gives(text: str, expected: object) -> None:
    assert expected == Session().eval(text)


def test_a_lambda_does_not_see_the_locals_around_it() -> None:
    with pytest.raises(QError) as caught:
        Session().eval("{inner:7;{inner}[]}[]")

    assert caught.value.code == "inner"


OPERANDS = ["3", "-2", "0", "0N", "0W", "-0W", "1b", "2.5", "0n", "-0w", "3i", "0Nh", "2e"]


@pytest.mark.parametrize(
    "verb", ["+", "-", "*", "%", "<", ">", "<=", ">=", "=", "<>", "&", "|", "div", "mod"]
)
def test_the_inline_path_agrees_with_vectors(verb: str) -> None:
    session = Session()
    session.eval(f"f:{{x {verb} y}}")
    different = []
    for left, right in itertools.product(OPERANDS, OPERANDS):
        inline = session.evaluate_wire(f"f[{left};{right}]")
        vectors = session.evaluate_wire(f"first (enlist {left}) {verb} enlist {right}")
        if inline != vectors:
            different.append((left, right, inline, vectors))

    assert different == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("f:{x+y};f[1;2;3]", "rank"),
        ("{[a]a}[1;2]", "rank"),
        ("{til:3}1", "assign"),
        ("{[a;b;c;d;e;f;g;h;i]1}", "params"),
        ("{if[`a;1]}[]", "type"),
        ("{do[`a;1]}[]", "type"),
    ],
)
def test_a_lambda_is_refused_with(text: str, code: str) -> None:
    with pytest.raises(QError) as caught:
        Session().eval(text)

    assert caught.value.code == code


def test_many_branches_and_long_chains_compile() -> None:
    chain = "+".join(["x"] * 300)
    branches = ";".join(f"x=0+{i};{i}" for i in range(200))

    assert Session().eval(f"{{{chain}}}1") == 300
    assert Session().eval(f"{{$[{branches};-1]}}150") == 150
