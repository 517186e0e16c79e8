from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from origin.delivery import spans, writer
from origin.native import NATIVE
from tests.origin.delivery.serving import Serving


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test that runs in a loop runs in both."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with Serving() as running:
        yield running


@pytest.fixture(params=["compiled", "python"])
def pushing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What sends long stretches of files: all bodies are the same with both."""
    if request.param == "python":
        monkeypatch.setattr(writer, "push_all", spans.push_all_in_python)
    elif NATIVE is None:
        pytest.skip("the compiled hot path was not built")
    else:
        monkeypatch.setattr(writer, "push_all", NATIVE.push_all)
