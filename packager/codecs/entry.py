"""What every sample entry is: fields of its kind, then boxes (ISO/IEC 14496-12 8.5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packager.errors import UnsupportedMedia
from packager.isobmff import writer
from packager.isobmff.boxes import Box


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """``boxes``: the first box of each type."""

    box: Box
    boxes: dict[str, Box]

    def require(self, name: str) -> Box:
        if name not in self.boxes:
            raise self.box.bad(f"has no '{name}'")
        return self.boxes[name]

    def copies(self, names: Iterable[str]) -> bytes:
        """The boxes of these types, as they are."""
        return b"".join(copy(self.boxes[name]) for name in names if name in self.boxes)


def copy(box: Box) -> bytes:
    return writer.box(box.type, bytes(box.body))


def unsupported(box: Box, reason: str) -> UnsupportedMedia:
    return UnsupportedMedia(reason, box=box.type, offset=box.offset)
