"""Files of keys with an algorithm each."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from origin.auth.schemes.pinned import Keys, read_pinned
from origin.settings import BadSetting
from tests.support.token_keys import (
    SECRET,
    Private,
    ec_key,
    key_file,
    private_pem,
    public_pem,
    rsa_key,
)

ALGORITHMS = frozenset(("HS256", "RS256", "ES256"))
WORD = SECRET.hex()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With PEM files of many kinds."""
    other_curve = ec.generate_private_key(ec.SECP384R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    for name, content in {
        "rsa": private_pem(rsa_key()),
        "rsa-public": public_pem(rsa_key()),
        "rsa-small": private_pem(rsa_key(1024)),
        "ec": private_pem(ec_key()),
        "ec-public": public_pem(ec_key()),
        "ec-384": private_pem(other_curve),
        "edwards": edwards.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "locked": rsa_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        ),
        "nonsense": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def keys(folder: Path, *lines: str) -> Keys:
    return read_pinned(key_file(folder, *lines), "keys of tests", ALGORITHMS, frozenset({"issuer"}))


def test_what_a_file_may_hold(folder: Path) -> None:
    found = keys(
        folder,
        "# new",
        f"k1 HS256 {WORD} issuer=https://auth.example/?a=b life=60  # until May",
        "k2 RS256 rsa",
        "k3 RS256 rsa-public",
        f"k4 ES256 {folder}/ec",
        f"k5 ES256 inline:{b64encode(inline(ec_key(), private=True)).decode()}",
        f"k6 RS256 inline:{b64encode(inline(rsa_key(), private=False)).decode()}",
    )
    assert [key_id for key_id, _ in found.by_id] == ["k1", "k2", "k3", "k4", "k5", "k6"]
    assert found.issuing.id == "k1"
    assert found.issuing.life == 60
    assert found.issuing.options == {"issuer": "https://auth.example/?a=b"}
    assert found.by_id["k2", "RS256"].life == 86_400
    for key in found.by_id.values():
        if key.id in ("k3", "k6"):
            with pytest.raises(BadSetting, match=f"the key {key.id} is a public one"):
                key.signature(b"content")
            signature = found.by_id["k2", "RS256"].signature(b"content")
        else:
            signature = key.signature(b"content")
        assert found.genuine(key.id, key.algorithm, b"content", signature) is key
        assert found.genuine(key.id, key.algorithm, b"other", signature) is None
        assert found.genuine(key.id, key.algorithm, b"content", signature[:-1]) is None
        assert found.genuine(key.id, key.algorithm, b"content", b"") is None
        assert found.genuine("k7", key.algorithm, b"content", signature) is None


def inline(key: Private, *, private: bool) -> bytes:
    if private:
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (WORD, "not ID ALGORITHM KEY"),
        (f"k1 {WORD}", "not ID ALGORITHM KEY"),
        (f"k1 none {WORD}", "the algorithm is none of ES256, HS256, RS256"),
        (f"k1 PS256 {WORD}", "the algorithm is none of ES256, HS256, RS256"),
        (f"k1 hs256 {WORD}", "the algorithm is none of ES256, HS256, RS256"),
        (f"{'k' * 65} HS256 {WORD}", "the id is not 1 to 64 visible characters of ASCII"),
        (f"ké HS256 {WORD}", "the id is not 1 to 64 visible characters of ASCII"),
        (f"k1 HS256 {WORD[:30]}", "a key of 15 bytes, where 16 are the least"),
        ("k1 HS256 rsa.pem", "the key is neither hex nor base64url"),
        ("k1 RS256 no-such", "the key's PEM file: No such file or directory"),
        ("k1 RS256 .", "the key's PEM file: Is a directory"),
        (f"k1 RS256 {WORD}", "the key's PEM file: No such file or directory"),
        ("k1 RS256 ec", "the key is no RSA key"),
        ("k1 RS256 rsa-small", "an RSA key of less than 2048 bits"),
        ("k1 ES256 rsa", "the key is no EC key"),
        ("k1 ES256 ec-384", "the key is not on the curve P-256"),
        ("k1 ES256 edwards", "the key is no PEM that can be read without a password"),
        ("k1 RS256 locked", "the key is no PEM that can be read without a password"),
        ("k1 RS256 nonsense", "the key is no PEM that can be read without a password"),
        ("k1 RS256 empty", "the key is no PEM that can be read without a password"),
        ("k1 RS256 inline:AAAA", "the key is no PEM that can be read without a password"),
        ("k1 RS256 inline:%", "the key is no PEM that can be read without a password"),
        (f"k1 HS256 {WORD} more", "what follows the key is not NAME=VALUE of issuer, life"),
        (f"k1 HS256 {WORD} {WORD}=1", "what follows the key is not NAME=VALUE of issuer, life"),
        (f"k1 HS256 {WORD} issuer=", "what follows the key is not NAME=VALUE of issuer, life"),
        (
            f"k1 HS256 {WORD} issuer=a issuer=b",
            "what follows the key is not NAME=VALUE of issuer, life",
        ),
        (f"k1 HS256 {WORD} life=0", "the life is outside 1..31622400 (s)"),
        (f"k1 HS256 {WORD} life=-1", "the life is outside 1..31622400 (s)"),
        (f"k1 HS256 {WORD} life=99999999999", "the life is outside 1..31622400 (s)"),
        (f"k0 HS256 {WORD}", "the id of this line for the second time"),
    ],
)
def test_what_it_may_not_hold_is_said_without_showing_it(
    folder: Path, line: str, complaint: str
) -> None:
    with pytest.raises(BadSetting) as raised:
        keys(folder, f"k0 HS256 {SECRET[::-1].hex()}", line)
    assert str(raised.value) == f"keys of tests: {folder}/keys line 2: {complaint}"
    assert raised.value.__cause__ is None


def test_one_id_has_one_algorithm(folder: Path) -> None:
    with pytest.raises(BadSetting, match="one id with several algorithms"):
        keys(folder, f"k1 HS256 {WORD}", "k1 RS256 rsa")
