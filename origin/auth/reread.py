"""A file that is read again when it changes.

One that cannot be read then leaves what was read before in force, and is logged. The file is
looked at, not watched: whoever asks decides how often.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Generic, TypeVar

from origin.settings import BadSetting

T = TypeVar("T")

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int, int]


class Reread(Generic[T]):
    """What ``read`` makes of the file at ``path``; its ``BadSetting`` at the start is raised."""

    def __init__(self, path: str, read: Callable[[str], T]) -> None:
        self._path = path
        self._read = read
        self._stamp = _stamp(path)
        self._content = read(path)

    def current(self) -> T:
        """The same object for as long as the file is the same. Looks at the file."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp  # of before it is read: what changes meanwhile is seen next time
            self._read_again()
        return self._content

    def _read_again(self) -> None:
        try:
            self._content = self._read(self._path)
        except BadSetting as error:
            log.error("the keys stay as they were: %s", error)
        else:
            log.info("keys: read %s again", self._path)


def _stamp(path: str) -> _Stamp | None:
    """What is different when the file is; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
