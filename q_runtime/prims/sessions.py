"""Words that ask about the session itself: system, view, views, and its local time."""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.vectors import Atom, Value, Vec, string, symbols, text_of, type_number


@primitive("system", host=True)
def system(host: Host, x: Value) -> Value:
    """Result of a console command given as text; what would leave the session signals 'access."""
    if abs(type_number(x)) != 10:
        raise QError("type", "system takes a string")
    return host.run_command(text_of(x))


@primitive("views", host=True)
def views(host: Host, x: Value) -> Value:
    """Names of the views, sorted."""
    return sorted_names(host.view_names())


@primitive("view", host=True)
def view(host: Host, x: Value) -> Value:
    """Text of a view."""
    if type(x) is not Atom or x.t != -11:
        raise QError("type", "view takes the name of a view")
    return string(host.view_text(x.v))


@primitive("gtime")
def gtime(x: Value) -> Value:
    """UTC of a local timestamp or datetime. A session's local time is UTC: nothing is read from the environment."""
    if abs(type_number(x)) not in (12, 15):
        raise QError("type", "expected a timestamp or datetime")
    return x


@primitive("ltime")
def ltime(x: Value) -> Value:
    """Local time of a timestamp or datetime in UTC, which is the same here."""
    return gtime(x)


def sorted_names(names: list[str]) -> Vec:
    """Return sorted symbols, marked as sorted unless there are none."""
    made = symbols(names)
    return Vec(11, made.a, "s") if names else made
