"""CloudFront's signed URLs and cookies, made with botocore's own signer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from origin.auth.schemes.cloudfront import CloudFrontScheme, read
from origin.auth.visit import Visit
from origin.settings import BadSetting
from tests.support.token_keys import ec_key, key_file, key_word, public_pem, rsa_key
from tests.support.visits import NOW, SESSION, opens, visit

KEY = "K2JCJMDEHXQW5F"
END = NOW + 3600
URL = "https://media.example/v/film/master.m3u8"
DIGESTS: dict[str, hashes.HashAlgorithm] = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}
ALGORITHMS = ["RSA-SHA1", "RSA-SHA256", "ECDSA-SHA1", "ECDSA-SHA256"]


def signer(algorithm: str = "RSA-SHA1", key_id: str = KEY) -> CloudFrontSigner:
    kind, _, name = algorithm.partition("-")
    if kind == "RSA":
        return CloudFrontSigner(
            key_id, lambda text: rsa_key().sign(text, padding.PKCS1v15(), DIGESTS[name])
        )
    return CloudFrontSigner(key_id, lambda text: ec_key().sign(text, ec.ECDSA(DIGESTS[name])))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def verifying(folder: Path, *algorithms: str, more: str = "") -> CloudFrontScheme:
    """With public keys only, as a distribution has them."""
    lines = []
    for algorithm in algorithms or ("RSA-SHA1",):
        pem = folder / f"{algorithm}-public.pem"
        pem.write_bytes(public_pem(rsa_key() if algorithm.startswith("RSA") else ec_key()))
        lines.append(f"{KEY} {algorithm} {pem.name} {more}")
    return read(key_file(folder, *lines))


def of_url(url: str, **more: Any) -> Visit:
    parts = urlsplit(url)
    return visit(
        parts.path, query=parts.query, host=parts.netloc, secure=parts.scheme == "https", **more
    )


def hashed(url: str, algorithm: str) -> str:
    return url if algorithm.endswith("SHA1") else f"{url}&Hash-Algorithm=SHA256"


def custom(
    resource: str = "https://media.example/v/film/*", algorithm: str = "RSA-SHA1", **more: Any
) -> str:
    made = signer(algorithm)
    policy = made.build_policy(resource, at(END), **more)
    return hashed(made.generate_presigned_url(URL, policy=policy), algorithm)


def query_of(url: str) -> str:
    return url.partition("?")[2]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_canned_policy_is_for_one_url(tmp_path: Path, algorithm: str) -> None:
    scheme = verifying(tmp_path, algorithm)
    for url in (URL, f"{URL}?a=b&c=d", "http://media.example:8080/v/film/caf%C3%A9.mpd"):
        signed = signer(algorithm).generate_presigned_url(url, date_less_than=at(END))
        signed = hashed(signed, algorithm)
        assert opens(scheme, of_url(signed))
        assert opens(scheme, of_url(signed), END - 0.5)
        assert not opens(scheme, of_url(signed), END)
        for other in (
            signed.replace("/v/film/", "/v/film2/"),
            signed.replace("/v/film/", "/v/fil%6D/"),
            signed.replace("media.example", "other.example"),
            signed.replace("http", "ftp").replace("ftps", "http").replace("ftp", "https"),
            signed + "&e=f",
            signed.replace(f"Expires={END}", f"Expires={END + 1}"),
            signed.replace(f"Expires={END}", f"Expires=0{END}"),
            signed.replace(f"Expires={END}", f"Expires={END}&Expires={END}"),
            signed.replace("Signature=", "Signature=A"),
            signed.replace(KEY, "KOTHER"),
            signed.replace(f"&Key-Pair-Id={KEY}", ""),
            signed + "&Hash-Algorithm=SHA512",
        ):
            assert not opens(scheme, of_url(other)), other


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_custom_policy_may_be_for_many(tmp_path: Path, algorithm: str) -> None:
    scheme = verifying(tmp_path, algorithm)
    query = query_of(custom(algorithm=algorithm))
    for path in ("/v/film/master.m3u8", "/v/film/0123456789abcdef/video1/0.m4s"):
        assert opens(scheme, visit(path, query=query))
        assert opens(scheme, visit(path, query=f"a=b&{query}"))
        assert opens(scheme, visit(path, token=query))
    assert not opens(scheme, visit("/v/other/master.m3u8", query=query))
    assert not opens(scheme, visit("/v/other/master.m3u8", query=f"{query}&x=/v/film/"))
    assert not opens(scheme, visit("/v/film/a", query=query, secure=False))
    assert not opens(scheme, visit("/v/film/a", query=query, host="other.example"))
    assert not opens(scheme, visit("/v/film/a", query=f"{query}&Expires={END}"))


@pytest.mark.parametrize(
    ("resource", "good"),
    [
        ("*", True),
        ("http*://*/v/film/*", True),
        ("https://media.example/v/fil?/*.m3u8", True),
        ("https://*.example/v/film/master.????", True),
        ("https://*.example/v/film/master.???", False),
        ("https://media.example/v/film/master.m3u8", True),
        ("https://media.example/v/film/master", False),
        ("https://media.example/v/film/", False),
        ("https://media.example/v/f.lm/*", False),
        ("https://media.example/v/[f]ilm/*", False),
        ("", False),
    ],
)
def test_wildcards_of_a_resource(tmp_path: Path, resource: str, good: bool) -> None:
    assert opens(verifying(tmp_path), of_url(custom(resource))) == good


def test_wildcards_of_a_canned_policy_are_letters(tmp_path: Path) -> None:
    scheme = verifying(tmp_path)
    signed = signer().generate_presigned_url(
        "https://media.example/v/film/*", date_less_than=at(END)
    )
    assert opens(scheme, visit("/v/film/*", query=query_of(signed)))
    assert not opens(scheme, visit("/v/film/master.m3u8", query=query_of(signed)))


def test_a_beginning_and_addresses(tmp_path: Path) -> None:
    scheme = verifying(tmp_path)
    early = custom(date_greater_than=at(NOW))
    assert not opens(scheme, of_url(early), NOW)
    assert opens(scheme, of_url(early), NOW + 1)
    for named, good in (
        ("192.0.2.7", True),
        ("192.0.2.0/24", True),
        ("0.0.0.0/0", True),
        ("192.0.2.8", False),
        ("198.51.100.0/24", False),
    ):
        signed = custom(ip_address=named)
        assert opens(scheme, of_url(signed)) == good
        assert opens(scheme, of_url(signed, address="::ffff:192.0.2.7")) == good
        assert opens(scheme, of_url(signed, address="")) == (named == "0.0.0.0/0")


def cookies(url: str) -> str:
    return "; ".join(f"CloudFront-{pair}" for pair in query_of(url).split("&"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_cookies(tmp_path: Path, algorithm: str) -> None:
    scheme = verifying(tmp_path, algorithm)
    many = cookies(custom(algorithm=algorithm))
    assert opens(scheme, visit("/v/film/master.m3u8", cookie=f"a=b; {many}"))
    assert not opens(scheme, visit("/v/other/master.m3u8", cookie=many))
    made = signer(algorithm).generate_presigned_url(URL, date_less_than=at(END))
    one = cookies(hashed(made, algorithm))
    assert opens(scheme, visit("/v/film/master.m3u8", cookie=one))
    assert not opens(scheme, visit("/v/film/manifest.mpd", cookie=one))
    assert not opens(scheme, visit("/v/film/master.m3u8", cookie=one.partition("; ")[2]))


def test_the_hash_is_the_keys(tmp_path: Path) -> None:
    """One that is not listed is refused, whoever signed with it; both may be."""
    sha1, sha256 = custom(algorithm="RSA-SHA1"), custom(algorithm="RSA-SHA256")
    for algorithms, good in (
        (["RSA-SHA1"], (True, False)),
        (["RSA-SHA256"], (False, True)),
        (["RSA-SHA1", "RSA-SHA256"], (True, True)),
        (["ECDSA-SHA1", "ECDSA-SHA256"], (False, False)),
    ):
        scheme = verifying(tmp_path, *algorithms)
        assert (opens(scheme, of_url(sha1)), opens(scheme, of_url(sha256))) == good
    assert not opens(verifying(tmp_path, "RSA-SHA256"), of_url(f"{sha1}&Hash-Algorithm=SHA256"))


def signed_policy(policy: Any) -> str:
    content = policy if isinstance(policy, str) else json.dumps(policy)
    query: str = query_of(signer().generate_presigned_url(URL, policy=content))
    return query


LESS = {"DateLessThan": {"AWS:EpochTime": END}}


@pytest.mark.parametrize(
    ("policy", "good"),
    [
        ({"Statement": [{"Resource": "*", "Condition": LESS}]}, True),
        ({"Statement": [{"Condition": LESS}]}, True),
        ({"Statement": [{"Resource": "*", "Condition": {}}]}, False),
        ({"Statement": [{"Resource": "*"}]}, False),
        ({"Statement": [{"Resource": ["*"], "Condition": LESS}]}, False),
        ({"Statement": [{"Resource": "*", "Condition": LESS, "Effect": "Deny"}]}, False),
        ({"Statement": [{"Resource": "*", "Condition": LESS | {"Referer": "x"}}]}, False),
        ({"Statement": [{"Resource": "*", "Condition": LESS}] * 2}, False),
        ({"Statement": []}, False),
        ({"Statement": {"Resource": "*", "Condition": LESS}}, False),
        ({"Statement": [{"Resource": "*", "Condition": LESS}], "Version": "x"}, False),
        ({"Statement": [{"Resource": "*", "Condition": {"DateLessThan": END}}]}, False),
        (
            {"Statement": [{"Condition": {"DateLessThan": {"AWS:EpochTime": str(END)}}}]},
            False,
        ),
        (
            {"Statement": [{"Condition": LESS | {"IpAddress": {"AWS:SourceIp": "here"}}}]},
            False,
        ),
        ({"Statement": [{"Condition": LESS | {"IpAddress": {"AWS:SourceIp": 7}}}]}, False),
        ({"Statement": [7]}, False),
        ([], False),
        ("", False),
        ("{", False),
        ("[" * 3000, False),
    ],
)
def test_policies(tmp_path: Path, policy: Any, good: bool) -> None:
    assert opens(verifying(tmp_path), visit(query=signed_policy(policy))) == good


def test_the_viewers_url_may_be_set(tmp_path: Path) -> None:
    scheme = verifying(tmp_path, more="url=https://d111111abcdef8.example")
    behind = visit("/v/film/master.m3u8", host="origin.internal", secure=False)
    resource = "https://d111111abcdef8.example/v/film/*"
    assert opens(scheme, replace(behind, query=query_of(custom(resource))))
    assert not opens(scheme, replace(behind, query=query_of(custom())))
    url = "https://d111111abcdef8.example/v/film/master.m3u8"
    canned = signer().generate_presigned_url(url, date_less_than=at(END))
    assert opens(scheme, replace(behind, query=query_of(canned)))


def test_what_we_issue_is_what_botocore_makes(tmp_path: Path) -> None:
    line = f"{KEY} RSA-SHA1 {key_word(tmp_path, 'RSA-SHA1')} url=https://media.example"
    scheme = read(key_file(tmp_path, line))
    assert scheme.issue("/v/film/", END, SESSION) == query_of(custom())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("url=https://media.example/", "a url is https://HOST"),
        ("url=media.example", "a url is https://HOST"),
        ("url=https://*", "a url is https://HOST"),
        ("host=media.example", "not NAME=VALUE of life, url"),
    ],
)
def test_a_url_that_is_none(tmp_path: Path, line: str, complaint: str) -> None:
    word = key_word(tmp_path, "RSA-SHA1")
    with pytest.raises(BadSetting, match=complaint):
        read(key_file(tmp_path, f"{KEY} RSA-SHA1 {word} {line}"))


def test_without_a_url_nothing_is_issued(tmp_path: Path) -> None:
    scheme = read(key_file(tmp_path, f"{KEY} RSA-SHA1 {key_word(tmp_path, 'RSA-SHA1')}"))
    with pytest.raises(BadSetting, match="needs url="):
        scheme.issue("/v/film/", END, SESSION)
