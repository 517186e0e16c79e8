"""Every setting, where it comes from, and what it is when nobody sets it.

A setting is the environment variable ``VOD_`` + its name in capitals; the command line overrides
the few that ``vod-origin serve`` takes as options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_LEAST = {
    "max_connections": 0,
    "title_cache_mb": 1,
    "resource_cache_mb": 1,
    "cache_mb": 0,
    "read_ahead": 0,
    "redis_index_mb": 0,
    "drain_delay_seconds": 0,
    "drain_seconds": 1,
    "log_every": 0,
}


class BadSetting(ValueError):
    """A setting that cannot be used; the message names it."""


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Settings:
    library: str = _setting(".", "Folder of MP4s and of title folders, or s3:// or https:// URL.")
    s3_endpoint: str = _setting("", "URL of an S3 that is not Amazon's.")
    s3_region: str = _setting("us-east-1", "Region of the bucket.")
    s3_anonymous: int = _setting(0, "1: the bucket is open to all, no credentials are looked for.")
    s3_ca_file: str = _setting("", "PEM file of whom to trust instead of the system's authorities.")
    s3_fallback: str = _setting("", "s3://bucket/prefix to read from where the library fails.")
    s3_fallback_region: str = _setting("", "Its region; empty: the same.")
    s3_fallback_endpoint: str = _setting("", "URL of its S3; empty: the same.")
    http_hosts: str = _setting("", "Hosts whose http:// and https:// libraries may be read.")
    read_ahead: int = _setting(1, "Segments fetched from afar before they are asked for.")
    write_sidecars: int = _setting(0, "1: who indexes a file writes its sidecar.")
    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 for every interface.")
    port: int = _setting(8080, "TCP port; 0 takes a free one and prints it.")
    workers: int = _setting(1, "Processes; 0 starts one for each core.")
    tls_certificate: str = _setting("", "PEM file of the certificate; empty: plain HTTP.")
    tls_key: str = _setting("", "PEM file of the certificate's key.")
    max_connections: int = _setting(0, "Of each worker; 0: as the limit of open files allows.")
    title_cache_mb: int = _setting(256, "Memory a worker keeps indexes of titles in (MiB).")
    resource_cache_mb: int = _setting(64, "Memory a worker keeps manifests and heads in (MiB).")
    cache_mb: int = _setting(4096, "Disk that copies of media take (MiB); 0: none.")
    cache_folder: str = _setting("", "Folder for these copies; empty: the one for temporary files.")
    token_key_file: str = _setting("", "File of token keys; empty: there are no tokens.")
    cat_key_file: str = _setting("", "File of keys of Common Access Tokens; empty: none.")
    cloudfront_key_file: str = _setting("", "File of keys of CloudFront's signatures.")
    akamai_key_file: str = _setting("", "File of keys of Akamai's EdgeAuth tokens.")
    jwt_key_file: str = _setting("", "File of keys of JSON Web Tokens.")
    origin_verify_file: str = _setting("", "File of the secret that each request has to know.")
    database_url: str = _setting("", "postgresql:// of the catalogue; empty: there is none.")
    redis_url: str = _setting("", "redis://, rediss:// or unix:// of sessions; empty: none.")
    redis_index_mb: int = _setting(0, "Memory of Redis that indexes may take (MiB); 0: none.")
    session_check: str = _setting("revoked", "Which sessions are refused what.")
    require_token: int = _setting(0, "1: no media without a token; 0: at plain paths, too.")
    drain_delay_seconds: int = _setting(0, "How long a stopping worker still accepts (s).")
    drain_seconds: int = _setting(30, "How long a stopping worker lets answers finish (s).")
    log_every: int = _setting(100, "One of how many good answers is logged; 0: no access log.")
    log_level: str = _setting("info", "debug, info, warning or error.")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise BadSetting(f"port {self.port} is outside 0..65535")
        if not 0 <= self.workers <= 1024:
            raise BadSetting(f"workers {self.workers} is outside 0..1024 (0: one for each core)")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise BadSetting(f"{name} must be at least {least}")
        for name in ("require_token", "s3_anonymous", "write_sidecars"):
            if getattr(self, name) not in (0, 1):
                raise BadSetting(f"{name} {getattr(self, name)} is neither 0 nor 1")
        if self.session_check not in ("revoked", "manifests", "all"):
            raise BadSetting(
                f"session check '{self.session_check}' is none of revoked, manifests, all"
            )
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise BadSetting(f"log level '{self.log_level}' is none of debug, info, warning, error")


def read_settings(environment: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Settings from the environment; ``overrides`` that are not None win."""
    values: dict[str, Any] = {}
    for item in fields(Settings):
        raw = environment.get(variable(item.name))
        if raw is not None:
            values[item.name] = _parse(item.name, raw, type(item.default))
    values |= {name: value for name, value in overrides.items() if value is not None}
    return Settings(**values)


def variable(name: str) -> str:
    return f"VOD_{name.upper()}"


def _parse(name: str, raw: str, kind: type) -> Any:
    try:
        return kind(raw)
    except ValueError:
        raise BadSetting(f"{variable(name)}={raw!r} is not a whole number") from None
