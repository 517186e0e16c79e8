"""Worker processes: one parent that watches, N children that serve the socket it opened.

    parent  opens nothing and serves nothing; starts, restarts and ends children
    child   ``work(worker)``, which serves until ``await worker.stopped()`` returns, then drains

Children are forked, so they share the listening socket, and one that dies takes no queue of
connections with it. A child that ends by itself or whose loop stands still for ``HANG_SECONDS`` is
replaced, the faster it died the later. A child notices the end of its parent by the end of a pipe
that only the parent holds, and drains then too. With one worker there is no parent: the process
serves by itself.

A stop is SIGTERM or SIGINT: the first drains, the second ends at once. With a parent it is the
parent's to pass on, so that Ctrl-C, which a terminal sends to all of them, counts once. Signals
change nothing by themselves: the parent reads them one by one, and none comes between a fork and
the place where a child has handlers of its own.
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
from collections.abc import Callable, Iterable
from dataclasses import dataclass

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
HANG_SECONDS = 15.0
MIN_LIFE_SECONDS = 1.0
MAX_DELAY_SECONDS = 30.0

_STOP = (signal.SIGTERM, signal.SIGINT)
_HEEDED = (*_STOP, signal.SIGCHLD)


class Worker:
    """What a child knows of its place: ``index`` from 0, and when to stop."""

    def __init__(
        self, index: int, beats: memoryview[float] | None = None, parent: int | None = None
    ):
        self.index = index
        self._beats = beats
        self._parent = parent

    async def stopped(self) -> None:
        """Wait for a stop, or for the parent's end. From here on the loop is watched, until its
        tasks are cancelled: what it waits for then has ``HANG_SECONDS`` to end."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        if self._parent is None:
            for number in _STOP:
                loop.add_signal_handler(number, _stop_or_end, stop, number)
        else:
            # The parent's word counts, however often it comes; it ends what is not to drain.
            loop.add_signal_handler(signal.SIGTERM, stop.set)
            loop.add_reader(self._parent, stop.set)
        self._beating = loop.create_task(self._beat())
        await stop.wait()
        if self._parent is not None:
            loop.remove_reader(self._parent)

    async def _beat(self) -> None:
        while self._beats is not None:
            self._beats[self.index] = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)


def _stop_or_end(stop: asyncio.Event, number: signal.Signals) -> None:
    if stop.is_set():
        logging.shutdown()
        os._exit(128 + number)
    stop.set()


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
        self._signals.setblocking(False)
        self._signals_in.setblocking(False)
        signal.set_wakeup_fd(self._signals_in.fileno())
        for number in _HEEDED:
            signal.signal(number, _noted)
        while self._children or not self._stops:
            self._start_due()
            select.select([self._signals], [], [], BEAT_SECONDS)
            self._read_signals()
            self._reap()
            self._end_hung()
        return 0 if self._stops == 1 else 128 + signal.SIGINT

    def _read_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while numbers := self._signals.recv(1024):
                for number in numbers:
                    if number in _STOP:
                        self._stop()

    def _stop(self) -> None:
        """Pass a first stop on to the children, end them at the second."""
        self._stops += 1
        self._due.clear()
        self._sock.close()  # so that it is closed when the children have closed theirs
        for pid in self._children:
            _kill(pid, signal.SIGTERM if self._stops == 1 else signal.SIGKILL)

    def _start_due(self) -> None:
        now = time.monotonic()
        for index in [i for i, due in self._due.items() if due <= now]:
            del self._due[index]
            self._beats[index] = now
            try:
                self._start(index, now)
            except OSError as error:
                log.error("cannot start worker %d: %s", index, error.strerror)
                self._due[index] = now + BEAT_SECONDS

    def _start(self, index: int, now: float) -> None:
        """Signals wait meanwhile: one that a child took with its parent's handlers, or that the
        parent passed on while it did not know of the child yet, would be lost on it."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(index, mask)
            self._children[pid] = _Child(index, pid, now)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _become(self, index: int, mask: Iterable[int]) -> None:
        """The child's life; never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(self._alive_held)
            self._signals.close()
            self._signals_in.close()
            self._work(Worker(index, self._beats, self._alive))
            status = 0
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
            if now - self._beats[child.index] > HANG_SECONDS:
                log.error("worker %d (%d) hangs; ending it", child.index, child.pid)
                _kill(child.pid, signal.SIGKILL)
                self._beats[child.index] = now  # its end is to be seen, not said again


def _noted(number: int, _: object) -> None:
    """What a signal does is done where the parent reads of it; this lets it be written there."""


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
