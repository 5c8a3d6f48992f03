"""What would leave the session: files, processes, sockets, the environment. All signal 'access.

There is no code here that could do any of it. A host may grant connections to other q processes (`Host.connections`).
"""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import Atom, Value, Vec, raw_of, symbols, type_number

_ONE = ("exit", "hcount", "hdel", "load", "read0", "read1", "rload", "rsave", "save",
        "getenv")  # fmt: skip
_TWO = ("2:", "dsave", "setenv")


def _refuse(name: str, n: int) -> None:
    def refused(host: Host, *_: Value) -> Value:
        host.refuse(name)

    refused.__doc__ = f"Refused: {name} would reach outside the session."
    primitive(name, n, host=True)(refused)


for _name in _ONE:
    _refuse(_name, 1)
for _name in _TWO:
    _refuse(_name, 2)


@primitive("hopen", 1, host=True)
def hopen(host: Host, x: Value) -> Value:
    """Connect to a q process, where the host grants that: its handle, an int."""
    if host.connections is None:
        host.refuse("hopen")
    return Atom(-6, host.connections.open(x))


@primitive("hclose", 1, host=True)
def hclose(host: Host, x: Value) -> Value:
    """Close a handle that `hopen` gave, or that of a client."""
    if host.connections is None:
        host.refuse("hclose")
    if type_number(x) not in (-6, -7):
        raise QError("type")
    host.connections.close(raw_of(x))
    return NIL


@primitive("set", 2, host=True)
def set_(host: Host, x: Value, y: Value) -> Value:
    """Assign a global by name; a file name is refused."""
    if type(x) is not Atom or x.t != -11 or not x.v:
        raise QError("type")
    if x.v.startswith(":"):
        host.refuse("set", "files are not available in this session")
    host.set_global(x.v, y)
    return x


@primitive("hsym")
def hsym(x: Value) -> Value:
    """A symbol, or each of several, as the name of a file or process: with a colon before it."""
    if type(x) is Atom and x.t == -11:
        return x if x.v[:1] == ":" else Atom(-11, ":" + x.v)
    if type(x) is Vec and x.t == 11:
        return symbols([name if name[:1] == ":" else ":" + name for name in x.a.tolist()])
    raise QError("type")
