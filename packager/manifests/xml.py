"""XML, made so that nothing in it can be taken for markup: an element is the list of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

Lines = list[str]
Attributes = Mapping[str, object]


def element(name: str, attributes: Attributes, *children: Lines) -> Lines:
    """Attributes that are None are left out."""
    given = ((key, str(value)) for key, value in attributes.items() if value is not None)
    start = name + "".join(f" {key}={quoteattr(value)}" for key, value in given)
    inner = [f"  {line}" for child in children for line in child]
    return [f"<{start}>", *inner, f"</{name}>"] if inner else [f"<{start}/>"]


def leaf(name: str, text: str) -> Lines:
    return [f"<{name}>{escape(text)}</{name}>"]


def document(root: Lines) -> str:
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *root)) + "\n"
