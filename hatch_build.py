"""Build hook: compiles the hot path (origin/_native.c) where that can be done.

It is optional. Without a C compiler, off Linux, or where the compiler fails, the package is built
without it, says so in one line, and works the same at a higher cost a request. Only the stable ABI
is used, so one library serves every CPython from 3.11 on. It is put beside its source, where an
editable installation finds it.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "origin/_native.c"
LIBRARY = "origin/_native.abi3.so"
FLAGS = ("-O2", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fPIC", "-shared")


class NativeHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        library = Path(self.root, LIBRARY)
        library.unlink(missing_ok=True)
        reason = why_not() or build(Path(self.root, SOURCE), library)
        if reason:
            print(f"vod-origin without its compiled hot path: {reason}", file=sys.stderr)
            return
        build_data["artifacts"].append(LIBRARY)
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"


def why_not() -> str:
    """Why there is nothing to be compiled here, if so."""
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return "it is for CPython on Linux"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "a free-threaded Python has no stable ABI"
    return ""


def build(source: Path, library: Path, compiler: str = "") -> str:
    """Compile ``source`` to ``library``; what went wrong, or nothing.

    ``compiler``: a command, else the one that Python itself was built with.
    """
    command = shlex.split(compiler or sysconfig.get_config_var("CC") or "cc")
    include = sysconfig.get_path("include")
    try:
        subprocess.run(
            [*command, *FLAGS, f"-I{include}", str(source), "-o", str(library)],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        library.unlink(missing_ok=True)
        said = str(getattr(error, "stderr", None) or error).strip()
        return said.splitlines()[0] if said else repr(error)
    return ""
