"""Clients of the tests' S3, and what they read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from origin.storage.s3.client import S3Client
from origin.storage.s3.credentials import CredentialSource
from origin.storage.s3.options import Limits, S3Options
from origin.storage.s3.sigv4 import Credentials
from tests.support.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Server

KEY = "title/film.mp4"
HASTE = Limits(
    connect_seconds=5.0,
    first_byte_seconds=0.5,
    progress_seconds=0.25,
    progress_bytes=1024,
    total_seconds=20.0,
    backoff_seconds=0.001,
)
"""Patience for a server in the same loop: long to connect, short where a fault is waited out."""


def options_of(s3: S3Server) -> S3Options:
    return S3Options(BUCKET, REGION, s3.url)


def source(*credentials: Credentials) -> CredentialSource:
    """Gives the first; each time that others are looked for, the next."""
    left = list(credentials) or [Credentials(ACCESS_KEY, SECRET_KEY)]

    async def load(anew: bool) -> Credentials:
        if anew and len(left) > 1:
            del left[0]
        return left[0]

    return CredentialSource(load)


@asynccontextmanager
async def client_of(
    s3: S3Server,
    limits: Limits = HASTE,
    credentials: CredentialSource | None = None,
    options: S3Options | None = None,
) -> AsyncIterator[S3Client]:
    client = S3Client(options or options_of(s3), credentials or source(), limits)
    try:
        yield client
    finally:
        await client.aclose()
        assert client._pool.slots.taken == 0


async def read(client: S3Client, start: int, stop: int, version: str, key: str = KEY) -> bytes:
    body = bytearray()
    await client.get_range(key, start, stop, version, body.extend)
    return bytes(body)
