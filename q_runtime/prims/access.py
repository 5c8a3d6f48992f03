"""What would leave the session: files, processes, sockets, the environment. All signal 'access.

There is no code here that could do any of it; a host that wants to allow something must add a primitive.
"""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.vectors import Atom, Value, Vec, symbols

_ONE = ("exit", "hclose", "hcount", "hdel", "hopen", "load", "read0", "read1", "rload", "rsave", "save",
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
