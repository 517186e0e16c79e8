"""Accounts, their profiles, and what their plans entitle them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalog.postgres.errors import NoSuchRow, TooManyProfiles
from catalog.postgres.records import Account, Page, Plan, Profile, new_id
from catalog.postgres.rows import account_of, page_of, profile_of

if TYPE_CHECKING:
    from catalog.postgres.rows import Connect

MOST_PROFILES = 8
COLOUR = "#4f6bed"

_ACCOUNT = "select a.*, p.streams from accounts a join plans p on p.name = a.plan"


def address(email: str) -> str:
    """By which two are the same: no provider tells them apart by case."""
    return email.strip().lower()


class People:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def create(
        self,
        email: str,
        password_hash: str,
        name: str,
        language: str,
        plan: str = "standard",
        role: str = "viewer",
    ) -> Account:
        """With a profile of its name. ``Conflict("email")``: the address has an account."""
        account = new_id()
        async with self._connect() as connection, connection.transaction():
            await connection.execute(
                "insert into accounts (id, email, password_hash, name, language, plan, role) "
                "values ($1, $2, $3, $4, $5, $6, $7)",
                account,
                address(email),
                password_hash,
                name,
                language,
                plan,
                role,
            )
            await connection.execute(
                "insert into profiles values ($1, $2, $3, $4, $5, false)",
                new_id(),
                account,
                name,
                COLOUR,
                language,
            )
        return await self.get(account)

    async def get(self, account: str) -> Account:
        return await self._account(f"{_ACCOUNT} where a.id = $1", account)

    async def by_email(self, email: str) -> Account:
        return await self._account(f"{_ACCOUNT} where a.email = $1", address(email))

    async def set_password(self, account: str, password_hash: str) -> None:
        async with self._connect() as connection:
            _one(
                await connection.execute(
                    "update accounts set password_hash = $2 where id = $1", account, password_hash
                )
            )

    async def change(
        self,
        account: str,
        *,
        plan: str | None = None,
        disabled: bool | None = None,
        role: str | None = None,
    ) -> Account:
        """What is None stays. ``NoSuchRow`` for a plan that there is not, too."""
        async with self._connect() as connection:
            _one(
                await connection.execute(
                    "update accounts set plan = coalesce($2, plan), "
                    "disabled = coalesce($3, disabled), role = coalesce($4, role) where id = $1",
                    account,
                    plan,
                    disabled,
                    role,
                )
            )
        return await self.get(account)

    async def page(
        self, after: str | None = None, limit: int = 50, query: str = ""
    ) -> Page[Account]:
        """In the order they were made; ``query`` is part of their address or name."""
        async with self._connect() as connection:
            rows = await connection.fetch(
                f"{_ACCOUNT} where ($1::text is null or a.id > $1) "
                "and (position(lower($2) in a.email) > 0 or position($2 in a.name) > 0) "
                "order by a.id limit $3",
                after,
                query,
                limit + 1,
            )
        return page_of([account_of(row) for row in rows], limit, lambda account: account.id)

    async def profiles(self, account: str) -> tuple[Profile, ...]:
        async with self._connect() as connection:
            rows = await connection.fetch(
                "select * from profiles where account = $1 order by id", account
            )
        return tuple(map(profile_of, rows))

    async def profile(self, account: str, profile: str) -> Profile:
        """``NoSuchRow`` where it is another account's."""
        async with self._connect() as connection:
            row = await connection.fetchrow(
                "select * from profiles where account = $1 and id = $2", account, profile
            )
        return profile_of(_found(row))

    async def add_profile(
        self, account: str, name: str, colour: str, language: str, kids: bool
    ) -> Profile:
        """``Conflict("name")``, or ``TooManyProfiles``."""
        made = Profile(new_id(), account, name, colour, language, kids)
        async with self._connect() as connection, connection.transaction():
            row = await connection.fetchrow(
                "select id from accounts where id = $1 for update", account
            )
            _found(row)  # others who add to it wait for this one
            number = await connection.fetchval(
                "select count(*) from profiles where account = $1", account
            )
            if number >= MOST_PROFILES:
                raise TooManyProfiles(f"An account has at most {MOST_PROFILES} profiles.")
            await connection.execute(
                "insert into profiles values ($1, $2, $3, $4, $5, $6)",
                made.id,
                account,
                name,
                colour,
                language,
                kids,
            )
        return made

    async def change_profile(
        self,
        account: str,
        profile: str,
        *,
        name: str | None = None,
        colour: str | None = None,
        language: str | None = None,
        kids: bool | None = None,
    ) -> Profile:
        """What is None stays."""
        async with self._connect() as connection:
            row = await connection.fetchrow(
                "update profiles set name = coalesce($3, name), colour = coalesce($4, colour), "
                "language = coalesce($5, language), kids = coalesce($6, kids) "
                "where account = $1 and id = $2 returning *",
                account,
                profile,
                name,
                colour,
                language,
                kids,
            )
        return profile_of(_found(row))

    async def remove_profile(self, account: str, profile: str) -> None:
        async with self._connect() as connection:
            _one(
                await connection.execute(
                    "delete from profiles where account = $1 and id = $2", account, profile
                )
            )

    async def plans(self) -> tuple[Plan, ...]:
        async with self._connect() as connection:
            rows = await connection.fetch("select * from plans order by streams, name")
        return tuple(Plan(row["name"], row["streams"], row["everything"]) for row in rows)

    async def entitled(self, plan: str, title: str) -> bool:
        """Whether the plan entitles to the title: to everything, to it, or to its series."""
        async with self._connect() as connection:
            found = await connection.fetchval(
                "select exists (select from plans where name = $1 and everything) or exists ("
                "select from plan_titles l join titles t on l.title in (t.id, t.series) "
                "where l.plan = $1 and t.id = $2)",
                plan,
                title,
            )
        return bool(found)

    async def _account(self, query: str, *arguments: Any) -> Account:
        async with self._connect() as connection:
            return account_of(_found(await connection.fetchrow(query, *arguments)))


def _found(row: Any) -> Any:
    if row is None:
        raise NoSuchRow("There is no such account or profile.")
    return row


def _one(tag: str) -> None:
    """``tag``: what the server says it did, as in "UPDATE 1"."""
    if tag.endswith(" 0"):
        raise NoSuchRow("There is no such account or profile.")
