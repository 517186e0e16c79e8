"""vod-origin as it is measured: this checkout's, whichever may be installed, with what is to be
measured of it on or off."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.certificates import Certificate
from benchmarks.machine import cores, two_cores
from benchmarks.servers import HOST, Server, ServerFailed, running, wait_for
from origin.auth.keys import read_keys
from origin.auth.path_token import MOST_SECONDS, SESSION_BYTES, issue

COMMAND = ("-c", "from cli.main import main; raise SystemExit(main())")
SERVE = (*COMMAND, "serve")
SERVE_UNOBSERVED = ("-m", "benchmarks.unobserved")


@dataclass(frozen=True, slots=True)
class Variant:
    """``token``: no media without one; ``telemetry``: metrics, and the access log as it is where
    nobody changes it; ``connections``: how many it allows, 0 for what it allows by itself;
    ``environment``: variables besides."""

    name: str = "vod-origin"
    token: bool = True
    telemetry: bool = True
    workers: int = 1
    connections: int = 0
    certificate: Certificate | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@contextmanager
def vod_origin(
    library: Path | str, scratch: Path, variant: Variant = Variant()
) -> Iterator[Server]:
    """``library``: a folder, or a URL of what is open without tokens. ``scratch`` is for its log,
    its keys and its copies of media."""
    log = scratch / f"{variant.name.replace(' ', '-')}.log"
    program = SERVE if variant.telemetry else SERVE_UNOBSERVED
    command = [sys.executable, *program, str(library)]
    held_to = {cores()[0]} if variant.workers == 1 else set(two_cores())
    with running(command, log, _environment(scratch, variant), held_to=held_to) as process:
        port = wait_for(process, log, lambda: _announced_port(log))
        yield Server(
            name=variant.name,
            program=_program(),
            host=HOST,
            port=port,
            pid=process.pid,
            cores=held_to,
            certificate=variant.certificate.certificate if variant.certificate else None,
            tokens=_tokens(Path(library), _key_file(scratch)) if variant.token else {},
        )


def write_sidecars(library: Path | str, environment: Mapping[str, str] = {}) -> None:
    """Beside each of its files, on the disk when this returns."""
    command = [sys.executable, *COMMAND, "index", str(library)]
    variables = {**_clean_environment(), **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerFailed(f"{command!r} failed. It said:\n{done.stdout}{done.stderr}")
    os.sync()


def _clean_environment() -> dict[str, str]:
    """This process's, but no settings of the product: it is measured as it comes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VOD_")}


def _environment(scratch: Path, variant: Variant) -> dict[str, str]:
    values = _clean_environment() | {
        "VOD_HOST": HOST,
        "VOD_PORT": "0",
        "VOD_WORKERS": str(variant.workers),
        "VOD_MAX_CONNECTIONS": str(variant.connections),
        "VOD_CACHE_FOLDER": str(scratch.resolve()),
    }
    if variant.token:
        values |= {"VOD_REQUIRE_TOKEN": "1", "VOD_TOKEN_KEY_FILE": str(_key_file(scratch))}
    if variant.certificate:
        values["VOD_TLS_CERTIFICATE"] = str(variant.certificate.certificate)
        values["VOD_TLS_KEY"] = str(variant.certificate.key)
    return {**values, **variant.environment}


def _key_file(scratch: Path) -> Path:
    path = scratch.resolve() / "token-keys"
    if not path.exists():
        path.write_text(f"1 {secrets.token_hex(32)}\n", encoding="utf-8")
        path.chmod(0o600)
    return path


def _tokens(library: Path, key_file: Path) -> Mapping[str, str]:
    """One for each title, as a viewer has it who goes on asking."""
    keys, expiry = read_keys(str(key_file)), int(time.time()) + MOST_SECONDS - 60
    session = secrets.token_bytes(SESSION_BYTES)
    titles = {path.stem if path.suffix == ".mp4" else path.name for path in library.iterdir()}
    return {title: issue(keys, f"/v/{title}/", expiry, session) for title in titles}


def _announced_port(log: Path) -> int | None:
    found = re.search(r"https?://[^\s/]+:(\d+)", log.read_text(errors="replace"))
    return int(found[1]) if found else None


def _program() -> str:
    try:
        return f"vod-origin {version('vod-origin')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "vod-origin"
