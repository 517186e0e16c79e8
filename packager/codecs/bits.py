"""Reading bit fields out of a configuration record, never past its end."""

from __future__ import annotations

from packager.isobmff.boxes import Box

MAX_UE = (1 << 32) - 2


def rbsp(nal: bytes) -> bytes:
    """A NAL unit without its emulation prevention bytes (ISO/IEC 14496-10 7.3.1)."""
    return nal.replace(b"\0\0\3", b"\0\0")


class BitReader:
    """Most significant bit first; ``source`` is the box to name when the data ends too early."""

    __slots__ = ("_data", "_position", "source")

    def __init__(self, data: bytes | memoryview, source: Box) -> None:
        self._data = data
        self._position = 0
        self.source = source

    @property
    def left(self) -> int:
        return len(self._data) * 8 - self._position

    def skip(self, count: int) -> None:
        if count > self.left:
            raise self.source.bad(f"ends {count - self.left} bits too early")
        self._position += count

    def read(self, count: int) -> int:
        start = self._position
        self.skip(count)
        stop = self._position
        value = int.from_bytes(self._data[start >> 3 : (stop + 7) >> 3], "big")
        return value >> (-stop % 8) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read(1) == 1

    def take(self, count: int) -> bytes:
        return self.read(count * 8).to_bytes(count, "big")

    def align(self) -> None:
        self.skip(-self._position % 8)

    def ue(self, limit: int = MAX_UE) -> int:
        """Unsigned Exp-Golomb code (ISO/IEC 14496-10 9.1); a value above ``limit`` is refused."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 31:
                raise self.source.bad("Exp-Golomb code is longer than 63 bits")
        value = (1 << zeros) - 1 + self.read(zeros)
        if value > limit:
            raise self.source.bad(f"Exp-Golomb value {value} is above {limit}")
        return value

    def se(self) -> int:
        """Signed Exp-Golomb code (9.1.1): 1, -1, 2, -2, ..."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
