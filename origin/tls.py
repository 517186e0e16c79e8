"""The certificate of the listener, renewed without a restart.

A certificate and its key are proved by making a context of them, and a context is never changed: a
renewed pair is another context, for the connections to come. To load it into the one in use would
not do: a certificate that comes before its key takes the old key out of that, and one whose key is
of another kind leaves the old one beside it.

Workers are forked with one context and so with one set of keys for session tickets: a session that
began with one of them is resumed by any. The context of a renewed pair is each worker's own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

WATCH_SECONDS = 5.0

_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class BadPair(ValueError):
    """No certificate with its key; the message names the file and says why."""


class Certificate:
    """Two PEM files: ``certificate`` with what its issuers add, and its ``key``, not encrypted.

    ``context`` is of what they held when they were last good. BadPair if they never were.
    """

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate = Path(certificate)
        self._key = Path(key)
        self._stamps = self._look()
        self._complaint = ""
        self.context = make_context(self._certificate, self._key)

    def renew(self) -> bool:
        """Whether the files have changed and are good; if they are not, that is logged once and
        the context stays as it is. Reads files, so it may take its time."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        try:
            context = make_context(self._certificate, self._key)
        except BadPair as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.error("the certificate is not renewed: %s", error)
            return False
        self._stamps, self._complaint = stamps, ""
        self.context = context
        log.info("the certificate is renewed from %s", self._certificate)
        return True

    async def watch(self, renewed: Callable[[ssl.SSLContext], None]) -> None:
        """Until cancelled: have ``renewed`` know of each new context."""
        while True:
            if await asyncio.to_thread(self.renew):
                renewed(self.context)
            await asyncio.sleep(WATCH_SECONDS)

    def _look(self) -> tuple[object, ...]:
        """What tells a change of a file, or of where a link to it leads."""
        return tuple(map(_stamp, (self._certificate, self._key)))


def make_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    _require_certificate(certificate)
    _read(key)
    try:
        context.load_cert_chain(certificate, key, _no_password)
    except ssl.SSLError as error:
        raise BadPair(_reason(error, certificate, key)) from None
    except _Encrypted:
        raise BadPair(f"{key} is encrypted, and there is nobody to ask for its password") from None
    except OSError as error:
        raise BadPair(f"{certificate} or {key}: {error.strerror}") from None
    return context


def _require_certificate(path: Path) -> None:
    """OpenSSL does not say which of two files it cannot use, so the first is tried by itself."""
    pem = _read(path).decode("ascii", "ignore")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise BadPair(f"{path} holds no certificate in PEM") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPair(f"{path}: {error.strerror}") from None


def _reason(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if not error.reason:
        return f"{key} holds no private key in PEM"
    if error.reason in _MISMATCH:
        return f"{key} is not the key of {certificate}"
    return f"{certificate} and {key}: {error.reason.lower().replace('_', ' ')}"


class _Encrypted(Exception):
    """Without it OpenSSL would ask for a password on the terminal, and wait."""


def _no_password() -> str:
    raise _Encrypted


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
