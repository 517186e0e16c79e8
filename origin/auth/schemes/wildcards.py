"""``*`` for any number of characters, also none and also ``/``; ``?`` for one.

Each ``*`` takes the first place where what follows fits, and is never tried again: no pattern takes
longer than its length times the text's.
"""

from __future__ import annotations

import re
from collections.abc import Callable


def matcher(pattern: str) -> Callable[[str], bool]:
    first, *rest = pattern.split("*")
    if not rest:
        whole = re.compile(_fixed(first), re.DOTALL)
    else:
        *middle, last = rest
        inner = "".join(f"(?>.*?{_fixed(part)})" for part in middle if part)
        whole = re.compile(f"{_fixed(first)}{inner}.*{_fixed(last)}", re.DOTALL)
    return lambda text: whole.fullmatch(text) is not None


def _fixed(part: str) -> str:
    return ".".join(re.escape(piece) for piece in part.split("?"))
