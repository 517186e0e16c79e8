"""Everything the packager can refuse.

    PackagerError
    ├── BadMedia                the input breaks its own format (box and offset say where)
    │   ├── LimitExceeded       the input is larger than we are willing to hold
    │   └── UnsupportedMedia    well-formed, but uses something we do not package
    ├── BadSidecar          a packed index that is not to be believed, or of another file
    ├── BadText             a subtitle file that cannot be read
    ├── Misaligned          no set of renditions lines up into one presentation
    ├── BadAddress          a URL outside the grammar of ``packager.address``
    └── NotFound            a well-formed address of something this presentation does not hold

Each carries a stable ``code`` for logs, metric labels and problem bodies; the shell maps the
types to HTTP in one table.
"""

from __future__ import annotations


class PackagerError(Exception):
    code = "packager-error"


class BadMedia(PackagerError):
    """``reason`` in words; ``box`` is the fourcc, ``offset`` its position in the file."""

    code = "bad-media"

    def __init__(self, reason: str, *, box: str = "", offset: int | None = None) -> None:
        self.reason = reason
        self.box = box
        self.offset = offset
        where = f" in box '{box}'" if box else ""
        where += f" at byte {offset}" if offset is not None else ""
        super().__init__(reason + where)


class LimitExceeded(BadMedia):
    code = "media-limit"


class UnsupportedMedia(BadMedia):
    code = "unsupported-media"


class BadSidecar(PackagerError):
    code = "bad-sidecar"


class BadText(PackagerError):
    """``line`` counts from 1."""

    code = "bad-text"

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        self.reason = reason
        self.line = line
        super().__init__(reason if line is None else f"{reason} at line {line}")


class Misaligned(PackagerError):
    code = "misaligned"


class BadAddress(PackagerError):
    code = "bad-address"


class NotFound(PackagerError):
    code = "not-found"
