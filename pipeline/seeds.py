"""Seeds that depend on names, not on order or time."""

from __future__ import annotations

import hashlib


def seed_for(run_seed: int, *names: str | int) -> int:
    """A 63-bit seed for one purpose, the same on every machine: SHA-256 over the run's seed and the names."""
    text = "\x1f".join(str(part) for part in (run_seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") >> 1
