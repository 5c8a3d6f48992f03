"""The Chromium of the browser tests: `find_chromium()` for them, `python -m tests.chromium` to install one.

Installing tries Debian's package where apt is there and may be used, then Playwright's own download. Where both fail
it says why and ends well all the same: the browser tests then skip with that reason, and all others run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NO_BROWSER = "no Chromium: neither one on the PATH nor Playwright's own; `make setup-dev` says why"
"""Why a browser test is skipped where `find_chromium` finds none."""

PATIENCE_S = 600


def find_chromium() -> Path | None:
    """The Chromium to start: one on the PATH, else the one that Playwright downloaded, else None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def install() -> str | None:
    """Try to install a Chromium. Returns None when there is one now, else why there is none."""
    reasons = []
    for name, commands in (("apt", _apt_commands()), ("Playwright", _playwright_commands())):
        reason = _run_all(commands) if commands else "cannot be used here"
        if reason is None and find_chromium():
            return None
        reasons.append(f"{name}: {reason or 'installed no browser'}")
    return "; ".join(reasons)


def _apt_commands() -> list[list[str]]:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return []
    apt = ["apt-get", "-q", "-o", "Acquire::Retries=1", "-o", "DPkg::Lock::Timeout=60"]
    return [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", "chromium"]]


def _playwright_commands() -> list[list[str]]:
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def _run_all(commands: list[list[str]]) -> str | None:
    """Run the commands one after the other. Returns None, or the last words of the first that fails."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        try:
            done = subprocess.run(
                command,
                env=environ,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{command[0]} took longer than {PATIENCE_S} s"
        # `apt-get update` may fail for one source of several; whether the package comes decides.
        if done.returncode != 0 and command[-1] != "update":
            return _reason(done.stderr or done.stdout)
    return None


def _reason(output: str) -> str:
    """The first line that speaks of an error, else the last one."""
    lines = output.strip().splitlines() or ["no message"]
    return next(
        (line.strip() for line in lines if re.search("err|fail|^E:", line, re.I)), lines[-1]
    )


def main() -> None:
    """Make sure that there is a Chromium, or say why there is none."""
    if find_chromium():
        return
    print("Installing Chromium for the browser tests.", flush=True)
    reason = install()
    if reason:
        print(f"There is no Chromium, so the browser tests will be skipped ({reason}).", flush=True)


if __name__ == "__main__":
    main()
