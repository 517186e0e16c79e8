"""RSA and ECDSA on P-256, as the names of their algorithms say.

RS256                       RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)
PS256                       RSASSA-PSS with SHA-256, salt of 32 bytes (RFC 7518, RFC 8230)
ES256                       ECDSA with SHA-256, r and s of 32 bytes each (RFC 7518, RFC 9053)
RSA-SHA1, RSA-SHA256        RSASSA-PKCS1-v1_5, as CloudFront signs
ECDSA-SHA1, ECDSA-SHA256    ECDSA in DER, as CloudFront signs
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

_LEAST_RSA_BITS = 2048
_MOST_PEM_BYTES = 64 * 1024
_INLINE = "inline:"
_PRIVATE = b"PRIVATE KEY-----"

Verify = Callable[[bytes, bytes], bool]
Sign = Callable[[bytes], bytes]

_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
_RSA: dict[str, tuple[padding.PKCS1v15 | padding.PSS, hashes.HashAlgorithm]] = {
    "RS256": (_PKCS1, hashes.SHA256()),
    "PS256": (_PSS, hashes.SHA256()),
    "RSA-SHA1": (_PKCS1, hashes.SHA1()),
    "RSA-SHA256": (_PKCS1, hashes.SHA256()),
}
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "ES256": hashes.SHA256(),
    "ECDSA-SHA1": hashes.SHA1(),
    "ECDSA-SHA256": hashes.SHA256(),
}


def pair(algorithm: str, word: str, folder: str) -> tuple[Verify, Sign | None]:
    """Of the key at ``word``: the name of a PEM file from ``folder``, or ``inline:`` base64."""
    private, public = _load(word, folder)
    if algorithm in _RSA:
        if not isinstance(public, rsa.RSAPublicKey):
            raise ValueError("the key is no RSA key")
        if public.key_size < _LEAST_RSA_BITS:
            raise ValueError(f"an RSA key of less than {_LEAST_RSA_BITS} bits")
        return _rsa(algorithm, public, private)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise ValueError("the key is no EC key")
    if not isinstance(public.curve, ec.SECP256R1):
        raise ValueError("the key is not on the curve P-256")
    return _ecdsa(algorithm, public, private)


def _rsa(algorithm: str, public: rsa.RSAPublicKey, private: object) -> tuple[Verify, Sign | None]:
    pad, digest = _RSA[algorithm]

    def verify(content: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, content, pad, digest)
        except InvalidSignature:
            return False
        return True

    def sign(content: bytes) -> bytes:
        assert isinstance(private, rsa.RSAPrivateKey)
        return private.sign(content, pad, digest)

    return verify, sign if private is not None else None


def _ecdsa(
    algorithm: str, public: ec.EllipticCurvePublicKey, private: object
) -> tuple[Verify, Sign | None]:
    scheme, plain = ec.ECDSA(_ECDSA[algorithm]), algorithm == "ES256"

    def verify(content: bytes, signature: bytes) -> bool:
        try:
            public.verify(_to_der(signature) if plain else signature, content, scheme)
        except InvalidSignature:
            return False
        return True

    def sign(content: bytes) -> bytes:
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        signature = private.sign(content, scheme)
        return _from_der(signature) if plain else signature

    return verify, sign if private is not None else None


def _to_der(signature: bytes) -> bytes:
    if len(signature) != 64:
        return b""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return utils.encode_dss_signature(r, s)


def _from_der(signature: bytes) -> bytes:
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _load(word: str, folder: str) -> tuple[object, object]:
    """The private key, or None, and the public one."""
    try:
        if word.startswith(_INLINE):
            return _from_inline(b64decode(word.removeprefix(_INLINE), validate=True))
        with open(os.path.join(folder, word), "rb") as file:
            content = file.read(_MOST_PEM_BYTES)
        if _PRIVATE in content:
            return _both(serialization.load_pem_private_key(content, None))
        return None, serialization.load_pem_public_key(content)
    except OSError as error:
        raise ValueError(f"the key's PEM file: {error.strerror}") from None
    except Exception:  # whatever the parser says, it may say some of the key
        raise ValueError("the key is no PEM that can be read without a password") from None


def _from_inline(content: bytes) -> tuple[object, object]:
    try:
        return None, serialization.load_der_public_key(content)
    except ValueError:
        return _both(serialization.load_der_private_key(content, None))


def _both(private: object) -> tuple[object, object]:
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("neither RSA nor EC")
    return private, private.public_key()
