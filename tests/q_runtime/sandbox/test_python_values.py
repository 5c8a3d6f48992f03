"""Python references: values in, values out, and every way to fail as data."""

from __future__ import annotations

from typing import Any

import pytest

from q_runtime.sandbox import PythonPool, decode_typed
from tests.q_runtime.sandbox.python_calls import call, run_source, value_of


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        1.5,
        float("inf"),
        "",
        "naïve \u2603 \U0001f600",
        [],
        [1, [2.0, "x"], None],
        (1, (2,)),
        {1, 2, 3},
        {"a": [1], 2: (3,), (4, 5): {"b": set()}},
    ],
    ids=repr,
)
def test_a_value_survives_the_way_there_and_back(python_pool: PythonPool, value: Any) -> None:
    returned = value_of(call(python_pool, "def f(x): return x", value))

    assert returned == value
    assert type(returned) is type(value)


def test_subclasses_of_containers_come_back_as_what_they_extend(python_pool: PythonPool) -> None:
    source = """
from collections import Counter, namedtuple
Pair = namedtuple("Pair", "a b")
def f(text): return [Counter(text), Pair(1, 2)]
"""
    assert value_of(call(python_pool, source, "aab")) == [{"a": 2, "b": 1}, (1, 2)]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("object()", "object"),
        ("len", "builtin_function_or_method"),
        ("1j", "complex"),
        ("b''", "bytes"),
    ],
)
def test_a_result_that_is_not_data_is_an_error(
    python_pool: PythonPool, expression: str, kind: str
) -> None:
    execution = call(python_pool, f"def f(): return {expression}")

    assert execution.status == "python_error"
    assert "unencodable result" in execution.error
    assert kind in execution.error


@pytest.mark.parametrize(
    "body",
    ["x = []; x.append(x); return x", "return 10 ** 100_000", "return float('nan')"],
    ids=["cycle", "huge int", "nan"],
)
def test_odd_results_are_answered(python_pool: PythonPool, body: str) -> None:
    execution = call(python_pool, f"def f():\n    {body}")

    assert execution.status in ("ok", "python_error", "output_limit")


def test_names_of_typing_are_known(python_pool: PythonPool) -> None:
    assert (
        value_of(call(python_pool, "def f(x: List[int]) -> Optional[int]: return x[0]", [7])) == 7
    )


def test_dataclasses_and_recursion_between_functions_work(python_pool: PythonPool) -> None:
    source = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Pair:
    a: int
    b: "int"
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
def f(n): return [even(n), Pair(n, 2).b]
"""
    assert value_of(call(python_pool, source, 10)) == [True, 2]


def test_an_exception_is_named_with_its_message(python_pool: PythonPool) -> None:
    execution = call(python_pool, "def f(x): return 1 // x", 0)

    assert execution.status == "python_error"
    assert execution.error == "ZeroDivisionError: integer division or modulo by zero"


def test_source_that_does_not_compile_has_no_calls(python_pool: PythonPool) -> None:
    result = run_source(python_pool, "def f(:", entry_point="f", calls=((1,),))

    assert result.load.status == "python_error"
    assert result.load.error.startswith("SyntaxError")
    assert result.calls == ()


def test_a_missing_entry_point_is_said(python_pool: PythonPool) -> None:
    assert call(python_pool, "def g(): pass").error == "the source does not define f"


def test_printed_text_is_evidence_of_its_call(python_pool: PythonPool) -> None:
    result = run_source(
        python_pool, "print('load')\ndef f(x): print(x)", entry_point="f", calls=((1,), (2,))
    )

    assert result.load.stdout == "load\n"
    assert [execution.stdout for execution in result.calls] == ["1\n", "2\n"]


def test_expressions_are_evaluated_with_the_names_of_the_source(python_pool: PythonPool) -> None:
    source = """
class Pair(object):
    def __init__(self, a, b): self.a, self.b = a, b
def f(n): return n * 2
"""
    result = run_source(
        python_pool,
        source,
        expressions=(" [f(x) for x in range(3)]", "Pair(5, 24).b", "Pair(5, 24)", "1 +"),
    )

    assert [execution.status for execution in result.expressions] == ["ok"] * 2 + [
        "python_error"
    ] * 2
    assert [execution.value for execution in result.expressions[:2]] == [[0, 2, 4], 24]
    assert result.calls == ()


def test_a_generator_gives_the_same_arguments_for_the_same_seed(python_pool: PythonPool) -> None:
    def run(seed: int) -> list[Any]:
        result = run_source(
            python_pool,
            "def f(xs, k):\n    xs.sort()\n    return xs[:k]",
            entry_point="f",
            generator={
                "source": "def generate(rng):\n    return [rng.randint(0, 99) for _ in range(5)], 2",
                "seed": seed,
                "count": 4,
            },
        )
        for execution in result.calls:
            numbers, count = map(decode_typed, execution.arguments)
            assert decode_typed(execution.value) == sorted(numbers)[:count]
        return [execution.arguments for execution in result.calls]

    assert run(7) == run(7)
    assert run(7) != run(8)
    assert len({str(arguments) for arguments in run(7)}) == 4


@pytest.mark.parametrize(
    "source",
    ["def generate(rng): return [1 // 0]", "no python", "x = 1", "def generate(rng): return 5"],
)
def test_a_generator_that_fails_is_told_apart(python_pool: PythonPool, source: str) -> None:
    result = run_source(
        python_pool,
        "def f(x): return x",
        entry_point="f",
        generator={"source": source, "seed": 1, "count": 2},
    )

    assert [execution.status for execution in result.calls] == ["python_error"] * 2
    assert all(execution.error.startswith("generator: ") for execution in result.calls)
    assert all(execution.arguments is None for execution in result.calls)


def test_the_order_of_sets_is_the_same_in_every_worker(python_pool: PythonPool) -> None:
    source = "def f(): return list({'pear', 'apple', 'fig', 'plum', 'kiwi', 'lime'})"

    assert len({str(value_of(call(python_pool, source))) for _ in range(4)}) == 1
    with PythonPool(1) as other:
        assert value_of(call(other, source)) == value_of(call(python_pool, source))
