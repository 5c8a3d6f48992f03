"""Languages: a letter names one, in a line `x)text` and as a function, `"x" "text"`.

`q` and `k` are built in. Any other is what its function `.x.e` makes of the text; kdb+ would look for one that is not
defined in the files `x.q` and `x.k`, which a session does not have. Two chars that the parser uses as heads of trees
can be applied as well: `";"` gives its last argument, `"'"` signals its only one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from q_runtime.errors import QError
from q_runtime.evaluate.apply import signal
from q_runtime.values.vectors import Value, Vec, string, text_of

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


def apply_char(host: Interpreter, char: str, args: Sequence[Value]) -> Value:
    """Apply a char atom to arguments.

    Raises: QError('type') for a language that is given no string; QError('rank').
    """
    if char == ";":
        return args[-1]
    if len(args) != 1:
        raise QError("rank", "a language takes one text")
    if char == "'":
        return signal(args[0])
    if type(args[0]) is not Vec or args[0].t != 10:
        raise QError("type", "a language takes a string")
    return evaluated(host, char, text_of(args[0]))


def evaluated(host: Interpreter, char: str, text: str) -> Value:
    """Evaluate text of a language.

    Raises: QError('access') for a language that is not defined.
    """
    if char == "q":
        return host.evaluate(text)
    if char == "k":
        return host.evaluate("k)" + text)
    evaluator = host.globals.values.get(f".{char}.e")
    if evaluator is None:
        host.refuse(f"{char})", f"the language {char} is not defined")
    return host.at(evaluator, string(text))
