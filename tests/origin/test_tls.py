"""Pairs of a certificate and its key: which are good, and when others are taken."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from origin import tls
from origin.tls import BadPair, Certificate, make_context
from tests.support.certificates import Pair, der, issue, trusting, write_pair


def shown(context: ssl.SSLContext) -> bytes | None:
    """The certificate that a handshake with ``context`` shows, in memory."""
    upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(upward, downward, server_side=True)
    client = trusting().wrap_bio(downward, upward, server_hostname="localhost")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True)


def encrypted(issued: trustme.LeafCert) -> bytes:
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


@pytest.mark.parametrize("key_type", trustme.KeyType)
def test_a_pair(tmp_path: Path, key_type: trustme.KeyType) -> None:
    issued = issue(key_type)
    assert shown(make_context(*write_pair(tmp_path, issued))) == der(issued)


def test_a_certificate_with_a_text_in_front_and_its_issuers_behind(tmp_path: Path) -> None:
    pair = write_pair(tmp_path)
    pem = pair.certificate.read_bytes()
    pair.certificate.write_bytes("Zertifikat für Köln\n".encode() + pem + pem)
    assert shown(make_context(*pair)) == der()


@pytest.mark.parametrize("other", trustme.KeyType)
def test_a_key_of_another_certificate(tmp_path: Path, other: trustme.KeyType) -> None:
    pair = write_pair(tmp_path)
    pair.key.write_bytes(issue(other).private_key_pem.bytes())
    with pytest.raises(BadPair) as bad:
        make_context(*pair)
    assert str(bad.value) == f"{pair.key} is not the key of {pair.certificate}"


def test_an_encrypted_key_is_asked_for_no_password(tmp_path: Path) -> None:
    pair = write_pair(tmp_path)
    pair.key.write_bytes(encrypted(issue()))
    with pytest.raises(BadPair, match=r"key\.pem is encrypted"):
        make_context(*pair)


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff\xfe\x00", "cut"])
@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_file_that_is_none(tmp_path: Path, which: str, content: bytes | str) -> None:
    pair = write_pair(tmp_path)
    path: Path = getattr(pair, which)
    path.write_bytes(path.read_bytes()[:-60] if isinstance(content, str) else content)
    kind = "certificate" if which == "certificate" else "private key"
    with pytest.raises(BadPair) as bad:
        make_context(*pair)
    assert str(bad.value).startswith(f"{path} holds no {kind} in PEM")


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path, which: str) -> None:
    pair = write_pair(tmp_path)
    path: Path = getattr(pair, which)
    path.unlink()
    with pytest.raises(BadPair) as bad:
        make_context(*pair)
    assert str(bad.value) == f"{path}: No such file or directory"
    path.mkdir()
    with pytest.raises(BadPair) as bad:
        make_context(*pair)
    assert str(bad.value) == f"{path}: Is a directory"


# Renewal.


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return write_pair(tmp_path)


def test_what_has_not_changed_is_not_read(pair: Pair) -> None:
    certificate = Certificate(*map(str, pair))
    before = certificate.context
    assert not certificate.renew()
    assert certificate.context is before


def test_a_pair_that_comes_in_two_steps(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate without its key harms nothing, and is said once; the key completes it."""
    certificate = Certificate(*map(str, pair))
    renewed = issue()
    write_pair(tmp_path, renewed, key=False)
    for _ in range(3):
        assert not certificate.renew()
        assert shown(certificate.context) == der()
    assert caplog.messages == [
        f"the certificate is not renewed: {pair.key} is not the key of {pair.certificate}"
    ]
    write_pair(tmp_path, renewed, certificate=False)
    assert certificate.renew()
    assert shown(certificate.context) == der(renewed)
    assert not certificate.renew()


def test_a_key_of_another_kind_leaves_nothing_of_the_old_pair(pair: Pair, tmp_path: Path) -> None:
    certificate = Certificate(*map(str, pair))
    renewed = issue(trustme.KeyType.RSA)
    write_pair(tmp_path, renewed)
    assert certificate.renew()
    assert shown(certificate.context) == der(renewed)


def test_each_fault_is_said_until_the_files_are_good_again(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(*map(str, pair))
    pair.key.unlink()
    assert not certificate.renew()
    pair.key.write_bytes(b"junk")
    assert not certificate.renew()
    assert not certificate.renew()
    write_pair(tmp_path)
    assert certificate.renew()
    pair.key.unlink()
    assert not certificate.renew()
    assert [message.rpartition(": ")[2] for message in caplog.messages] == [
        "No such file or directory",
        f"{pair.key} holds no private key in PEM",
        "No such file or directory",
    ]


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    """As Kubernetes renews a mounted secret: the folder behind the link is another."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    renewed = issue()
    write_pair(tmp_path / "first")
    write_pair(tmp_path / "second", renewed)
    link = tmp_path / "data"
    link.symlink_to("first")
    certificate = Certificate(str(link / "certificate.pem"), str(link / "key.pem"))
    (tmp_path / "next").symlink_to("second")
    os.replace(tmp_path / "next", link)
    assert certificate.renew()
    assert shown(certificate.context) == der(renewed)


async def test_whoever_watches_is_told(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "WATCH_SECONDS", 0.01)
    certificate = Certificate(*map(str, pair))
    seen: asyncio.Queue[ssl.SSLContext] = asyncio.Queue()
    watching = asyncio.create_task(certificate.watch(seen.put_nowait))
    for _ in range(2):
        renewed = issue()
        write_pair(tmp_path, renewed)
        async with asyncio.timeout(20):
            while shown(await seen.get()) != der(renewed):
                continue
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled()
