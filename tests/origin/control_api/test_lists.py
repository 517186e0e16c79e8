"""What a profile keeps for later."""

from __future__ import annotations

from catalog.postgres.records import TitleDraft
from tests.origin.control_api.conftest import Api, Someone


async def holds(api: Api, someone: Someone, title: str) -> bool:
    path = f"/api/my-list/{title}?profile={someone.profile.id}"
    answer = await api.get(path, login=someone.login)
    assert answer.status == 200
    held: bool = answer.json["in_list"]
    detail = await api.get(f"/api/titles/{title}?profile={someone.profile.id}", login=someone.login)
    assert detail.json["in_list"] == held
    return held


async def test_what_is_put_there_stays_until_it_is_taken(api: Api) -> None:
    ana = await api.person()
    path = f"/api/my-list/city?profile={ana.profile.id}"
    assert not await holds(api, ana, "city")
    for _ in range(2):
        assert (await api.put(path, login=ana.login)).status == 204
        assert await holds(api, ana, "city")
    for _ in range(2):
        assert (await api.delete(path, login=ana.login)).status == 204
        assert not await holds(api, ana, "city")


async def test_each_profile_has_its_own(api: Api) -> None:
    ana, luis = await api.person(), await api.person()
    await api.put(f"/api/my-list/city?profile={ana.profile.id}", login=ana.login)
    assert not await holds(api, luis, "city")
    theirs = f"/api/my-list/city?profile={ana.profile.id}"
    for ask in (api.get, api.put, api.delete):
        assert (await ask(theirs, login=luis.login)).status == 404
        assert (await ask(theirs)).status == 401
    assert await holds(api, ana, "city")


async def test_a_title_that_is_not_there_is_not_put_there(api: Api) -> None:
    ana = await api.person()
    path = f"/api/my-list/nothing?profile={ana.profile.id}"
    assert (await api.put(path, login=ana.login)).status == 404
    assert (await api.get(path, login=ana.login)).status == 404
    assert (await api.delete(path, login=ana.login)).status == 204


async def test_a_child_puts_nothing_there_that_is_not_for_its_age(api: Api) -> None:
    ana = await api.person()
    await api.database.titles.put(TitleDraft("grim", maturity="18"))
    child = await api.database.people.add_profile(ana.account.id, "Leo", "#112233", "es", True)
    for title, status in (("grim", 404), ("city", 204)):
        path = f"/api/my-list/{title}?profile={child.id}"
        assert (await api.put(path, login=ana.login)).status == status


async def test_without_a_profile_it_is_nobodys(api: Api) -> None:
    ana = await api.person()
    for ask in (api.get, api.put, api.delete):
        answer = await ask("/api/my-list/city", login=ana.login)
        assert (answer.status, answer.json["field"]) == (422, "profile")
