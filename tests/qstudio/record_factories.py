"""Records for tests: valid by default, and every part can be named. Needs no Django."""

from __future__ import annotations

from typing import Any

from pipeline import records

GRADER = {"grader": "value-1", "engine": "embedded", "engine_version": "0.1"}


def make_test_case(index: int = 0, **fields: Any) -> records.TestCase:
    """A TestCase of a function that adds one to a number."""
    values = {
        "visibility": "public" if index < 2 else "hidden",
        "arguments": (index,),
        "expected": index + 1,
    }
    return records.TestCase(index=index, **(values | fields))


def make_problem_record(slug: str = "add-one", n_tests: int = 4, **fields: Any) -> records.Problem:
    """A Problem whose reference adds one."""
    values: dict[str, Any] = {
        "slug": slug,
        "title": slug.replace("-", " "),
        "statement": "Add one to a number.",
        "entry_point": "f",
        "params": ({"name": "x", "type": "int"},),
        "returns": "int",
        "reference": "def f(x):\n    return x + 1\n",
        "generator": "def generate(rng):\n    return (rng.randint(0, 99),)\n",
        "tests": tuple(make_test_case(index) for index in range(n_tests)),
        "problem_set": "sums",
        "split": "train",
        "group": slug,
        "difficulty": "easy",
        "tags": ("sums",),
        "licence": "Apache-2.0",
    }
    return records.Problem(**(values | fields))


def make_attempt_record(index: int = 0, problem: str = "add-one", **fields: Any) -> records.Attempt:
    """An Attempt that passed, or what `fields` make of it."""
    verdict = records.Verdict(
        kind=records.VerdictKind.PASSED,
        n_passed=4,
        n_tests=4,
        executions=tuple(
            records.Execution(test_index=n, outcome="passed", actual=str(n + 1), duration_s=0.001)
            for n in range(4)
        ),
        tests_hash="t" * 64,
        **GRADER,
    )
    values: dict[str, Any] = {
        "id": records.content_hash([problem, index]),
        "purpose": "sampling",
        "iteration": 1,
        "problem": problem,
        "sample_index": index,
        "policy": "initial",
        "prompt_id": records.content_hash(problem),
        "completion": records.Completion(
            text="{x+1}", n_tokens=5, finish_reason="stop", sampling_seed=index, temperature=1.0
        ),
        "program": "f:{x+1}",
        "verdict": verdict,
        "split": "train",
    }
    return records.Attempt(**(values | fields))


def make_prompt_record(problem: str = "add-one") -> records.Prompt:
    """The Prompt that such Attempts answer."""
    return records.Prompt(
        id=records.content_hash(problem), problem=problem, text=f"Solve {problem}"
    )
