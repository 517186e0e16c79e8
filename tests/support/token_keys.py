"""Key pairs that tests sign tokens with, made once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SECRET = bytes(range(32))

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: Private) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Private) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_of(algorithm: str) -> Private:
    return ec_key() if algorithm.startswith("E") else rsa_key()


def key_word(folder: Path, algorithm: str) -> str:
    """What stands in a key file's line for a key of that algorithm that issues."""
    if algorithm == "HS256":
        return SECRET.hex()
    path = folder / f"{algorithm}.pem"
    path.write_bytes(private_pem(private_of(algorithm)))
    return path.name


def key_file(folder: Path, *lines: str, name: str = "keys") -> str:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)
