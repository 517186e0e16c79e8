"""What may become of a question to the database. Known without the driver."""

from __future__ import annotations


class DatabaseAway(Exception):
    """PostgreSQL does not answer, or not in time."""

    code = "database-away"


class Conflict(Exception):
    """Another row has that ``field``, such as an account its e-mail address."""

    code = "taken"

    def __init__(self, field: str) -> None:
        super().__init__(f"Another one has this {field}.")
        self.field = field
        self.members = {"field": field}


class TooManyProfiles(Exception):
    """The account has as many profiles as it may have."""

    code = "too-many-profiles"


class NoSuchRow(Exception):
    """There is no such title, account or profile, or it is not to be seen."""

    code = "no-such-row"
