"""Text to tokens: what each piece becomes, and where it stands."""

from __future__ import annotations

import pytest

from q_runtime import QSyntaxError
from q_runtime.lang import tokens as tk
from q_runtime.lang.tokenizer import statements, tokenize
from q_runtime.values.convert import to_python
from q_runtime.values.vectors import type_number


def kinds(text: str) -> list[str]:
    return [token.kind for token in tokenize(text)][:-1]


def literal(text: str) -> tuple[int, object]:
    (token, _) = tokenize(text)
    return type_number(token.value), to_python(token.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", (-7, 12)),
        ("-12", (-7, -12)),
        ("12h", (-5, 12)),
        ("1.5", (-9, 1.5)),
        (".5", (-9, 0.5)),
        ("1e3", (-9, 1000.0)),
        ("1e", (-8, 1.0)),
        ("1 2 3", (7, [1, 2, 3])),
        ("1 -2", (7, [1, -2])),
        ("1 2.5", (9, [1.0, 2.5])),
        ("1 0N", (7, [1, None])),
        ("1 2i", (6, [1, 2])),
        ("101b", (1, [True, False, True])),
        ("0x0aff", (4, [10, 255])),
        ("0N", (-7, None)),
        ("2000.01.03", (-14, 2)),
        ("2000.03m", (-13, 2)),
        ("00:01", (-17, 1)),
        ("00:00:01", (-18, 1)),
        ("00:00:00.001", (-19, 1)),
        ("0D00:00:01", (-16, 10**9)),
        ("2000.01.01D00:00:00.5", (-12, 5 * 10**8)),
        ('"abc"', (10, "abc")),
        ('"a"', (-10, "a")),
        ('"\\n\\"\\101"', (10, '\n"A')),
        ("`ab.c", (-11, "ab.c")),
        ("`a`b", (11, ["a", "b"])),
    ],
)
def test_a_literal_has_its_type_and_value(text: str, expected: tuple[int, object]) -> None:
    assert expected == literal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-1", [tk.NAME, tk.VERB, tk.LITERAL]),
        ("x -1", [tk.NAME, tk.LITERAL]),
        ("x- 1", [tk.NAME, tk.VERB, tk.LITERAL]),
        ("(x)-1", [tk.OPEN, tk.NAME, tk.CLOSE, tk.VERB, tk.LITERAL]),
        ("2-1", [tk.LITERAL, tk.VERB, tk.LITERAL]),
        ("2 -1", [tk.LITERAL]),
    ],
)
def test_a_minus_is_part_of_a_number_only_where_it_can_start_one(
    text: str, expected: list[str]
) -> None:
    assert expected == kinds(text)


def test_a_slash_after_a_blank_starts_a_comment_and_otherwise_is_an_iterator() -> None:
    assert [tk.LITERAL] == kinds("1 /comment")
    assert [tk.VERB, tk.ITERATOR, tk.NAME] == kinds("+/x")


def test_offsets_point_into_the_text() -> None:
    text = "foo: 12+`a"

    assert ["foo", ":", "12", "+", "`a"] == [text[t.start : t.end] for t in tokenize(text)[:-1]]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [("1+\n  12x", "12x", 2, 3), ('a:"b', '"', 1, 3), ("a \x01", "char", 1, 3)],
)
def test_an_error_names_the_text_and_its_place(
    text: str, code: str, line: int, column: int
) -> None:
    with pytest.raises(QSyntaxError) as caught:
        tokenize(text)

    assert (code, line, column) == (
        caught.value.code,
        caught.value.span.line,
        caught.value.span.column,
    )


def test_a_script_is_split_into_statements() -> None:
    script = "a:1\nf:{\n x+\n  1}\n/ comment\nb:2\n/\nblock\n\\\nc:3\n\\\nrest is not read\n"

    assert ["a:1", "f:{\n x+\n  1}", "b:2", "c:3"] == [t.strip() for _, t in statements(script)]


def test_a_line_that_is_not_indented_starts_a_statement() -> None:
    script = "f:{[x]\n\n/ comment\n  x+1\n }\ng:{[x]\n  x+2\n}\nh:(1;\n2)\n"

    found = [t.strip() for _, t in statements(script)]

    assert ["f:{[x]\n\n/ comment\n  x+1\n }", "g:{[x]\n  x+2", "}", "h:(1;", "2)"] == found


def test_a_line_of_a_text_goes_on_while_a_bracket_is_open() -> None:
    text = "g:{[x]\n  x+2\n}\nh:(1;\n2)\n3\n  +4\n"

    found = [t.strip() for _, t in statements(text, is_script=False)]

    assert ["g:{[x]\n  x+2\n}", "h:(1;\n2)", "3\n  +4"] == found
