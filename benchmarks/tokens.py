"""``python -m benchmarks.tokens``: what tokens cost, on one core.

``authenticate`` is what a token costs when it is first seen, ``admit`` what each request costs
after that, for the gate keeps what was authenticated. The best of several runs; the table is the
one in docs/tokens.md.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from timeit import Timer

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from origin.auth.schemes import SCHEMES
from origin.auth.visit import Scheme, Visit

SCOPE = "/v/film/"
MEDIA = f"{SCOPE}0123456789abcdef/video1/0.m4s"
SECRET = bytes(range(32)).hex()
KINDS = {
    "path": (f"1 {SECRET}",),
    "cat": (f"1 HS256 {SECRET}", "1 ES256 ec.pem", "1 PS256 rsa.pem"),
    "cloudfront": (
        "1 RSA-SHA1 rsa.pem url=https://media.example",
        "1 RSA-SHA256 rsa.pem url=https://media.example",
        "1 ECDSA-SHA256 ec.pem url=https://media.example",
    ),
    "akamai": (f"1 {SECRET}",),
    "jwt": (f"1 HS256 {SECRET}", "1 RS256 rsa.pem", "1 PS256 rsa.pem", "1 ES256 ec.pem"),
}
RUNS = 15
SECONDS = 0.1


def main() -> None:
    print("| scheme | key | characters | authenticate (µs) | admit (µs) |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder)):
            print(f"| {' | '.join(row)} |")


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    write_keys(folder)
    path = folder / "keys"
    for name, lines in KINDS.items():
        for line in lines:
            path.write_text(line, encoding="ascii")
            kind = line.split()[1] if len(line.split()) > 2 else "HMAC-SHA256"
            yield name, kind, *measure(SCHEMES[name](str(path)))


def measure(scheme: Scheme) -> tuple[str, str, str]:
    now = time.time()
    token = scheme.issue(SCOPE, int(now) + 3600, bytes(16))
    visit = visit_with(token)
    credential = scheme.find(visit)
    assert credential is not None
    grant = scheme.authenticate(credential)
    first = microseconds(lambda: scheme.authenticate(credential))
    later = microseconds(lambda: grant.admit(visit, now))
    return str(len(token)), f"{first:.1f}", f"{later:.1f}"


def write_keys(folder: Path) -> None:
    for name, key in (
        ("rsa", rsa.generate_private_key(65_537, 2048)),
        ("ec", ec.generate_private_key(ec.SECP256R1())),
    ):
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{name}.pem").write_bytes(pem)


def visit_with(token: str) -> Visit:
    return Visit("GET", MEDIA, "", "media.example", True, no_field, "192.0.2.7", None, None, token)


def no_field(name: bytes) -> bytes | None:
    return None


def microseconds(run: Callable[[], object]) -> float:
    timer = Timer(run)
    number, seconds = timer.autorange()
    number = max(1, round(number * SECONDS / seconds))
    return min(timer.repeat(RUNS, number)) / number * 1e6


if __name__ == "__main__":
    main()
