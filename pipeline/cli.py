"""`python -m pipeline run DIR [--bars]`: carry out the run in DIR, or what is left of it.

Exit codes: 0 succeeded, 1 failed, 2 bad settings, 3 stopped or paused, and saved. Output: log lines on standard error;
with `--bars` progress bars instead of log lines below warnings.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.errors import ConfigError, GradingPaused, PipelineError, StopRequested
from pipeline.reporting import Reporter
from pipeline.rundir import RunDir, utc_now, write_json

SUCCEEDED, FAILED, BAD_SETTINGS, STOPPED = 0, 1, 2, 3
PACKAGES = ("numpy", "scipy", "pydantic", "torch", "transformers", "trl", "tokenizers", "datasets")

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m pipeline`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="carry out the run in a run directory, or what is left of it"
    )
    run.add_argument("directory", type=Path)
    run.add_argument("--bars", action="store_true", help="draw progress bars on standard error")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING if options.bars else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    return run_directory(options.directory, options.bars)


def run_directory(directory: Path, show_bars: bool = False) -> int:
    """Carry out one run directory and say how it ended, in events and as an exit code."""
    _prepare_libraries()
    try:
        rundir = RunDir.open(directory)
        config = rundir.config()
        rundir.request(None)
        with Reporter(rundir, show_bars) as reporter:
            return _attempt(rundir, reporter, f"{config.stage} run {directory.name}")
    except ConfigError as error:
        log.error("%s", error)
        return BAD_SETTINGS
    except PipelineError as error:
        log.error("%s", error)
        return FAILED


def _attempt(rundir: RunDir, reporter: Reporter, name: str) -> int:
    resumed = (rundir.path / "meta.json").exists()
    _write_meta(rundir)
    reporter.event(
        "run_started",
        f"{'Resuming' if resumed else 'Starting'} {name}",
        pid=os.getpid(),
        host=socket.gethostname(),
        resumed=resumed,
    )
    try:
        _work(rundir, reporter)
    except StopRequested:
        reporter.event(
            "run_finished",
            "Stopped as asked; everything done so far is saved",
            state="stopped",
            reason="asked to stop",
        )
        return STOPPED
    except GradingPaused as pause:
        log.error("%s", pause)
        reporter.event(
            "run_finished",
            f"Paused: {pause}. Everything done so far is saved; resume the run when q is back",
            state="paused",
            reason=str(pause),
        )
        return STOPPED
    except PipelineError as error:
        log.error("%s", error)
        reporter.event("run_finished", f"Failed: {error}", state="failed", reason=str(error))
        return FAILED
    except Exception as error:
        # The top of the process: whatever it is, the run directory must say so before the traceback goes to the log.
        log.exception("unexpected error")
        reason = f"{type(error).__name__}: {error}"
        reporter.event("run_finished", f"Failed: {reason}", state="failed", reason=reason)
        return FAILED
    return SUCCEEDED


def _work(rundir: RunDir, reporter: Reporter) -> None:
    from pipeline.generators.device import set_threads
    from pipeline.stages.bootstrap import run_loop
    from pipeline.stages.context import open_context
    from pipeline.stages.report import write_report

    with open_context(rundir, reporter) as context:
        set_threads(context.config.compute)
        result = run_loop(context)
        with reporter.stage("report", 0, "Writing the final report"):
            report = write_report(context, result)
    reporter.event(
        "run_finished", report["conclusion"], state="succeeded", reason=result.stopped_because
    )


def _write_meta(rundir: RunDir) -> None:
    write_json(
        rundir.path / "meta.json",
        {
            "host": socket.gethostname(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in PACKAGES},
            "last_started_at": utc_now(),
        },
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _prepare_libraries() -> None:
    """Turn library chatter and hub look-ups off (a hub name of a policy still loads), and long spinning as well."""
    # A thread that waits for another spins for a tenth of a millisecond instead of many, then sleeps: as quick on an
    # idle machine, and several times quicker beside other work (docs/LOG.md). OpenMP reads it when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
