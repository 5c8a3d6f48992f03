"""Answers the messages of clients with a session, as the handlers of `.z` say or as kdb+ does without them.

It knows messages and handlers, not sockets. A gap of the engine or a limit reaches the client as an error, since the
protocol has nothing else: `unsupported: ...` for a gap, `stop` for the time limit, `wsfull` for the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from q_runtime.errors import LimitExceeded, QError, RuntimeFault
from q_runtime.evaluate.dotz import Caller
from q_runtime.ipc.framing import ASYNC, SYNC
from q_runtime.prims.messages import read_message
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.values.codec import encode, encode_error
from q_runtime.values.compression import compress
from q_runtime.values.dicts import Dict
from q_runtime.values.vectors import Atom, GList, Value, Vec, collapse, string

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter
    from q_runtime.session import Session

COMPRESS_FROM, COMPRESS_TO = 2000, 1 << 20
"""kdb+ compresses what is longer than the first; beyond the second it would take this engine longer than sending."""

_LIMITS = {"time": "stop", "memory": "wsfull", "depth": "stack", "output": "limit"}


class Responder:
    """One session and how it treats its clients.

    collapses: make vectors of uniform general lists among the arguments, which PyKX sends without a licence and never
    with one. kdb+ leaves them as they are.
    """

    def __init__(self, session: Session, *, collapses: bool = False) -> None:
        self.session = session
        self.collapses = collapses

    def answer(
        self, message: bytes, caller: Caller, inside: Interpreter | None = None
    ) -> tuple[bytes | None, str]:
        """Evaluate a message; return the response, None unless the message was synchronous, and the error's text.

        inside: the interpreter when the message is evaluated in the middle of another evaluation.
        """
        kind = message[1]
        try:
            if inside is not None:
                return self._evaluated(inside, message, caller), ""
            return self.session.within(lambda host: self._evaluated(host, message, caller)), ""
        except QError as error:
            failure = error.code
        except KeyboardInterrupt:
            failure = "stop"
        except LimitExceeded as fault:
            failure = _LIMITS[fault.kind]
        except RuntimeFault as fault:
            failure = f"unsupported: {fault}"
        return (encode_error(failure) if kind == SYNC else None), failure

    def _evaluated(self, host: Interpreter, message: bytes, caller: Caller) -> bytes | None:
        kind = message[1]
        sent = read_message(host, message)
        if self.collapses:
            sent = collapsed_arguments(sent)
        before = host.peer, host.globals.namespace
        host.peer, host.globals.namespace = caller, ""
        try:
            handler = host.globals.find(".z.ps" if kind == ASYNC else ".z.pg")
            value = host.apply(PRIMITIVES["value"] if handler is None else handler, (sent,))
        finally:
            host.peer, host.globals.namespace = before
        return encode(value, 2) if kind == SYNC else None

    def admits(self, user: str, password: str, caller: Caller) -> bool:
        """Ask `.z.pw`, if it is defined, whether a user may log in."""

        def asked(host: Interpreter) -> bool:
            handler = host.globals.find(".z.pw")
            if handler is None:
                return True
            answer = _as(host, caller, handler, Atom(-11, user), string(password))
            return answer is True or (type(answer) is int and answer != 0)

        try:
            return self.session.within(asked)
        except (QError, RuntimeFault):
            return False

    def tell(self, handler_name: str, caller: Caller) -> str:
        """Call `.z.po` or `.z.pc`, if it is defined, with the caller's handle; return the error's text."""

        def told(host: Interpreter) -> None:
            handler = host.globals.find(handler_name)
            if handler is not None:
                _as(host, caller, handler, Atom(-6, caller.handle))

        try:
            self.session.within(told)
        except QError as error:
            return error.code
        except RuntimeFault as fault:
            return str(fault)
        return ""


def _as(host: Interpreter, caller: Caller, f: Value, *args: Value) -> Value:
    """Apply `f` while `.z.w`, `.z.u` and `.z.a` are those of `caller`; at `.z.pc` the handle is already gone."""
    before = host.peer
    host.peer = caller
    try:
        return host.apply(f, args)
    finally:
        host.peer = before


def outgoing(message: bytes, *, is_local: bool, capability: int) -> bytes:
    """Return a message as it goes out: compressed under the conditions of kdb+."""
    if is_local or not capability or not COMPRESS_FROM < len(message) <= COMPRESS_TO:
        return message
    return compress(message)


def collapsed_arguments(sent: Value) -> Value:
    """Return a call with its arguments collapsed; the call itself stays a list, whatever it consists of."""
    if type(sent) is GList and sent.items:
        return GList([sent.items[0], *(collapsed(x) for x in sent.items[1:])])
    return collapsed(sent)


def collapsed(x: Value) -> Value:
    """Return a value whose general lists of atoms of one type are vectors, at every depth."""
    if type(x) is GList:
        return collapse([collapsed(item) for item in x.items])
    if type(x) is Dict and type(x.k) in (Vec, GList):
        return Dict(collapsed(x.k), collapsed(x.v))
    return x
