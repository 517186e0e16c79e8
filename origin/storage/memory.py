"""Memory for what is on its way and not kept, used again and again.

A page that a process touches for the first time is found, cleared and counted by the kernel, which
costs more than all else that is done to its bytes: a relayed GB takes 1.4 CPU seconds through fresh
memory files, 0.5 through memory that has been used before.
"""

from __future__ import annotations

from collections import deque
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

IDLE_BYTES = 32 << 20
"""What is not given back to the system, at most."""

_STEP = 64 * 1024


class Memory:
    """Goes back into its stock with the last reference. ``view``: its bytes, at least as many as
    were asked for, with whatever was in them."""

    __slots__ = ("_mapped", "_stock", "view")

    def __init__(self, mapped: mmap, stock: Stock) -> None:
        self._mapped = mapped
        self._stock = stock
        self.view = memoryview(mapped)

    def put(self, position: int, piece: memoryview) -> None:
        """``piece`` at ``position``, where it may be already: it was read into there."""
        if piece.obj is not self._mapped:
            self.view[position : position + len(piece)] = piece

    def __del__(self) -> None:
        self._stock.put_back(self._mapped)


class Stock:
    """Of one loop."""

    def __init__(self) -> None:
        self._idle: deque[mmap] = deque()

    def take(self, nbytes: int) -> Memory:
        fitting = [mapped for mapped in self._idle if nbytes <= len(mapped) <= 2 * nbytes]
        if fitting:
            mapped = min(fitting, key=len)
            self._idle.remove(mapped)
            return Memory(mapped, self)
        if self._idle:  # of sizes that are no longer asked for, it may be
            self._idle.popleft()
        size = max(-(-nbytes // _STEP), 1) * _STEP
        return Memory(mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS), self)

    @property
    def idle(self) -> int:
        """Bytes that wait to be taken."""
        return sum(map(len, self._idle))

    def put_back(self, mapped: mmap) -> None:
        if self.idle + len(mapped) <= IDLE_BYTES:
            self._idle.append(mapped)
