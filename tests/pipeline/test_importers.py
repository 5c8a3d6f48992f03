"""Importers: asserts become typed tests, references are proved, and every refused row says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ImportProblemsError
from pipeline.importers import IMPORT_LIMITS, ImportedRow, import_file, summarize
from pipeline.records import Problem
from pipeline.typed_values import decode_typed
from q_runtime import Limits, PythonJob, PythonPool

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def pool() -> Iterator[PythonPool]:
    """A real sandbox, shared because each job has a process of its own anyway."""
    with PythonPool(n_workers=2, limits=Limits(time_s=2.0)) as python_pool:
        yield python_pool


@pytest.fixture
def patient_pool() -> Iterator[PythonPool]:
    """The sandbox as an import uses it."""
    with PythonPool(n_workers=2, limits=IMPORT_LIMITS) as python_pool:
        yield python_pool


@pytest.fixture
def importing(tmp_path: Path, pool: PythonPool) -> Any:
    """Import rows (objects, or lines as they are) in a format."""

    def run(format_name: str, *rows: dict[str, Any] | str) -> list[ImportedRow]:
        path = tmp_path / "rows.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        return list(import_file(path, format_name, pool))

    return run


def mbpp_row(code: str, *asserts: str, task_id: int = 601, **others: Any) -> dict[str, Any]:
    text = "Say what the function does."
    return {"task_id": task_id, "text": text, "code": code, "test_list": list(asserts), **others}


def humaneval_row(prompt: str, solution: str, check: str) -> dict[str, Any]:
    return {
        "task_id": "HumanEval/7",
        "prompt": prompt,
        "canonical_solution": solution,
        "entry_point": "f",
        "test": f"def check(candidate):\n{check}\n",
    }


def accepted(rows: list[ImportedRow]) -> Problem:
    (row,) = rows
    assert row.problem is not None, row.reasons
    return row.problem


def refusal(rows: list[ImportedRow]) -> str:
    (row,) = rows
    assert not row.accepted
    assert row.problem is None
    return "; ".join(row.reasons)


def test_an_mbpp_row_becomes_a_problem(importing: Any) -> None:
    code = "def add_all(items, bonus=1):\r\n    return sum(items) + bonus"
    problem = accepted(
        importing(
            "mbpp",
            mbpp_row(
                code,
                "assert add_all([1, 2], 3) == 6",
                "assert add_all([]) == 1",
                "assert add_all(items=[5]) == 6",
                "assert add_all([1, 2], 3) == 6",
            ),
        )
    )

    assert (problem.slug, problem.split, problem.entry_point) == ("mbpp-0601", "train", "add_all")
    assert [(param.name, param.type) for param in problem.params] == [
        ("items", "list[int]"),
        ("bonus", "int"),
    ]
    assert problem.returns == "int"
    assert [test.arguments for test in problem.tests] == [([1, 2], 3), ([], 1), ([5], 1)]
    assert [test.visibility for test in problem.tests] == ["public", "hidden", "hidden"]
    assert {test.origin for test in problem.tests} == {"assert"}
    assert (problem.source, problem.licence) == ("google-research/mbpp", "CC BY 4.0")
    assert not problem.is_evaluation_only
    assert "\r" not in problem.reference


@pytest.mark.parametrize(
    ("task_id", "split"),
    [(1, "prompt"), (10, "prompt"), (11, "test"), (510, "test"), (511, "dev"), (601, "train")],
)
def test_mbpp_keeps_its_official_splits(importing: Any, task_id: int, split: str) -> None:
    row = mbpp_row(
        "def f(x):\n    return -x", "assert f(1) == -1", "assert f(2) == -2", task_id=task_id
    )

    assert accepted(importing("mbpp", row)).split == split


def test_a_humaneval_row_becomes_an_evaluation_only_problem(importing: Any) -> None:
    row = humaneval_row(
        "from typing import List, Optional\n\n\ndef f(xs: List[float]) -> Optional[float]:\n"
        '    """The largest item,\n    or None."""\n',
        "    return max(xs) if xs else None\n",
        "    assert candidate([]) is None\n    assert candidate([1, 2]) == 2\n    assert candidate([0]) == 0",
    )
    problem = accepted(importing("humaneval", row))

    assert (problem.slug, problem.split) == ("humaneval-007", "test")
    assert problem.is_evaluation_only
    assert problem.statement == "The largest item,\nor None."
    assert problem.params[0].type == "list[float]"
    assert problem.returns == "optional[float]"
    assert repr(problem.tests[1].arguments) == "([1.0, 2.0],)"
    assert repr([test.expected for test in problem.tests]) == "[None, 2.0, 0.0]"


CHECK_FORMS = """
    import math
    limit = 3
    for n in range(1, limit):
        assert candidate(n) == n / 3
    assert abs(candidate(5) - 1.6667) < 1e-3
    assert abs(2.3333 - candidate(7)) <= 0.001, "seven"
    assert math.isclose(candidate(10), 3.3333, rel_tol=1e-3)
    assert candidate(0) <= 0.0
    assert True
