"""Who may log in: the file of `-u` and `-U`, a line `user:password` for each, the password plain, as MD5 or as SHA-1.

Source: KX basics/cmdline.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

_DIGESTS = {32: hashlib.md5, 40: hashlib.sha1}
_HEX = re.compile(r"[0-9a-fA-F]+")


class Credentials:
    """The users of a file and what their passwords must be."""

    def __init__(self, text: str) -> None:
        self.by_user: dict[str, str] = {}
        for line in text.splitlines():
            user, colon, password = line.strip().partition(":")
            if colon:
                self.by_user[user] = password

    @classmethod
    def read(cls, path: Path) -> Credentials:
        """Read a file of credentials."""
        return cls(path.read_text(encoding="utf-8", errors="surrogateescape"))

    def admits(self, user: str, password: str) -> bool:
        """Say whether a user may log in with a password."""
        wanted = self.by_user.get(user)
        if wanted is None:
            return False
        given = password.encode("utf-8", "surrogateescape")
        digest = _DIGESTS.get(len(wanted))
        if digest is not None and _HEX.fullmatch(wanted):
            made = digest(given, usedforsecurity=False).hexdigest()
            return hmac.compare_digest(made, wanted.lower())
        return hmac.compare_digest(given, wanted.encode("utf-8", "surrogateescape"))
