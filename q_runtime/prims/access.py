"""What would leave the session: files, processes, sockets, the environment. All signal 'access.

There is no code here that could do any of it; a host that wants to allow something must add a primitive.
"""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.vectors import Atom, Value

_ONE = ("exit", "hclose", "hcount", "hdel", "hopen", "load", "read0", "read1", "rload", "rsave", "save",
        "system", "getenv")  # fmt: skip
_TWO = ("0:", "1:", "2:", "dsave", "setenv")


def _refuse(name: str, n: int) -> None:
    def refused(*_: Value) -> Value:
        raise QError("access", f"{name} is not available in this session")

    refused.__doc__ = f"Refused: {name} would reach outside the session."
    primitive(name, *((n,) if name not in ("0:", "1:") else (2, 1)))(refused)


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
        raise QError("access", "files are not available in this session")
    host.set_global(x.v, y)
    return x