"""


def test_loops_locals_and_tolerances_are_understood(importing: Any) -> None:
    row = humaneval_row('def f(n):\n    """A third."""\n', "    return n / 3\n", CHECK_FORMS)
    problem = accepted(importing("humaneval", row))

    assert [test.arguments[0] for test in problem.tests] == [1, 2, 5, 7, 10, 0]
    assert [test.comparator for test in problem.tests] == [
        "equal",
        "equal",
        "close:0.001",
        "close:0.001",
        "close:0.0033333",
        "equal",
    ]
    assert problem.tests[2].expected == 5 / 3


def test_truth_and_order_forms(importing: Any) -> None:
    row = mbpp_row(
        "def evens(xs):\n    return [x for x in xs if x % 2 == 0]",
        "assert sorted(evens([4, 2])) == [2, 4]",
        "assert set(evens([1, 6])) == {6}",
        "assert not evens([1])",
        "assert tuple(evens([8])) == tuple([8])",
    )
    problem = accepted(importing("mbpp", row))

    assert [test.comparator for test in problem.tests] == [
        "unordered",
        "unordered",
        "equal",
        "equal",
    ]
    assert [test.expected for test in problem.tests] == [[4, 2], [6], [], [8]]


def test_random_loops_give_the_same_tests_every_time(importing: Any) -> None:
    check = "    import random\n    for _ in range(100):\n        x = random.randint(0, 999)\n"
    row = humaneval_row(
        'def f(x):\n    """Twice."""\n',
        "    return 2 * x\n",
        check + "        assert candidate(x) == x + x",
    )
    first, second = accepted(importing("humaneval", row)), accepted(importing("humaneval", row))

    assert first.digest == second.digest
    assert 20 < len(first.tests) <= 40


def test_arguments_are_kept_as_they_were_before_the_call(importing: Any) -> None:
    row = mbpp_row(
        "def drain(xs):\n    total = 0\n    while xs:\n        total += xs.pop()\n    return total",
        "assert drain([1, 2]) == 3",
        "assert drain([5]) == 5",
    )

    assert accepted(importing("mbpp", row)).tests[0].arguments == ([1, 2],)


def test_a_reference_that_tells_ints_from_floats_keeps_both(importing: Any) -> None:
    row = mbpp_row(
        "def is_whole(x):\n    return isinstance(x, int)",
        "assert is_whole(1) == True",
        "assert is_whole(1.5) == False",
    )
    problem = accepted(importing("mbpp", row))

    assert problem.params[0].type == "any"
    assert repr([test.arguments for test in problem.tests]) == "[(1,), (1.5,)]"


def test_the_order_of_a_python_set_does_not_count(importing: Any) -> None:
    row = mbpp_row(
        "def common(a, b):\n    return tuple(set(a) & set(b))",
        "assert common((1, 2, 3), (3, 2)) == (2, 3)",
        "assert common((4,), (4,)) == (4,)",
    )

    assert {test.comparator for test in accepted(importing("mbpp", row)).tests} == {"unordered"}


@pytest.mark.parametrize(
    ("code", "asserts", "reason"),
    [
        ("def f(x):\n    return x", ["assert f(1) == 2"], "assert 1 fails on the reference"),
        ("def f(x):\n    return 1 // x", ["assert f(0) == 0"], "assert 1 raises ZeroDivisionError"),
        (
            "def f(x):\n    return 10 ** x",
            ["assert f(1) == 10", "assert f(30) > 0"],
            "does not fit",
        ),
        ("def f(x):\n    return {(x, x): 1}", ["assert f(1)", "assert f(2)"], "neither text nor"),
        ("def f(x):\n    return x * 1j", ["assert f(1) == 1j"], "the result holds a complex"),
        ("def f(x):\n    return x", ["assert f(int) == int"], "an argument holds a type"),
        ("def f(x):\n    return x", ["assert f('é') == 'é'", "assert f('') == ''"], "not ASCII"),
        ("def f(x):\n    return x", ["assert f(1) == 1"], "1 different test; at least 2"),
        ("def f(*x):\n    return 1", ["assert f(1) == f(1, 2)"], "1 and 2 arguments"),
        ("def f():\n    return 1", ["assert f() == 1"], "takes 0 arguments"),
        ("def f(x, *, y):\n    return x", ["assert f(1, y=2) == 1"], "keyword-only"),
        ("def f(x)\n    return x", ["assert f(1) == 1"], "not valid Python (line 1"),
        ("def f(x):\n    return x", ["assert f(1) =="], "assert 1 of 'test_list' is not valid"),
        ("def f(x):\n    return x", ["assert g(1) == 1"], "no assert calls a function"),
        ("def f(x):\n    return x", [], "'test_list' is empty"),
        ("raise ValueError('no')\ndef f(x):\n    return x", ["assert f(1)"], "cannot be loaded"),
        ("def f(x):\n    while x:\n        pass", ["assert f(1) == 1"], "it takes too long"),
        ("def f(x):\n    return id(x)", ["assert f(1) > 0"], "asks the Python interpreter"),
        (
            "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls)",
            ["assert f(1) == 1", "assert f(2) == 2"],
            "different answers from the reference when it is repeated",
        ),
        (
            "def f(x):\n    return list(set(x))[0]",
            ["assert f([1, 2]) == 1", "assert f([3, 4]) == 3"],
            "the order in which Python happens to keep a set",
        ),
    ],
)
def test_a_refused_row_says_why(importing: Any, code: str, asserts: list[str], reason: str) -> None:
    assert reason in refusal(importing("mbpp", mbpp_row(code, *asserts)))


def test_malformed_lines_do_not_stop_the_rest(importing: Any) -> None:
    good = mbpp_row("def f(x):\n    return x", "assert f(1) == 1", "assert f(2) == 2")
    rows = importing("mbpp", "{not json", "[1]", "", {"task_id": 602}, good, good, {"task_id": "x"})

    assert [row.row_number for row in rows] == [1, 2, 4, 5, 6, 7]
    assert [row.accepted for row in rows] == [False, False, False, True, False, False]
    reasons = ["; ".join(row.reasons) for row in rows]
    assert "not JSON: Expecting property name" in reasons[0]
    assert "not an object" in reasons[1]
    assert reasons[2] == "the field 'code' is missing"
    assert reasons[4] == "line 5 has the same id; only the first counts"
    assert "'task_id' is missing or not a number" in reasons[5]


def test_a_file_that_cannot_be_read_is_one_clear_error(pool: PythonPool, tmp_path: Path) -> None:
    with pytest.raises(ImportProblemsError, match="check its name and permissions"):
        list(import_file(tmp_path / "absent.jsonl", "mbpp", pool))
    with pytest.raises(ImportProblemsError, match="use one of humaneval, mbpp, q-humaneval"):
        list(import_file(tmp_path / "absent.jsonl", "parquet", pool))


def q_row(task_id: int, name: str, text: str, check: str) -> dict[str, Any]:
    prompt = f"// @overview\n// {text}\n//\n// @param x {{float[]}} Numbers.\n//\n// @return {{float}} A number.\n"
    prompt += f"{name}:{{[x]\n    / function body\n    }}"
    tests = f"def check(candidate):\n{check}"
    return {"task_id": task_id, "prompt": prompt, "tests": tests, "entry_point": name}


def test_q_rows_stand_on_what_their_asserts_state(importing: Any) -> None:
    check = "    assert candidate([1, 2]) == 3\n    assert abs(candidate([0.5]) - 0.5) < 1e-6"
    problem = accepted(importing("q-humaneval", q_row(4, "total", "Add the numbers.", check)))

    assert problem.reference == problem.generator == ""
    assert problem.is_evaluation_only
    assert problem.statement == "Add the numbers."
    assert (problem.params[0].type, problem.returns) == ("list[float]", "float")
    assert repr(problem.tests[0].expected) == "3.0"
    assert problem.tests[1].comparator == "close:1e-06"


def test_faulty_q_rows_are_named(importing: Any) -> None:
    fine = "    assert candidate([1]) == 1\n    assert candidate([2]) == 2"
    rows = importing(
        "q-humaneval",
        q_row(1, "first_part", "Sum up all numbers of the list.", fine),
        q_row(2, "sum_numbers", "Sum up all numbers of the list.", fine),
        q_row(3, "root", "Find a root.", "    assert helper(candidate([1])) < 1e-4"),
        q_row(5, "near", "Be near.", fine + "\n    assert candidate([3]) < 4"),
    )

    assert [row.accepted for row in rows] == [False, True, False, False]
    assert rows[0].reasons == ("the description is that of another task, 'sum_numbers'",)
    assert "the tests use 'helper', which nothing defines" in rows[2].reasons[0]
    assert rows[3].reasons == ("assert 3 states no expected value, and the row has no reference",)


def test_own_rows_bring_generator_and_solution(importing: Any) -> None:
    row = {
        "id": "Double It",
        "statement": "Double a number.",
        "reference": "def double(x: int) -> int:\n    return 2 * x\n",
        "tests": ["assert double(1) == 2", "assert double(4) == 8"],
        "generator": "def generate(rng):\n    return (rng.randint(0, 10**6),)\n",
        "solution": "double:{2*x}",
        "split": "dev",
        "tags": ["arithmetic"],
        "licence": "Apache-2.0",
    }
    (imported,) = importing("jsonl", row)

    assert imported.solution == "double:{2*x}"
    assert imported.problem is not None
    assert (imported.problem.slug, imported.problem.split) == ("double-it", "dev")
    assert imported.problem.generator == row["generator"]
    assert "expected one of train, dev" in refusal(importing("jsonl", {**row, "split": "best"}))


def test_pairs_of_python_and_q_take_answers_from_the_reference(importing: Any) -> None:
    row = {
        "problem_id": 12,
        "problem_name": "running_sum",
        "problem_description": "Sum as you go.",
        "python_solution": "def solve(xs):\n    return [sum(xs[: i + 1]) for i in range(len(xs))]\n",
        "q_solution": "solve:sums",
        "test_cases": [
            {
                "python_test_code": "result = solve([1, 2])\nprint(result)",
                "correct_answer": "[1, 3]",
            },
            {"python_test_code": "print(solve([5]))"},
        ],
    }
    problem = accepted(importing("q-problems", row))

    assert [test.expected for test in problem.tests] == [[1, 3], [5]]
    assert problem.slug == "q-problems-12"


def test_an_inferred_generator_respects_what_was_observed(importing: Any, pool: PythonPool) -> None:
    row = mbpp_row(
        "def f(xs, n, word):\n    return xs[n - 1] if xs == sorted(xs) and word else 1 // 0",
        "assert f([1, 4, 9], 3, 'ab') == 9",
        "assert f([2, 3], 2, 'b') == 3",
        "assert f([0, 5, 5, 7], 4, 'ba') == 7",
    )
    problem = accepted(importing("mbpp", row))
    generator: Any = {"source": problem.generator, "seed": 1, "count": 50}
    job = PythonJob("k", problem.reference, "f", generator=generator)
    (result,) = pool.run([job])
    inputs = [tuple(map(decode_typed, call.arguments or ())) for call in result.calls]

    assert {call.status for call in result.calls} == {"ok"}
    assert all(xs == sorted(xs) and n == len(xs) and word for xs, n, word in inputs)
    assert len(set(map(repr, inputs))) > 25


def test_a_summary_counts_reasons_by_kind(importing: Any) -> None:
    code = "def f(x):\n    return x"
    report = summarize(
        importing(
            "mbpp",
            mbpp_row(code, "assert f(1) == 1", "assert f(2) == 2", task_id=1),
            mbpp_row(code, "assert f(1) == 2", task_id=2),
            mbpp_row(code, "assert f(1) == 1", "assert f(2) == 1", task_id=3),
        )
    )

    assert (report.n_rows, report.n_accepted, report.accepted_share) == (3, 1, pytest.approx(1 / 3))
    assert report.reasons == {"assert N fails on the reference": 2}
    assert report.lines()[0].startswith("1 of 3 rows accepted (33.3%)")


@pytest.mark.parametrize(
    ("name", "format_name", "n_rows", "least"),
    [
        ("HumanEval.jsonl", "humaneval", 164, 163),
        ("q_humaneval.jsonl", "q-humaneval", 164, 158),
        ("mbpp.jsonl", "mbpp", 120, 116),
    ],
)
def test_public_problem_sets_are_accepted(
    patient_pool: PythonPool, tmp_path: Path, name: str, format_name: str, n_rows: int, least: int
) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"the public problem set {name} is not beside the project")
    rows = (DATA / name).read_text(encoding="utf-8").splitlines(keepends=True)[:n_rows]
    path = tmp_path / name
    path.write_text("".join(rows), encoding="utf-8")
    report = summarize(import_file(path, format_name, patient_pool))

    assert report.n_rows == n_rows
    assert report.n_accepted >= least, report.lines()


@pytest.mark.slow
def test_all_of_mbpp_is_imported(patient_pool: PythonPool) -> None:
    path = DATA / "mbpp.jsonl"
    if not path.exists():
        pytest.skip("the public problem set mbpp.jsonl is not beside the project")
    report = summarize(import_file(path, "mbpp", patient_pool))

    assert report.n_rows == 974
    assert report.n_accepted >= 955, report.lines()


TWO_ROOTS = {
    "id": "root",
    "statement": "A number whose square is n.",
    "reference": "def root(n):\n    return round(n ** 0.5)",
    "tests": [
        "assert root(4) in (2, -2)",
        "assert root(9) in [-3, 3]",
        "assert root(1) == 1",
        "assert root(16) in range(10)",
    ],
}


def test_several_acceptable_values_are_all_kept(importing: Any) -> None:
    (row,) = importing("jsonl", TWO_ROOTS)
    problem = accepted([row])

    assert [(test.comparator, test.expected) for test in problem.tests] == [
        ("any_of", [2, -2]),
        ("any_of", [-3, 3]),
        ("equal", 1),
        ("equal", 4),
    ]
    assert problem.returns == "int"
    assert problem.generator == ""
    assert row.reasons == ("no input generator: the tests name several acceptable values",)


def test_tests_that_compare_in_different_ways_leave_the_generator_out(importing: Any) -> None:
    tests = ["assert half(3) == 1.5", "assert abs(half(5) - 2.5) < 1e-6", "assert half(8) == 4.0"]
    reference = "def half(n: int) -> float:\n    return n / 2"
    row = {"id": "half", "statement": "Half of n.", "reference": reference, "tests": tests}
    generator = "def generate(rng):\n    return (rng.randint(0, 99),)\n"
    (found,) = importing("jsonl", row)
    cause = "the tests are compared in different ways (close:1e-06, equal)"

    assert accepted([found]).generator == ""
    assert found.reasons == (f"no input generator: {cause}",)
    assert refusal(importing("jsonl", {**row, "generator": generator})) == (
        f"it has a generator, but {cause}: nothing says which answers to a fresh input are right, "
        "so leave out the generator, or give every assert one answer and the same form"
    )


def test_acceptable_values_have_one_type_together(importing: Any) -> None:
    row = {**TWO_ROOTS, "tests": ["assert root(4) in (2, -2.5)", "assert root(9) in {3}"]}
    problem = accepted(importing("jsonl", row))

    assert problem.returns == "float"
    assert [test.expected for test in problem.tests] == [[2.0, -2.5], [3.0]]


def test_an_answer_that_is_not_among_the_acceptable_ones_refuses_the_row(importing: Any) -> None:
    row = {**TWO_ROOTS, "tests": ["assert root(4) in (3, 5)", "assert root(9) == 3"]}

    assert refusal(importing("jsonl", row)) == "assert 1 fails on the reference"


def test_a_generator_does_not_go_with_several_acceptable_values(importing: Any) -> None:
    row = {**TWO_ROOTS, "generator": "def generate(rng):\n    return (rng.randint(0, 9) ** 2,)"}

    assert refusal(importing("jsonl", row)).startswith(
        "it has a generator, but the tests name several acceptable values: "
    )
