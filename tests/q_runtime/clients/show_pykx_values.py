"""What PyKX makes of q values, as JSON: `show_pykx_values.py PORT`, with q texts as JSON on standard input.

Runs in an environment that has PyKX and imports nothing of ours. Each value comes inside a list, as a test of KX's
harness meets those that are not the whole answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas as pd
import pykx as kx


def plain(value: Any) -> Any:
    """JSON for a value: every null is null, bytes are text, and what JSON has no word for is named by its type."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {"keys": plain(list(value)), "values": plain(list(value.values()))}
    if value is None or value is pd.NA or value != value:
        return None
    return value if isinstance(value, (bool, int, float, str)) else type(value).__name__


with kx.SyncQConnection(port=int(sys.argv[1]), no_ctx=True) as q:
    found = [plain(q(f"({text};::)").py()[0]) for text in json.load(sys.stdin)]
sys.stdout.write(json.dumps(found) + "\n")
