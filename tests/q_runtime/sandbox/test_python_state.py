"""Python jobs cannot see one another: each has a process and a scratch directory of its own."""

from __future__ import annotations

from q_runtime import Limits
from q_runtime.sandbox import PythonJob, PythonPool
from tests.q_runtime.sandbox.python_calls import run_source

SPOIL = """
import builtins, math, os, sys
builtins.sum = lambda x: 42
math.pi = 3
sys.modules["json"] = None
os.environ["SPOILED"] = "1"
open("left", "w").write("behind")
def f(): return sum([])
"""
LOOK = """
import json, math, os
def f(): return [sum([]), math.pi > 3.1, os.environ.get("SPOILED"), os.listdir(".")]
"""


def test_a_job_leaves_nothing_behind_for_the_next() -> None:
    with PythonPool(1) as pool:
        for _ in range(3):
            spoiled = run_source(pool, SPOIL, entry_point="f", calls=((),))
            clean = run_source(pool, LOOK, entry_point="f", calls=((),))

            assert spoiled.calls[0].value == 42
            assert clean.calls[0].value == [0, True, None, []]


def test_a_job_that_fills_its_scratch_directory_takes_no_room_from_the_others() -> None:
    fill = """
import os
def f():
    try:
        for number in range(10 ** 6):
            os.close(os.open(str(number), os.O_CREAT))
    except OSError:
        pass
    while True: pass
"""
    keep = """
def f(): return open("kept", "w").write("x" * 100_000)
"""
    jobs = [PythonJob("fill", fill, "f", ((),))]
    jobs += [PythonJob(f"keep {number}", keep, "f", ((),)) for number in range(100)]
    with PythonPool(2, Limits(time_s=1.0)) as pool:
        template = pool._template
        results = {result.key: result.calls[0] for result in pool.run(jobs)}

        assert pool._template is template

    assert results.pop("fill").status == "time_limit"
    assert {(result.status, result.value) for result in results.values()} == {("ok", 100_000)}


def test_a_call_can_leave_something_for_the_next_call_of_its_own_job_only() -> None:
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
    jobs = [PythonJob(str(n), source, "f", ((0,), (0,), (0,))) for n in range(4)]
    with PythonPool(2) as pool:
        for result in pool.run(jobs):
            assert [execution.value for execution in result.calls] == [1, 2, 3]


def test_arguments_of_a_call_are_its_own_even_if_an_earlier_one_changed_them() -> None:
    result_source = "def f(xs):\n    xs.append(0)\n    return xs"
    with PythonPool(1) as pool:
        result = run_source(pool, result_source, entry_point="f", calls=(([1],), ([1],)))

    assert [execution.value for execution in result.calls] == [[1, 0], [1, 0]]
    assert [execution.arguments for execution in result.calls] == [([1],), ([1],)]
