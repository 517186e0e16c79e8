"""A request that says something of its playback."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Asks:
    """``headers`` by lower-case name."""

    query: str = ""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    path: str = "/v/film/master.m3u8"
    tells: bool = True

    @property
    def target(self) -> bytes:
        return f"{self.path}?{self.query}".encode() if self.query else self.path.encode()

    def field(self, name: bytes) -> bytes | None:
        return self.headers.get(name)
