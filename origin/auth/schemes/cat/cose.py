"""COSE_Mac0 and COSE_Sign1 (RFC 9052) around a CWT, read by hand.

Nothing but one shape is read before the signature is known to be good, in one pass over it:

    [61(] 17([protected {1: algorithm}, unprotected {4: key id}, payload, mac]) [)]
    [61(] 18([protected {1: algorithm}, unprotected {4: key id}, payload, signature]) [)]

The key id may be protected as well. A header parameter that is not one of these two is refused, so
none is critical without our knowing (RFC 9052 section 3.1, ``crit``).
"""

from __future__ import annotations

from dataclasses import dataclass

CWT_TAG = 61
ALGORITHMS = {"HS256": 5, "ES256": -7, "PS256": -37}
_NAMES = {number: name for name, number in ALGORITHMS.items()}
_TAGS = {17: b"\x84\x64MAC0", 18: b"\x84\x6aSignature1"}
"""Of each tag, how the structure begins that is signed (RFC 9052 sections 4.4 and 6.3)."""

_ALGORITHM, _KEY_ID = 1, 4
_UNSIGNED, _NEGATIVE, _BYTES, _ARRAY, _MAP, _TAG = 0, 1, 2, 4, 5, 6


class Malformed(ValueError):
    """Not that shape."""


@dataclass(frozen=True, slots=True)
class Message:
    algorithm: str
    key_id: str
    signed: bytes
    payload: bytes
    signature: bytes


def parse(content: bytes) -> Message:
    try:
        return _message(content)
    except IndexError:
        raise Malformed("cut short") from None


def structure(algorithm: str, protected: bytes, payload: bytes) -> bytes:
    """What is signed."""
    return _TAGS[tag_of(algorithm)] + byte_string(protected) + b"\x40" + byte_string(payload)


def protected_header(algorithm: str) -> bytes:
    number = ALGORITHMS[algorithm]
    major, value = (_UNSIGNED, number) if number >= 0 else (_NEGATIVE, -1 - number)
    return b"\xa1\x01" + _head_bytes(major, value)


def compose(algorithm: str, key_id: str, payload: bytes, signature: bytes) -> bytes:
    return b"".join(
        (
            _head_bytes(_TAG, CWT_TAG),
            _head_bytes(_TAG, tag_of(algorithm)),
            b"\x84",
            byte_string(protected_header(algorithm)),
            b"\xa1\x04",
            byte_string(key_id.encode()),
            byte_string(payload),
            byte_string(signature),
        )
    )


def tag_of(algorithm: str) -> int:
    return 17 if algorithm == "HS256" else 18


def byte_string(content: bytes) -> bytes:
    return _head_bytes(_BYTES, len(content)) + content


def _head_bytes(major: int, value: int) -> bytes:
    if value < 24:
        return bytes((major << 5 | value,))
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return bytes((major << 5 | 23 + size.bit_length(),)) + value.to_bytes(size, "big")


def _message(content: bytes) -> Message:
    tag, at = _expect(content, 0, _TAG)
    if tag == CWT_TAG:
        tag, at = _expect(content, at, _TAG)
    if tag not in _TAGS:
        raise Malformed("neither COSE_Mac0 nor COSE_Sign1")
    count, at = _expect(content, at, _ARRAY)
    if count != 4:
        raise Malformed("not of four")
    protected, at = _byte_string(content, at)
    header, end = _header(protected, 0)
    if end != len(protected):
        raise Malformed("more than a header")
    unprotected, at = _header(content, at)
    payload, at = _byte_string(content, at)
    signature, at = _byte_string(content, at)
    if at != len(content):
        raise Malformed("more than a message")
    if _ALGORITHM in unprotected or header.keys() & unprotected.keys():
        raise Malformed("what must be protected is not")
    algorithm = _NAMES.get(header.get(_ALGORITHM))  # type: ignore[arg-type]
    if algorithm is None or tag_of(algorithm) != tag:
        raise Malformed("no algorithm of ours")
    key_id = (header | unprotected).get(_KEY_ID)
    if not isinstance(key_id, bytes):
        raise Malformed("no key id")
    signed = structure(algorithm, protected, payload)
    return Message(algorithm, key_id.decode("latin-1"), signed, payload, signature)


def _header(content: bytes, at: int) -> tuple[dict[int, int | bytes], int]:
    count, at = _expect(content, at, _MAP)
    found: dict[int, int | bytes] = {}
    for _ in range(min(count, 3)):
        label, at = _expect(content, at, _UNSIGNED)
        if label in found:
            raise Malformed("a header parameter for the second time")
        if label == _ALGORITHM:
            found[label], at = _integer(content, at)
        elif label == _KEY_ID:
            found[label], at = _byte_string(content, at)
        else:
            raise Malformed("an unknown header parameter")
    return found, at


def _integer(content: bytes, at: int) -> tuple[int, int]:
    major, value, at = _head(content, at)
    if major not in (_UNSIGNED, _NEGATIVE):
        raise Malformed("no integer")
    return (value if major == _UNSIGNED else -1 - value), at


def _byte_string(content: bytes, at: int) -> tuple[bytes, int]:
    length, at = _expect(content, at, _BYTES)
    end = at + length
    if end > len(content):
        raise Malformed("cut short")
    return content[at:end], end


def _expect(content: bytes, at: int, wanted: int) -> tuple[int, int]:
    major, value, at = _head(content, at)
    if major != wanted:
        raise Malformed("another type")
    return value, at


def _head(content: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where it ends (RFC 8949 section 3); no indefinite lengths."""
    first = content[at]
    info = first & 31
    if info < 24:
        return first >> 5, info, at + 1
    if info > 27:
        raise Malformed("an indefinite length")
    end = at + 1 + (1 << info - 24)
    if end > len(content):
        raise Malformed("cut short")
    return first >> 5, int.from_bytes(content[at + 1 : end], "big"), end
