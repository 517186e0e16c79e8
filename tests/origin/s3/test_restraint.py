from __future__ import annotations

import asyncio

import pytest

from origin.breaker import Breaker
from origin.errors import ObjectChanged, StorageError
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.restraint import Budget, FirstBytes, Slots, watch


def test_retries_are_a_fifth_of_requests() -> None:
    budget = Budget()
    while budget.spend():
        pass
    for _ in range(1000):
        budget.earn()
        budget.earn()
        if budget.spend():
            break
    spent = 0
    for _ in range(1000):
        budget.earn()
        spent += budget.spend()
    assert spent == pytest.approx(200, abs=1)


def test_those_who_ask_little_may_retry() -> None:
    budget = Budget()
    assert all(budget.spend() for _ in range(int(Budget.AT_FIRST)))
    assert not budget.spend()


def test_a_quiet_day_does_not_pay_for_a_storm() -> None:
    budget = Budget()
    for _ in range(100_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(1000)) == Budget.MOST


def test_late_is_later_than_nineteen_of_twenty() -> None:
    times = FirstBytes()
    for number in range(FirstBytes.ENOUGH - 1):
        times.add(1.0 + number)
    assert times.late is None
    times = FirstBytes()
    for number in range(200):
        times.add((number * 7 % 200) / 100)
    assert times.late is not None
    assert 1.7 < times.late < 2.0


def test_what_is_late_follows_the_times() -> None:
    times = FirstBytes()
    for _ in range(FirstBytes.KEPT):
        times.add(0.02)
    assert times.late == 0.02
    for _ in range(FirstBytes.KEPT):
        times.add(0.5)
    assert times.late == 0.5
    for _ in range(FirstBytes.KEPT):
        times.add(0.0001)
    assert times.late == FirstBytes.SOONEST


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker) -> None:
    with pytest.raises(Passing), watch(breaker):
        raise Passing(Reason.RESET, "gone")


def work(breaker: Breaker) -> None:
    with watch(breaker):
        pass


def refuses(breaker: Breaker) -> bool:
    """Whether it lets nobody through; whoever it does is not heard of again."""
    try:
        with watch(breaker):
            raise asyncio.CancelledError
    except asyncio.CancelledError:
        return False
    except StorageError:
        return True


def test_a_breaker_opens_after_failures_in_a_row_and_tries_again() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(Breaker.PATIENCE - 1):
        fail(breaker)
    work(breaker)
    for _ in range(Breaker.PATIENCE - 1):
        fail(breaker)
    assert not refuses(breaker)
    fail(breaker)
    assert refuses(breaker)
    clock.now += Breaker.SHORTEST
    assert not refuses(breaker)
    work(breaker)
    fail(breaker)
    assert not refuses(breaker)


def test_each_try_in_vain_doubles_the_pause_up_to_a_bound() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(Breaker.PATIENCE):
        fail(breaker)
    for pause in (1.0, 2.0, 4.0, 4.0, 4.0):
        clock.now += pause - 0.01
        assert refuses(breaker)
        clock.now += 0.01
        fail(breaker)
    clock.now += 4.0
    work(breaker)
    for _ in range(Breaker.PATIENCE):
        fail(breaker)
    clock.now += 1.0
    assert not refuses(breaker)


def test_one_at_a_time_tries_an_open_breaker() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(Breaker.PATIENCE):
        fail(breaker)
    clock.now += Breaker.SHORTEST
    with watch(breaker):
        assert refuses(breaker)
        assert refuses(breaker)
    assert not refuses(breaker)


def test_failures_that_were_under_way_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(Breaker.PATIENCE - 1):
        fail(breaker)
    late = [watch(breaker) for _ in range(50)]
    for one in late:
        one.__enter__()
    for one in late:
        assert not one.__exit__(Passing, Passing(Reason.TIMEOUT, "late"), None)
    clock.now += Breaker.SHORTEST
    assert not refuses(breaker)


def test_a_refusal_is_an_answer() -> None:
    breaker = Breaker(Clock())
    for _ in range(Breaker.PATIENCE * 2):
        with pytest.raises(ObjectChanged), watch(breaker):
            raise ObjectChanged("gone")
    work(breaker)


def test_who_got_no_turn_says_nothing_of_the_storage() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(Breaker.PATIENCE * 2):
        with pytest.raises(Passing), watch(breaker):
            raise Passing(Reason.QUEUE, "too much at once")
    work(breaker)

    for _ in range(Breaker.PATIENCE):
        fail(breaker)
    clock.now += Breaker.SHORTEST
    with pytest.raises(Passing), watch(breaker):
        raise Passing(Reason.QUEUE, "too much at once")
    assert not refuses(breaker), "the try that was never made is still to be made"


async def test_slots_are_served_in_order() -> None:
    slots = Slots(2, 10)
    await slots.take()
    await slots.take()
    order: list[int] = []

    async def one(number: int) -> None:
        await slots.take()
        order.append(number)
        await asyncio.sleep(0)
        slots.release()

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert not order
    slots.release()
    slots.release()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert slots.taken == 0


async def test_who_leaves_the_queue_takes_no_slot_along() -> None:
    slots = Slots(1, 10)
    await slots.take()
    waiting = [asyncio.create_task(slots.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # while it waits
    slots.release()
    waiting[1].cancel()  # when it has its turn, and does not know yet
    await asyncio.wait(waiting)
    assert [task.cancelled() for task in waiting] == [True, True, False]
    await waiting[2]
    assert slots.taken == 1


async def test_a_turn_that_does_not_come_is_an_error() -> None:
    slots = Slots(1, 0.001)
    await slots.take()
    with pytest.raises(Passing) as failed:
        await slots.take()
    assert failed.value.reason is Reason.QUEUE
    slots.release()
    assert slots.has_spare
    await slots.take()


async def test_slots_shrink_at_once_and_grow_when_they_are_short() -> None:
    slots = Slots(100, 10)
    before = slots.limit
    for _ in range(50):
        slots.shrink(5.0)  # the same trouble, told by many
    assert slots.limit == int(before * Slots.SHRINK)
    for at in range(100):
        slots.shrink(6.0 + at)
    assert slots.limit == Slots.LEAST
    slots.grow()
    assert slots.limit == Slots.LEAST  # nobody wants more
    for _ in range(Slots.LEAST):
        await slots.take()
    for _ in range(Slots.LEAST + 1):
        slots.grow()
    assert slots.limit == Slots.LEAST + 1


async def test_slots_never_pass_their_bound() -> None:
    slots = Slots(70, 10)
    for _ in range(70):
        if slots.has_spare:
            await slots.take()
        for _ in range(100):
            slots.grow()
    assert slots.limit == 70


async def test_who_waits_is_served_when_slots_grow() -> None:
    slots = Slots(5, 10)
    slots.shrink(1.0)
    while slots.has_spare:
        await slots.take()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    for _ in range(10):
        slots.grow()
    await waiting
    assert slots.taken == slots.limit == 5
