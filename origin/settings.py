"""Every setting, where it comes from, and what it is when nobody sets it.

A setting is the environment variable ``VOD_`` + its name in capitals; the command line overrides
the few that ``vod-origin serve`` takes as options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class BadSetting(ValueError):
    """A setting that cannot be used; the message names it."""


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Settings:
    library: str = _setting(".", "Folder of MP4 files and of title folders.")
    host: str = _setting("127.0.0.1", "Address to listen on; 0.0.0.0 for every interface.")
    port: int = _setting(8080, "TCP port; 0 takes a free one and prints it.")
    workers: int = _setting(1, "Processes; 0 starts one for each core.")
    title_cache_mb: int = _setting(256, "Memory a worker keeps indexes of titles in (MiB).")
    resource_cache_mb: int = _setting(64, "Memory a worker keeps manifests and heads in (MiB).")
    cache_mb: int = _setting(4096, "Disk that copies of interleaved tracks take (MiB); 0: none.")
    cache_folder: str = _setting("", "Folder for these copies; empty: the one for temporary files.")
    drain_seconds: int = _setting(30, "How long a stopping worker lets answers finish (s).")
    log_every: int = _setting(100, "One of how many good answers is logged; 0: no access log.")
    log_level: str = _setting("info", "debug, info, warning or error.")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise BadSetting(f"port {self.port} is outside 0..65535")
        if not 0 <= self.workers <= 1024:
            raise BadSetting(f"workers {self.workers} is outside 0..1024 (0: one for each core)")
        for name in ("title_cache_mb", "resource_cache_mb", "drain_seconds"):
            if getattr(self, name) < 1:
                raise BadSetting(f"{name} must be at least 1")
        if self.log_every < 0:
            raise BadSetting("log_every must be at least 0 (0: no access log)")
        if self.cache_mb < 0:
            raise BadSetting("cache_mb must be at least 0 (0: no copies)")
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
