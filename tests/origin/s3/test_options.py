from __future__ import annotations

import pytest

from origin.storage.s3.options import Endpoint, Limits, S3Options, endpoint_of


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            S3Options("films", "eu-west-1"),
            Endpoint(
                True,
                "films.s3.eu-west-1.amazonaws.com",
                443,
                "films.s3.eu-west-1.amazonaws.com",
                "",
            ),
        ),
        (
            S3Options("my.films", "eu-west-1"),
            Endpoint(
                True,
                "s3.eu-west-1.amazonaws.com",
                443,
                "s3.eu-west-1.amazonaws.com",
                "/my.films",
            ),
        ),
        (
            S3Options("films", "cn-north-1", path_style=True),
            Endpoint(
                True,
                "s3.cn-north-1.amazonaws.com.cn",
                443,
                "s3.cn-north-1.amazonaws.com.cn",
                "/films",
            ),
        ),
        (
            S3Options("films", endpoint="http://minio:9000"),
            Endpoint(False, "minio", 9000, "minio:9000", "/films"),
        ),
        (
            S3Options("films", endpoint="http://minio:80/"),
            Endpoint(False, "minio", 80, "minio", "/films"),
        ),
        (
            S3Options("films", endpoint="https://objects.example:443/storage/v1/s3/"),
            Endpoint(True, "objects.example", 443, "objects.example", "/storage/v1/s3/films"),
        ),
        (
            S3Options("films", endpoint="https://objects.example", path_style=False),
            Endpoint(True, "films.objects.example", 443, "films.objects.example", ""),
        ),
        (
            S3Options("films", endpoint="http://[::1]:9000"),
            Endpoint(False, "::1", 9000, "[::1]:9000", "/films"),
        ),
    ],
)
def test_where_a_bucket_is(options: S3Options, expected: Endpoint) -> None:
    assert endpoint_of(options) == expected


@pytest.mark.parametrize(
    ("bucket", "endpoint"),
    [
        ("", ""),
        ("films/title", ""),
        ("films", "minio:9000"),
        ("films", "ftp://minio"),
        ("films", "http://"),
        ("films", "http://user:password@minio"),
        ("films", "http://minio?x=1"),
        ("films", "http://minio:99999"),
    ],
)
def test_what_names_no_bucket(bucket: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match=r".") as failed:
        S3Options(bucket, endpoint=endpoint)
    assert "password" not in str(failed.value)


def test_an_attempt_that_is_begun_can_end_in_time() -> None:
    limits = Limits()
    longest = limits.patience_seconds + limits.connect_seconds + limits.first_byte_seconds
    assert longest <= limits.total_seconds <= 8
