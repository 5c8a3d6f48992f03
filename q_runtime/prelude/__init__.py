"""Members of the built-in namespaces that are plainest in q: `Q.q` and `h.q` beside this file.

Here they are only found in the text; evaluate/builtins.py compiles one when a session first uses it. In a file every
definition starts at the left margin with `name:` and goes on over indented lines. A line `/ k) TEXT` above it is what
kdb+ shows as the text of that function; above a dictionary of functions there is one such line for each.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple


class Member(NamedTuple):
    """The text of a member: the q expression, and what is shown for its functions (empty where that is not known)."""

    source: str
    shown: tuple[str, ...]


@cache
def members(space: str) -> dict[str, Member]:
    """Return the members of `.Q` or `.h` that are written in q, by short name; empty for other namespaces."""
    path = Path(__file__).with_name(f"{space[1:]}.q")
    found: dict[str, Member] = {}
    if not path.is_file():
        return found
    name = ""
    shown: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("/ k) "):
            shown.append(line[5:])
        elif line[:1].isalpha():
            name, _, body = line.partition(":")
            found[name] = Member(body, tuple(shown))
            shown.clear()
        elif line.strip() and not line.startswith("/"):
            found[name] = found[name]._replace(source=found[name].source + "\n" + line)
    return found
