"""XML, made so that nothing in it can be taken for markup: an element is its own text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

_PLAIN = re.compile(r"[^&<>\"\t\n\r]*")

Element = str
Attributes = Mapping[str, object]


def element(name: str, attributes: Attributes, *children: Element) -> Element:
    """Attributes that are None are left out, and so are children that are empty."""
    given = ((key, str(value)) for key, value in attributes.items() if value is not None)
    start = name + "".join([f" {key}={_quoted(value)}" for key, value in given])
    inner = "\n".join(filter(None, children)).replace("\n", "\n  ")
    return f"<{start}>\n  {inner}\n</{name}>" if inner else f"<{start}/>"


def _quoted(value: str) -> str:
    return f'"{value}"' if _PLAIN.fullmatch(value) else quoteattr(value)


def leaf(name: str, text: str) -> Element:
    return f"<{name}>{escape(text)}</{name}>"


def document(root: Element) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'
