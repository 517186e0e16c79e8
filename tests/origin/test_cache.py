from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.cache import Cache
from tests.support.tracks import PROPERTY


class Source:
    """Loads that wait until they are let go, and are counted."""

    def __init__(self) -> None:
        self.loads = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def load(self) -> bytes:
        self.loads += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return b"value"


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What the event loop complains of, such as an error that nobody looked at."""
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(context["message"]))
    yield said
    await asyncio.sleep(0)
    gc.collect()
    assert said == []


def new_cache(limit: int = 100) -> Cache[str, bytes]:
    return Cache(limit, len)


async def waiters(
    cache: Cache[str, bytes], source: Source, count: int
) -> list[asyncio.Task[bytes]]:
    """``count`` tasks that wait for the same load."""
    tasks = [asyncio.ensure_future(cache.load("key", source.load)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


@pytest.mark.usefixtures("complaints")
async def test_one_load_serves_all_who_wait() -> None:
    cache, source = new_cache(), Source()
    tasks = await waiters(cache, source, 200)
    source.gate.set()
    assert await asyncio.gather(*tasks) == [b"value"] * 200
    assert source.loads == 1
    assert cache.peek("key") == b"value"


@pytest.mark.usefixtures("complaints")
async def test_a_waiter_that_leaves_does_not_end_the_load() -> None:
    cache, source = new_cache(), Source()
    first, second = await waiters(cache, source, 2)
    first.cancel()
    await asyncio.wait([first])
    source.gate.set()
    assert first.cancelled()
    assert await second == b"value"
    assert source.loads == 1


@pytest.mark.usefixtures("complaints")
async def test_a_load_that_all_have_left_is_still_kept() -> None:
    cache, source = new_cache(), Source()
    tasks = await waiters(cache, source, 3)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    source.gate.set()
    assert await cache.load("key", source.load) == b"value"
    assert source.loads == 1


@pytest.mark.usefixtures("complaints")
async def test_a_failure_is_everyones_and_is_not_kept() -> None:
    cache, source = new_cache(), Source()
    source.error = ValueError("broken")
    tasks = await waiters(cache, source, 3)
    source.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results == [source.error] * 3
    assert cache.peek("key") is None
    source.error = None
    assert await cache.load("key", source.load) == b"value"
    assert source.loads == 2


@pytest.mark.usefixtures("complaints")
async def test_a_failure_that_all_have_left_is_no_complaint() -> None:
    cache, source = new_cache(), Source()
    source.error = ValueError("broken")
    tasks = await waiters(cache, source, 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    source.gate.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert source.loads == 1
    assert not cache._loading


@pytest.mark.usefixtures("complaints")
async def test_loads_of_different_keys_do_not_wait_for_each_other() -> None:
    cache, slow, quick = new_cache(), Source(), Source()
    quick.gate.set()
    waiting = asyncio.ensure_future(cache.load("slow", slow.load))
    assert await cache.load("quick", quick.load) == b"value"
    assert not waiting.done()
    slow.gate.set()
    assert await waiting == b"value"


def test_the_least_recently_used_goes_first() -> None:
    cache = new_cache(limit=3)
    for key in "abc":
        cache.put(key, b"1")
    cache.peek("a")
    cache.put("d", b"1")
    assert [key for key in "abcd" if cache.peek(key)] == ["a", "c", "d"]


def test_a_value_over_the_limit_is_held_alone() -> None:
    cache = new_cache(limit=3)
    cache.put("a", b"1")
    cache.put("large", b"12345")
    assert (cache.peek("a"), cache.peek("large")) == (None, b"12345")
    cache.put("b", b"1")
    assert (cache.peek("large"), cache.used) == (None, 1)


def test_replacing_and_discarding_give_back_what_they_held() -> None:
    cache = new_cache()
    cache.put("a", b"12345")
    cache.put("a", b"1")
    assert (cache.used, len(cache)) == (1, 1)
    cache.discard("a")
    cache.discard("a")
    assert (cache.used, len(cache)) == (0, 0)


KEYS = st.sampled_from("abcdef")
STEPS: list[st.SearchStrategy[Callable[[Cache[str, bytes]], object]]] = [
    st.builds(lambda key, size: lambda c: c.put(key, bytes(size)), KEYS, st.integers(1, 12)),
    st.builds(lambda key: lambda c: c.peek(key), KEYS),
    st.builds(lambda key: lambda c: c.discard(key), KEYS),
]


@PROPERTY
@given(st.lists(st.one_of(STEPS), max_size=60))
def test_the_bound_holds_whatever_is_done(
    steps: list[Callable[[Cache[str, bytes]], object]],
) -> None:
    cache = new_cache(limit=20)
    for step in steps:
        step(cache)
        held = [value for key in "abcdef" if (value := cache._held.get(key)) is not None]
        assert cache.used == sum(map(len, held)) <= 20
