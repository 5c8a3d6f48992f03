"""The template process: imports once what workers need, then forks a worker whenever the pool asks for one.

Started by `template.Template` as a process of its own, so the program that uses the pool is never forked and its
threads, memory and handles never reach a worker. It becomes unprivileged, enters namespaces, and leaves a small outer
process behind that only waits: inside its process namespace the template is process 1, and when it ends, for whatever
reason, the kernel ends every worker. It ends when the pool closes the control connection or the pool's process dies.

Requests on the control connection are one JSON object each, answered one by one:
    {"op": "spawn"} and one descriptor, the worker's channel   ->  {"pid": p}
    {"op": "retire", "pid": p, "wait_s": s}  ->  {"wait_status": w, "was_killed": bool, "processor_s": s}
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from q_runtime.limits import Limits
from q_runtime.sandbox import isolation
from q_runtime.sandbox.library import Library
from q_runtime.sandbox.protocol import Channel
from q_runtime.sandbox.scratch import remove_scratch

MAX_REQUEST_BYTES = 4096
CRASH_STATUS = 70
"""Exit status of a worker whose own code failed; the traceback is its last frame."""
REAP_INTERVAL_S = 0.002
SCRATCH_NAME = "scratch"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the pool wants of its workers; comes as JSON on the command line."""

    worker_module: str
    """Module with `warm_up()` and `serve(channel, limits)`."""
    limits: Limits
    readable: tuple[str, ...]
    """Directories that workers may read besides the standard library."""
    cpu_s: int | None
    """Processor time over a worker's whole life, in seconds."""
    scratch: str
    """Existing empty directory, below which every worker gets one of its own; removed at the end."""
    n_workers: int
    """The most that live at a time."""
    parent_pid: int


def main(plan_text: str, control_descriptor: int) -> None:
    """Run the template until the pool lets go of it; exits the process."""
    fields = json.loads(plan_text)
    limits = Limits(**fields.pop("limits"))
    plan = Plan(**{**fields, "readable": tuple(fields["readable"])}, limits=limits)
    pool_process = _watch(plan.parent_pid)
    worker = importlib.import_module(plan.worker_module)
    worker.warm_up()
    gc.collect()
    gc.freeze()  # what is loaded now is shared with every worker and never collected

    library = Library()
    places = [os.path.join(plan.scratch, str(number)) for number in range(plan.n_workers)]
    layers = [isolation.give_up_root(plan.scratch), isolation.enter_namespaces()]
    for place in places:
        os.mkdir(place, 0o700)
    inner = os.fork()
    if inner:
        _wait_and_clean(inner, control_descriptor, plan.scratch, places)
    try:
        layers.append(isolation.mount_scratch(places))
        layers.append(isolation.settle_template())
        library.settle()
        confiner = isolation.Confiner(
            isolation.Allowance(
                readable=(*library.readable, *plan.readable),
                memory_bytes=plan.limits.memory_mb * 1024 * 1024,
                cpu_s=plan.cpu_s,
                handles=library.handles,
            )
        )
        serve = partial(worker.serve, limits=plan.limits)
        Template(serve, confiner, layers, places).answer(control_descriptor, pool_process)
    except BaseException:  # noqa: BLE001
        # Top of a forked process: nothing may return into the code above, and the pool shows what was written here.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _watch(parent_pid: int) -> int | None:
    """A descriptor that becomes readable when the pool's process ends; None where the kernel has none."""
    descriptor = None
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(parent_pid)
    if os.getppid() != parent_pid:
        os._exit(0)  # it ended before we looked
    return descriptor


def _wait_and_clean(inner: int, control_descriptor: int, directory: str, places: list[str]) -> None:
    """The outer process: wait for the template, remove the scratch directory, exit with its status."""
    os.close(control_descriptor)
    _, wait_status = os.waitpid(inner, 0)
    isolation.unmount_scratch(places)
    remove_scratch(directory)
    os._exit(0 if wait_status == 0 else 1)


class Template:
    """Forks workers and reaps them, one request at a time."""

    def __init__(
        self,
        serve: Callable[[Channel], None],
        confiner: isolation.Confiner,
        layers: list[isolation.Layer],
        places: list[str],
    ) -> None:
        self._serve = serve
        self._confiner = confiner
        self._layers = [_as_data(layer) for layer in layers]
        self._free_places = places
        self._scratch_of: dict[int, str] = {}

    def answer(self, control_descriptor: int, pool_process: int | None) -> None:
        """Serve requests until the other end, or the process that holds it, is gone."""
        control = socket.socket(fileno=control_descriptor)
        poll = select.poll()
        poll.register(control, select.POLLIN)
        if pool_process is not None:
            poll.register(pool_process, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if pool_process in ready:
                return
            request, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 1)
            if not request:
                return
            reply = self._reply(json.loads(request), descriptors)
            control.sendall(json.dumps(reply).encode("ascii"))

    def _reply(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        if request["op"] == "spawn":
            return {"pid": self._spawn(descriptors[0])}
        return self._retire(request["pid"], request["wait_s"])

    def _spawn(self, channel: int) -> int:
        # A place of its own, for a worker that fills its file system must leave room for the next worker's directory.
        scratch = os.path.join(self._free_places.pop(), SCRATCH_NAME)
        os.mkdir(scratch, 0o700)
        template = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(channel, scratch, template)
        os.close(channel)
        self._scratch_of[pid] = scratch
        return pid

    def _become_worker(self, descriptor: int, scratch: str, template: int) -> None:
        """Confine this forked process, serve, exit. Never returns."""
        status = CRASH_STATUS
        channel = None
        try:
            layers = [*self._layers, *map(_as_data, self._confiner.confine(descriptor, scratch))]
            if os.getppid() != template:
                os._exit(0)  # the template ended before the kernel was told to end us with it
            channel = Channel(isolation.CHANNEL_DESCRIPTOR)
            channel.send({"ready": layers})
            self._serve(channel)
            status = 0
        except BaseException:  # noqa: BLE001
            # Top of a forked process: whatever happened is told to the pool, which decides.
            if channel is None:
                traceback.print_exc()  # still the template's error stream, unless that was closed already
                sys.stderr.flush()
            else:
                with contextlib.suppress(Exception):
                    channel.send({"crash": traceback.format_exc(limit=-8)[-4000:]})
        finally:
            os._exit(status)

    def _retire(self, pid: int, wait_s: float) -> dict[str, Any]:
        """Reap a worker: at once if it has ended, after `wait_s` seconds by killing it."""
        give_up = time.monotonic() + wait_s
        reaped, wait_status, usage = os.wait4(pid, os.WNOHANG)
        while not reaped and time.monotonic() < give_up:
            time.sleep(REAP_INTERVAL_S)
            reaped, wait_status, usage = os.wait4(pid, os.WNOHANG)
        was_killed = not reaped
        if was_killed:
            os.kill(pid, signal.SIGKILL)
            _, wait_status, usage = os.wait4(pid, 0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # nothing is left there unless every layer failed
        scratch = self._scratch_of.pop(pid)
        remove_scratch(scratch)
        if not os.path.lexists(scratch):
            self._free_places.append(os.path.dirname(scratch))
        used_s = usage.ru_utime + usage.ru_stime
        return {"wait_status": wait_status, "was_killed": was_killed, "processor_s": used_s}


def _as_data(layer: isolation.Layer) -> dict[str, object]:
    return {"name": layer.name, "is_active": layer.is_active, "detail": layer.detail}
