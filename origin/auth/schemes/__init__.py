"""The kinds of token: one port (``origin/auth/visit.py``), and one map from name to scheme.

A scheme is an immutable value that a key file is read into; whoever holds it reads the file again
when it changes. What tokens of every scheme must not do is in ``tests/contracts/test_schemes.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec

from origin.auth.visit import Scheme
from origin.settings import BadSetting


def _reader(module: str, *needs: str) -> Callable[[str], Scheme]:
    """Of a module that is imported only where its key file is read; ``needs``: what the core does
    not bring."""

    def read(path: str) -> Scheme:
        if any(find_spec(name) is None for name in needs):
            raise BadSetting(
                f"{module} tokens need more than is installed: pip install 'vod-origin[tokens]'"
            )
        scheme: Scheme = import_module(f"origin.auth.schemes.{module}").read(path)
        return scheme

    return read


SCHEMES: Mapping[str, Callable[[str], Scheme]] = {
    "path": _reader("path"),
    "cat": _reader("cat", "cbor2"),
    "cloudfront": _reader("cloudfront", "cryptography"),
    "akamai": _reader("akamai"),
    "jwt": _reader("jwt"),
}
"""What reads a scheme's key file, by the scheme's name; its BadSetting says what is wrong."""
