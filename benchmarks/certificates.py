"""A certificate for this run's servers, by the openssl command."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import HOST


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two PEM files; clients trust the first."""

    certificate: Path
    key: Path


def has_openssl() -> bool:
    return shutil.which("openssl") is not None


def make_certificate(folder: Path) -> Certificate:
    """P-256, as servers have it today, and good for a day."""
    made = Certificate(folder.resolve() / "certificate.pem", folder.resolve() / "key.pem")
    options = (
        "-x509 -days 1 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        f"-subj /CN=bench -addext subjectAltName=IP:{HOST}"
    )
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    subprocess.run(["openssl", "req", *options.split(), *files], check=True, capture_output=True)
    return made
