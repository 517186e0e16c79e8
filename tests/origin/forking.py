"""``working.py`` that is told to stop while its first worker is being made: the parent has passed
it on before the child is any further. The same arguments."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.origin.working import main

_fork = os.fork


def fork() -> int:
    os.fork = _fork
    pid = _fork()
    if pid == 0:
        os.kill(os.getppid(), signal.SIGTERM)
        for _ in range(100):  # until it waits to be taken; one that has been will not be seen
            if signal.SIGTERM in signal.sigpending():
                break
            time.sleep(0.01)
    return pid


if __name__ == "__main__":
    os.fork = fork
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
