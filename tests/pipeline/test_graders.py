"""The graders beside `value-1`: their documented tables, and what a table cannot show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import GradingError
from pipeline.graders import DEFAULT_GRADER, GRADERS, find_grader
from pipeline.graders.kx import compare_as_kx
from pipeline.graders.text import same_text
from pipeline.grading import grade
from pipeline.records import TestCase
from pipeline.typed_values import encode_typed, to_wire
from q_runtime import ExecutionResult, ProgramResult, Session
from tests.pipeline.grading_tables import comparator_rows, equality_rows

TABLES = [
    pytest.param(grader, *row.values, id=f"{grader}: {row.id}")
    for grader in GRADERS
    for row in equality_rows(f"The grader `{grader}`")
]


@pytest.fixture(scope="module")
def session() -> Session:
    """One embedded session: the tables' q values keep no state."""
    return Session()


def make_test(expected: Any, comparator: str = "equal") -> TestCase:
    return TestCase(
        index=0,
        visibility="hidden",
        arguments=(),
        expected=encode_typed(expected),
        comparator=comparator,
    )


def outcome_of(
    grader: str,
    expected: Any,
    type_text: str,
    value: Any,
    comparator: str = "equal",
    text: str = "",
) -> str:
    test = make_test(expected, comparator)
    difference = find_grader(grader).compare(test, type_text, value, text)
    return difference.kind if difference else "equal"


@pytest.mark.parametrize(("grader", "type_text", "expected", "q_text", "outcome"), TABLES)
def test_documented_rules(
    session: Session, grader: str, type_text: str, expected: Any, q_text: str, outcome: str
) -> None:
    assert outcome == outcome_of(grader, expected, type_text, session.evaluate_wire(q_text))


def test_every_grader_has_a_table() -> None:
    assert list(GRADERS) == ["value-1", "text-1", "kx-1"]
    assert [grader.id for grader in GRADERS.values()] == list(GRADERS)
    assert DEFAULT_GRADER == "value-1"
    assert min(len(equality_rows(f"The grader `{grader}`")) for grader in GRADERS) > 30


@pytest.mark.parametrize(
    ("comparator", "type_text", "expected", "q_text", "outcome"), comparator_rows()
)
def test_what_the_default_accepts_under_a_comparator_others_accept_unless_text_tells_them_apart(
    session: Session, comparator: str, type_text: str, expected: Any, q_text: str, outcome: str
) -> None:
    value = session.evaluate_wire(q_text)
    is_list = isinstance(expected, list)
    if outcome == "equal" and not (comparator.startswith("close:") and is_list):
        assert outcome_of("kx-1", expected, type_text, value, comparator) == "equal"
    if outcome == "equal" and comparator in ("equal", "any_of"):
        assert outcome_of("text-1", expected, type_text, value, comparator) == "equal"


def test_an_unknown_grader_is_one_sentence() -> None:
    with pytest.raises(
        GradingError, match="no grader 'value-9'; choose one of value-1, text-1, kx-1"
    ):
        find_grader("value-9")


def test_what_a_program_prints_is_part_of_its_text() -> None:
    three = to_wire(3, "int")

    assert outcome_of("text-1", 3, "int", three, text="so:\n") == "wrong_text"
    assert outcome_of("text-1", 3, "int", three, text="\n \n") == "equal"
    assert outcome_of("text-1", 3, "int", {"t": 101, "v": "::"}, text="3\n") == "equal"
    assert outcome_of("value-1", 3, "int", three, text="so:\n") == "equal"
    assert outcome_of("kx-1", 3, "int", three, text="so:\n") == "equal"


def test_what_is_printed_while_loading_counts_as_well() -> None:
    load = ExecutionResult("ok", {"t": 101, "v": "::"}, stdout="hello\n")
    result = ProgramResult("k", load, (ExecutionResult("ok", to_wire(3, "int")),))

    verdicts = {
        name: grade(
            [make_test(3)], "int", result,
            engine="embedded", engine_version="1", tests_hash="t", grader=grader,
        )
        for name, grader in GRADERS.items()
    }  # fmt: skip

    assert {name: verdict.grader for name, verdict in verdicts.items()} == {
        name: name for name in GRADERS
    }
    assert [verdict.kind.value for verdict in verdicts.values()] == [
        "passed",
        "wrong_answer",
        "passed",
    ]
    assert verdicts["text-1"].reason == 'test 0: printed "hello 3", expected "3"'


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ("1 2\n", "1 2", True),
        ("1 2", "1  2", False),
        ("", '""', True),
        ('""\n', "", True),
        ("", "", True),
        ("", "()", False),
        ("A", "a", False),
    ],
)
def test_the_rule_of_text(actual: str, expected: str, same: bool) -> None:
    assert same_text(actual, expected) is same


@pytest.mark.parametrize(
    ("expected", "actual", "comparator", "outcome"),
    [
        (2.5, {"t": -9, "v": 2.5004}, "close:1e-3", "equal"),
        (2.5, {"t": -9, "v": 2.502}, "close:1e-3", "wrong_value"),
        (2.5, {"t": -9, "v": None}, "close:1e-3", "equal"),
        (2.5, {"t": 9, "v": [2.5]}, "close:1e-3", "wrong_value"),
        (0, {"t": -7, "v": 1}, "close:2", "equal"),
        (0, {"t": -10, "v": "a"}, "close:200", "wrong_value"),
    ],
)
def test_distances_by_the_rules_of_kx(
    expected: Any, actual: dict[str, Any], comparator: str, outcome: str
) -> None:
    difference = compare_as_kx(expected, actual, comparator)

    assert outcome == (difference.kind if difference else "equal")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text("ab "),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN)
def test_every_value_equals_itself_under_every_grader(value: Any) -> None:
    wire = to_wire(value, "any")

    assert {outcome_of(grader, value, "any", wire) for grader in GRADERS} == {"equal"}
    assert {outcome_of(name, [value], "any", wire, "any_of") for name in GRADERS} == {"equal"}
