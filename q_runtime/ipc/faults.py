"""What can go wrong between two q processes, as exceptions whose text says what to do.

    ConnectionFault
      Unreachable        nobody listens there, or the host is unknown
      AccessRefused      the server closed the connection on seeing the user and the password
      ConnectionLost     the other side went away, or sent what is no message
      NoAnswer           the time that the caller allowed is over

An error that q signals on the other side is a QError, as it is in a session.
"""

from __future__ import annotations

from q_runtime.errors import EngineUnavailable


class ConnectionFault(EngineUnavailable):
    """A connection could not be made or kept."""


class Unreachable(ConnectionFault):
    """Nobody listens at the address."""


class AccessRefused(ConnectionFault):
    """The server does not let this user in."""


class ConnectionLost(ConnectionFault):
    """The connection ended, or what came through it is no kdb+ message."""


class NoAnswer(ConnectionFault):
    """No answer came in time; the connection is closed, since a late answer would be taken for the next one."""
