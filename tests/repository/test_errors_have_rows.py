"""The shell maps every error to HTTP; one that is forgotten would be answered as a defect."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import packager
from origin import errors
from packager.errors import PackagerError


def every_module(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def family(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def test_each_packager_error_has_a_row_and_a_code_of_its_own() -> None:
    assert list(every_module(packager))
    kinds = list(family(PackagerError))
    assert [kind.__name__ for kind in kinds if kind not in errors.STATUS] == []
    codes = [kind.code for kind in kinds if issubclass(kind, PackagerError)]
    assert sorted(codes) == sorted(set(codes))
