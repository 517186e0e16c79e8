"""Worker processes: one parent that watches, N children that serve the socket it opened.

    parent  opens nothing and serves nothing; starts, restarts and ends children
    child   ``work(worker)``, which serves until ``await worker.stopped()`` returns, then drains

Children are forked, so they share the listening socket, and one that dies takes no queue of
connections with it. A child that ends by itself or whose loop stands still for ``HANG_SECONDS`` is
replaced, the faster it died the later. A child notices the end of its parent by the end of a pipe
that only the parent holds, and drains then too. With one worker there is no parent: the process
serves by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mmap
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
HANG_SECONDS = 15.0
MIN_LIFE_SECONDS = 1.0
MAX_DELAY_SECONDS = 30.0

_STOP = (signal.SIGTERM, signal.SIGINT)


class Worker:
    """What a child knows of its place: ``index`` from 0, and when to stop."""

    def __init__(
        self, index: int, beats: memoryview[float] | None = None, parent: int | None = None
    ):
        self.index = index
        self._beats = beats
        self._parent = parent

    async def stopped(self) -> None:
        """Wait for SIGTERM, SIGINT or the parent's end; a second SIGINT interrupts at once."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in _STOP:
            loop.add_signal_handler(number, stop.set)
        if self._parent is not None:
            loop.add_reader(self._parent, stop.set)
        while not stop.is_set():
            self._beat()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
        self._leave(loop)

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._parent is not None:
            loop.remove_reader(self._parent)
        loop.remove_signal_handler(signal.SIGINT)
        if self._beats is not None:
            self._beats[self.index] = 0.0  # draining: the parent watches no more

    def _beat(self) -> None:
        if self._beats is not None:
            self._beats[self.index] = time.monotonic()


@dataclass(slots=True)
class _Child:
    index: int
    pid: int
    started: float


def run(sock: socket.socket, count: int, work: Callable[[Worker], None]) -> int:
    """Run ``work`` in ``count`` processes until told to stop; the exit status.

    ``sock``: the listening socket they share, which the parent holds for those to come.
    """
    if count == 1:
        work(Worker(0))
        return 0
    return _Supervisor(sock, count, work).run()


class _Supervisor:
    def __init__(self, sock: socket.socket, count: int, work: Callable[[Worker], None]) -> None:
        self._sock = sock
        self._work = work
        self._children: dict[int, _Child] = {}
        self._due: dict[int, float] = dict.fromkeys(range(count), 0.0)
        self._delays = [0.0] * count
        self._beats = memoryview(mmap.mmap(-1, 8 * count)).cast("d")
        self._alive, self._alive_held = os.pipe()
        self._signals, self._signals_in = socket.socketpair()
        self._stops = 0

    def run(self) -> int:
        self._signals_in.setblocking(False)
        signal.set_wakeup_fd(self._signals_in.fileno())
        for number in (*_STOP, signal.SIGCHLD):
            signal.signal(number, self._note)
        while self._children or not self._stops:
            self._start_due()
            select.select([self._signals], [], [], BEAT_SECONDS)
            self._drain_wakeups()
            if self._stops:
                self._sock.close()  # newcomers are refused at once, not kept waiting
            self._reap()
            self._end_hung()
        return 0 if self._stops == 1 else 128 + signal.SIGINT

    def _note(self, number: int, _: object) -> None:
        """A signal: pass a first stop on to the children, end them at the second."""
        if number in _STOP:
            self._stops += 1
            self._due.clear()
            for pid in self._children:
                _kill(pid, signal.SIGTERM if self._stops == 1 else signal.SIGKILL)

    def _drain_wakeups(self) -> None:
        self._signals.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._signals.recv(1024):
                continue

    def _start_due(self) -> None:
        now = time.monotonic()
        for index in [i for i, due in self._due.items() if due <= now]:
            if self._stops:  # a signal may come between any two lines
                return
            self._due.pop(index, None)
            self._beats[index] = now
            pid = os.fork()
            if pid == 0:
                self._become(index)
            self._children[pid] = _Child(index, pid, now)
            if self._stops:
                _kill(pid, signal.SIGTERM)

    def _become(self, index: int) -> None:
        """The child's life; never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*_STOP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._alive_held)
            self._signals.close()
            self._signals_in.close()
            self._work(Worker(index, self._beats, self._alive))
            status = 0
        except KeyboardInterrupt:
            pass
        except BaseException:
            log.exception("worker %d failed", index)
        finally:
            logging.shutdown()
            os._exit(status)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None and not self._stops:
                self._schedule(child, os.waitstatus_to_exitcode(status))

    def _schedule(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        quick = now - child.started < MIN_LIFE_SECONDS
        delay = min(max(2 * self._delays[child.index], 0.5), MAX_DELAY_SECONDS) if quick else 0.0
        self._delays[child.index] = delay
        self._due[child.index] = now + delay
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        log.error("worker %d (%d) ended %s; next in %.1f s", child.index, child.pid, how, delay)

    def _end_hung(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            beat = self._beats[child.index]
            if beat and now - beat > HANG_SECONDS:
                log.error("worker %d (%d) hangs; ending it", child.index, child.pid)
                _kill(child.pid, signal.SIGKILL)


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
