"""The bytes of a column (``packager.columns``), and the column of which they are.

    planes   0, 1, 2, 3, 4 or 8 bytes a row
    codes    up to 256 values, and 1, 2, 4 or 8 bits a row that say which

To either a base is added, and to rows that take more than their bytes hold a patch: which row, and
how much more. ``pack_column`` takes what is smallest.

What is read are views of the bytes, and each count is held against those that are there. Planes of
no bytes are the exception: such a column takes no memory either.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from packager.columns import NO_PATCHES, Codes, Column, Integers, Numbers, Patches, Plane
from packager.errors import BadSidecar
from packager.sidecar.fields import Fields

_PLANES = {0: (), 1: ("<u1",), 2: ("<u2",), 3: ("<u2", "<u1"), 4: ("<u4",), 8: ("<i8",)}
_CODE_BITS = (1, 2, 4, 8)
_CODES = 0x10
_HEAD = struct.Struct("<BqI")
_PATCH = np.dtype([("row", "<u4"), ("more", "<i8")])

_DIGITS = {
    bits: (np.arange(256)[:, np.newaxis] >> np.arange(0, 8, bits)) & ((1 << bits) - 1)
    for bits in _CODE_BITS
}
"""The codes of the 8 / bits rows that a byte holds, the first in its lowest bits."""


# ---- packing


def pack_column(values: Integers) -> bytes:
    wide = values.astype(np.int64)
    cost, width, base = min(_ways_in_planes(wide))
    known = _few_values(wide)
    bits = code_bits(len(known)) if known is not None else 0
    if known is None or (8 << bits) + len(wide) * bits // 8 >= cost:
        return _as_planes(wide, width, base)
    table = np.resize(known, 1 << bits).astype("<i8")
    codes = np.searchsorted(known, wide)
    return _HEAD.pack(_CODES | bits, 0, 0) + table.tobytes() + pack_codes(codes, bits)


def _ways_in_planes(values: Numbers) -> Iterator[tuple[int, int, int]]:
    """Bytes, width and base: most rows near zero, near the least of them, or near the middle."""
    yield len(values) * 8, 8, 0
    least, middle = int(values.min()), int(np.median(values))
    for width in (0, 1, 2, 3, 4):
        for base in {0, least, max(least, middle - (1 << 8 * width >> 1))}:
            yield _bytes_in_planes(values, width, base), width, base


def _bytes_in_planes(values: Numbers, width: int, base: int) -> int:
    return (
        len(values) * width + int(np.count_nonzero(_is_far(values - base, width))) * _PATCH.itemsize
    )


def _is_far(more: Numbers, width: int) -> NDArray[np.bool_]:
    """Whether it takes a patch; what is below zero is very far as an unsigned number."""
    return more.view(np.uint64) >= 1 << 8 * width


def _as_planes(values: Numbers, width: int, base: int) -> bytes:
    if width == 8:
        return _HEAD.pack(width, base, 0) + values.astype("<i8").tobytes()
    more = values - base
    far = np.flatnonzero(_is_far(more, width))
    patches = np.empty(len(far), _PATCH)
    patches["row"], patches["more"] = far, more[far]
    more[far] = 0
    planes = b""
    for kind in _PLANES[width]:
        planes += more.astype(kind).tobytes()
        more >>= 8 * np.dtype(kind).itemsize
    return _HEAD.pack(width, base, len(far)) + patches.tobytes() + planes


def _few_values(values: Numbers) -> Numbers | None:
    """All values there are in order, if they are at most as many as codes tell apart."""
    most = 1 << _CODE_BITS[-1]
    if len(np.unique(values[: 4 * most])) > most:
        return None
    known = np.unique(values)
    return known if len(known) <= most else None


def code_bits(kinds: int) -> int:
    """How many bits tell ``kinds`` things apart, of those that a byte is a multiple of; 0 if a
    byte is not enough."""
    return next((bits for bits in _CODE_BITS if 1 << bits >= kinds), 0)


def pack_codes(codes: Integers, bits: int) -> bytes:
    per_byte = 8 // bits
    padded = np.zeros(-(-len(codes) // per_byte) * per_byte, np.uint8)
    padded[: len(codes)] = codes
    shifted = padded.reshape(-1, per_byte) << np.arange(0, 8, bits, dtype=np.uint8)
    return bytes(np.bitwise_or.reduce(shifted, axis=1))


# ---- reading


def read_column(fields: Fields, count: int, least: int, most: int) -> Column:
    """``least``, ``most``: what no row may pass, nor what its bytes alone say without its patch."""
    form, base, patched = fields.unpack(_HEAD)
    patches = _read_patches(fields, count, patched)
    parts = tuple(_read_parts(fields, count, form))
    column = Column(count, base, parts, patches)
    lowest, highest = column.bounds
    if not (least <= base <= most and least <= lowest and highest <= most):
        raise BadSidecar(f"it has a column with a number outside {least}..{most}")
    return column


def _read_patches(fields: Fields, count: int, patched: int) -> Patches:
    if not patched:
        return NO_PATCHES
    written = np.frombuffer(fields.take(patched * _PATCH.itemsize), _PATCH)
    row, more = (written[name].astype(np.int64) for name in ("row", "more"))
    if row[-1] >= count or np.any(row[1:] <= row[:-1]):
        raise BadSidecar("it has a column with patches in disorder")
    return Patches(row, more)


def _read_parts(fields: Fields, count: int, form: int) -> Iterator[Plane | Codes]:
    if form & _CODES and form ^ _CODES in _CODE_BITS:
        bits = form ^ _CODES
        yield read_codes(fields, count, bits, np.frombuffer(fields.take(8 << bits), "<i8"))
    elif form in _PLANES:
        shift = 0
        for kind in _PLANES[form]:
            width = np.dtype(kind).itemsize
            yield Plane(np.frombuffer(fields.take(count * width), kind), shift)
            shift += 8 * width
    else:
        raise BadSidecar(f"it has a column of form {form}")


def read_codes(fields: Fields, count: int, bits: int, values: Integers) -> Codes:
    packed = np.frombuffer(fields.take(-(-count * bits // 8)), np.uint8)
    return Codes(count, values[_DIGITS[bits]], packed)
