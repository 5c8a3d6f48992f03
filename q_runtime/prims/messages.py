"""Reading kdb+'s binary messages inside a session: their functions become functions of this engine.

A keyword that kdb+ defines in k travels as that definition; it is read as the keyword again.
"""

from __future__ import annotations

from q_runtime.errors import UnsupportedFeature
from q_runtime.prims.kforms import K_FORMS
from q_runtime.prims.registry import PRIMITIVES, Host
from q_runtime.values.codec import decode
from q_runtime.values.functions import Lambda
from q_runtime.values.vectors import Value

_KEYWORDS = {text: name for name, text in reversed(K_FORMS.items()) if text.startswith("k)")}
"""Keywords by their definition in k."""


def primitive_named(name: str) -> Value:
    """Return the primitive of that name.

    Raises: UnsupportedFeature when there is none here.
    """
    found = PRIMITIVES.get(name)
    if found is None:
        raise UnsupportedFeature(f"{name} is not supported yet")
    return found


def read_message(host: Host, message: bytes) -> Value:
    """Return the value of a whole message.

    Raises: QError('badmsg') for anything else; the error that the message carries.
    """

    def function(source: str, namespace: str) -> Value:
        name = _KEYWORDS.get(source) if namespace == ".q" else None
        return host.lambda_from(source, namespace) if name is None else PRIMITIVES[name]

    return decode(message, function, primitive_named)


def read_alone(message: bytes) -> Value:
    """Return the value of a whole message outside any session: its functions can be shown and sent, not applied."""

    def function(source: str, namespace: str) -> Value:
        name = _KEYWORDS.get(source) if namespace == ".q" else None
        return Lambda(source, (), namespace) if name is None else PRIMITIVES[name]

    return decode(message, function, primitive_named)
