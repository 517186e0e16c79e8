"""Where a bucket is, how it is asked, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class S3Options:
    """``endpoint``: URL of what is not Amazon's; empty: Amazon's in ``region``. ``path_style``:
    the bucket stands in the path, not in the host's name; None: where there is an endpoint, or a
    dot in the bucket's name, which no certificate of ``*.s3…`` covers. ``signed``: False for a
    bucket that is open to all. ``ca_file``: PEM of whom to trust instead of the system's."""

    bucket: str
    region: str = "us-east-1"
    endpoint: str = ""
    path_style: bool | None = None
    signed: bool = True
    ca_file: str = ""

    def __post_init__(self) -> None:
        if not self.bucket or "/" in self.bucket:
            raise ValueError(f"'{self.bucket}' is no name of a bucket")
        if self.endpoint:
            _require_endpoint(self.endpoint)

    @property
    def in_path(self) -> bool:
        if self.path_style is None:
            return bool(self.endpoint) or "." in self.bucket
        return self.path_style


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """A web server, which is asked as S3 is for a bucket that is open to all; ``url``: in front of
    all keys."""

    url: str
    ca_file: str = ""
    region: ClassVar[str] = ""

    def __post_init__(self) -> None:
        _require_endpoint(self.url)


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. Within ``total_seconds`` there is a byte, or an error."""

    connect_seconds: float = 1.0
    """To find the host, connect, and shake hands."""
    first_byte_seconds: float = 2.0
    progress_seconds: float = 2.0
    progress_bytes: int = 32 * 1024
    """What must arrive of a body in each ``progress_seconds``: one that drips is given up."""
    total_seconds: float = 7.0
    retries: int = 2
    backoff_seconds: float = 0.1
    """The longest wait before the first retry; twice that before the second."""
    connections: int = 256
    """The most requests at once; the bucket may be found to bear fewer."""

    @property
    def patience_seconds(self) -> float:
        """After which no more attempts are begun."""
        return self.total_seconds - self.connect_seconds - self.first_byte_seconds


class Endpoint(NamedTuple):
    """Where to connect, and what to call it; ``root`` stands before each key's path."""

    tls: bool
    host: str
    port: int
    authority: str
    root: str


def endpoint_of(options: S3Options | HttpOptions) -> Endpoint:
    if isinstance(options, HttpOptions):
        return _endpoint(options.url)
    suffix = ".cn" if options.region.startswith("cn-") else ""
    url = options.endpoint or f"https://s3.{options.region}.amazonaws.com{suffix}"
    if options.in_path:
        place = _endpoint(url)
        return place._replace(root=f"{place.root}/{options.bucket}")
    return _endpoint(url, f"{options.bucket}.")


def _endpoint(url: str, label: str = "") -> Endpoint:
    """``label``: in front of the host's name."""
    parts = urlsplit(url)
    host = label + (parts.hostname or "")
    root = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    port = parts.port or usual
    name = f"[{host}]" if ":" in host else host
    return Endpoint(tls, host, port, name if port == usual else f"{name}:{port}", root)


def _require_endpoint(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"'{url}' is no http:// or https:// endpoint")
    if parts.username or parts.query or parts.fragment or parts.port == 0:
        raise ValueError("an endpoint is scheme, host, port and path, nothing else")
