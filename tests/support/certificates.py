"""Certificates of an authority that lives as long as the tests run."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

_AUTHORITY = trustme.CA()
_ISSUED = _AUTHORITY.issue_cert("localhost", "127.0.0.1")


class Pair(NamedTuple):
    """Two PEM files."""

    certificate: Path
    key: Path


def write_pair(
    folder: Path, issued: trustme.LeafCert = _ISSUED, *, certificate: bool = True, key: bool = True
) -> Pair:
    """``issued`` as ``certificate.pem`` and ``key.pem``, or one of the two; each is replaced whole,
    as programs do that renew certificates."""
    pair = Pair(folder / "certificate.pem", folder / "key.pem")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    for path, pem, wanted in (
        (pair.certificate, chain, certificate),
        (pair.key, issued.private_key_pem.bytes(), key),
    ):
        if wanted:
            new = path.with_suffix(".new")
            new.write_bytes(pem)
            os.replace(new, path)
    return pair


def issue(key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> trustme.LeafCert:
    """Another certificate for the same name."""
    return _AUTHORITY.issue_cert("localhost", "127.0.0.1", key_type=key_type)


def der(issued: trustme.LeafCert = _ISSUED) -> bytes:
    """The certificate as a peer shows it."""
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


def trusting() -> ssl.SSLContext:
    """A client's context."""
    context = ssl.create_default_context()
    _AUTHORITY.configure_trust(context)
    return context


def authority_pem() -> bytes:
    """Whom to trust."""
    return _AUTHORITY.cert_pem.bytes()
