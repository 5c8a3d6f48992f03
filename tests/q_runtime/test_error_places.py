"""Every error that q signals names its place in the text that was given."""

from __future__ import annotations

import pytest

from q_runtime import QError, Session

PLACES = [
    # text, error, the stretch of text it points at
    ("1+`a", "type", "1+`a"),
    ("a:1;b:a+`c;b", "type", "a+`c"),
    ("til:5", "assign", ":"),
    ("in:5", "assign", ":"),
    ("{count:x}1", "assign", ":"),
    ("{[til]til}1", "assign", "{[til]til}"),
    ("f:{1+x}\nf`a", "type", "1+x"),
    ("f:{\n  g x}\ng:{\n  x+1}\nf`a", "type", "x+1"),
    ("{.z.s x}1", "stack", ".z.s x"),
    ("til 100000000000", "wsfull", "til 100000000000"),
    ("(1;2", "(", "("),
    ("1+2)", ")", ")"),
    ('"abc', '"', '"'),
    ("{[a;b;c;d;e;f;g;h;i]a}", "params", "["),
    ('1;value"2+`a"', "type", "2+`a"),
    ('value "1+\\"a\\""', "type", 'value "1+\\"a\\""'),
    ('value"(1;2"', "(", 'value"(1;2"'),
    ('parse"(1;2"', "(", 'parse"(1;2"'),
    ("nosuch", "nosuch", "nosuch"),
    ("get`nosuch", "nosuch", "get`nosuch"),
    ("@[{'x};`e;{'x}]", "e", "'x"),
    ("select b from ([]a:1 2)", "b", "b"),
    ("f:{2+exec b from x}\nf([]a:1 2)", "b", "b"),
    ("\\foo", "access", "\\foo"),
    ("\\t 1+`a", "type", "1+`a"),
    ("x:1\n/ comment\n'stop", "stop", "stop"),
]


@pytest.mark.parametrize(("text", "code", "place"), PLACES, ids=[text for text, _, _ in PLACES])
def test_an_error_names_its_place(text: str, code: str, place: str) -> None:
    with pytest.raises(QError) as caught:
        Session().eval(text)

    error = caught.value
    assert error.code == code
    assert error.span is not None
    assert text[error.span.start : error.span.end] == place
    assert error.span.line == text.count("\n", 0, error.span.start) + 1


def test_text_from_another_call_leaves_the_place_of_the_call() -> None:
    session = Session()
    session.eval("f:{1+x}")

    with pytest.raises(QError) as caught:
        session.eval("2;f`a")
    assert caught.value.span is not None
    assert caught.value.span.start == 2
