"""`check_problems` with the real sandbox: which Problems' tests are too weak, and why."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.qstudio.factories import make_problem, make_test_case

pytestmark = pytest.mark.django_db

SIGN = "def f(x):\n    return 1 if x > 90 else 0\n"
NEVER_LARGE = "def generate(rng):\n    return (rng.randint(0, 80),)\n"


def check(*arguments: str) -> tuple[str, str]:
    """What `check_problems` prints, and its error."""
    output, error = StringIO(), ""
    try:
        call_command("check_problems", *arguments, stdout=output)
    except CommandError as raised:
        error = str(raised)
    return output.getvalue(), error


def test_good_tests_are_no_error():
    make_problem()

    output, error = check()

    assert output == "The tests of 1 of 1 Problems are good enough\n"
    assert error == ""


def test_every_problem_that_can_accept_nothing_is_told_with_its_reason():
    zeros = tuple(make_test_case(n, expected=0) for n in range(4))
    make_problem("a-weak", reference=SIGN, generator=NEVER_LARGE, tests=zeros)
    make_problem("b-none", generator="")
    make_problem("c-good")

    output, error = check()

    lines = output.splitlines()
    assert lines[0].startswith("a-weak  weak tests: 100% of the ")
    assert any(line.startswith("b-none  no generator: ") for line in lines)
    assert not any(line.startswith("c-good") for line in lines)
    assert lines[-1] == "The tests of 1 of 3 Problems are good enough"
    assert error.startswith("for 2 Problems nothing can be accepted: ")
    assert "1 for weak tests" in error


def test_blunt_tests_name_the_mutants_that_live_and_an_input_that_is_missing():
    reference = "def f(x):\n    return x if x > -7 else 0 - x\n"
    generator = "def generate(rng):\n    return (rng.choice([rng.randint(4, 900)] * 60 + [-9]),)\n"
    tests = tuple(make_test_case(n, arguments=(n + 3,), expected=n + 3) for n in range(4))
    make_problem("blunt", reference=reference, generator=generator, tests=tests)

    output, error = check("--problem", "blunt")

    assert output.startswith("blunt  blunt tests: ")
    assert "    line 2: `0 - x` becomes `0 + x`  (" in output
    assert error == "for 1 Problem nothing can be accepted: 1 for blunt tests"


def test_json_holds_the_fate_of_every_mutant():
    make_problem()
    make_problem("other", problem_set="others")

    output, error = check("--json", "--set", "sums")

    row, summary = map(json.loads, output.splitlines())
    assert (row["problem"], row["good"], row["kill_rate"], error) == ("add-one", True, 1.0, "")
    assert {mutant["kind"] for mutant in row["mutants"]} >= {"operator", "print_and_exit"}
    assert summary == {"summary": {"problems": 1, "good": 1, "reasons": {}}}


def test_a_problem_that_is_not_there_is_one_sentence():
    assert check("--problem", "nothing") == (
        "",
        "there is no such Problem; see the Problems page",
    )
