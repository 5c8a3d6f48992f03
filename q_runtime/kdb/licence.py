"""What q says of its licence when it does not start: the texts of KX's page on errors, and what to do about each.

q prints one of them and ends, as `'k4.lic` or `'2024.05.01T09:30:00.000 licence error: exp`. Source: KX basics/errors,
section on licence errors. What this deliberately does not do: look at a licence file; only q knows whether it is good.
"""

from __future__ import annotations

import re

REMEDIES = {
    "k4.lic": "there is no licence file; put it into QHOME, or set QLIC to its directory",
    "kc.lic": "there is no licence file; put it into QHOME, or set QLIC to its directory",
    "exp": "the licence has expired; renew it",
    "host": "the licence is for another host name; use it there, or have it changed",
    "cores": "the licence is for fewer cores than this machine has; start QStudio under taskset with as many",
    "cpu": "the licence is for fewer processors than this machine has; start QStudio under taskset with as many",
    "os": "the licence is for another operating system",
    "user": "the licence is for another user",
    "srv": "the licence is for clients alone, and q has to listen here",
    "upd": "this q is newer than the licence's updates; renew the licence, or use an older q",
    "wha": "the clock of this machine is before the date of this q; set it",
    "embedq": "the licence does not cover the q inside PyKX; get one that does, or use kdb_process",
    "wrong q.k version": "q and q.k are of different versions; install them together",
    "license daemon": "the licence server of KX cannot be reached; see to the network, or to http_proxy",
}
"""By what q prints; each half a sentence."""
_CODES = "|".join(re.escape(code) for code in REMEDIES if code != "license daemon")
_TIME = r"\d{4}\.\d\d\.\d\d[DT][\d:.]+ "
_TEXT = re.compile(
    rf"'(?:{_TIME})?(?:licen[cs]e error: )?(?P<code>{_CODES})(?=\s|$)", re.IGNORECASE
)
_DAEMON = re.compile(r"licen[cs]e daemon", re.IGNORECASE)
_SOME = re.compile(r"licen[cs]e|\bk[4cx]\.lic", re.IGNORECASE)


def find_licence_trouble(words: str) -> str:
    """Return what the last words of a q say about its licence, with what to do; empty when they are of something else.

    words: what q printed, on one line.
    """
    if match := _TEXT.search(words):
        code = match["code"].lower()
    elif _DAEMON.search(words):
        code = "license daemon"
    elif _SOME.search(words):
        return f"q refuses its licence ({words}); see that QLIC or QHOME leads to a valid one"
    else:
        return ""
    return f"{REMEDIES[code]} (q said: {words})"
