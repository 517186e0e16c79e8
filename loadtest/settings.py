"""How a process of the load is told what to do: by the environment, so that ``vod-origin
loadtest``, ``locust`` by hand and a chart of Kubernetes all say it the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urljoin

from loadtest import scenario, thresholds
from loadtest.accounts import Accounts, read_people
from loadtest.clock import SystemClock
from loadtest.errors import BadScenario, LoadTestError
from loadtest.http import place_of
from loadtest.scenario import Scenario
from loadtest.thresholds import Threshold
from loadtest.titles import Access
from loadtest.tokens import read_key

PREFIX = "VOD_LOADTEST_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Each is the variable ``VOD_LOADTEST_`` and its name in capitals; docs/loadtest.md says what
    they are. Files are named, never their secrets."""

    url: str = ""
    scenario: str = "smoke"
    output: str = ""
    titles: str = ""
    asserts: str = ""
    viewers: str = ""
    join: str = ""
    hold: str = ""
    format: str = ""
    token_key_file: str = ""
    token_command: str = ""
    accounts: str = ""
    metrics: str = ""
    server_pid: str = ""
    workers: str = ""
    progress_fd: str = ""

    def environment(self) -> dict[str, str]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {PREFIX + name.upper(): value for name, value in values.items() if value}


def read(environment: Mapping[str, str]) -> Settings:
    names = [field.name for field in fields(Settings)]
    return Settings(**{name: environment.get(PREFIX + name.upper(), "") or _default(name)
                       for name in names})  # fmt: skip


def check(settings: Settings) -> None:
    """What nothing else looks at before it is used."""
    urls = [settings.url] if settings.metrics == "off" else [settings.url, metrics_of(settings)]
    for url in urls:
        try:
            place_of(url)
        except ValueError as error:
            raise LoadTestError(str(error)) from None
    for name in ("server_pid", "workers"):
        value = getattr(settings, name)
        if value and not re.fullmatch(r"[1-9][0-9]{0,9}", value):
            raise LoadTestError(f"{name} {value!r} is no number from 1")


def at(settings: Settings, url: str) -> Settings:
    """With Locust's own ``--host``, where no URL was set."""
    return replace(settings, url=url)


def unwatched(settings: Settings) -> Settings:
    return replace(settings, progress_fd="")


def metrics_of(settings: Settings) -> str:
    """The URL of the server's metrics; '' if they are not to be read."""
    if settings.metrics == "off":
        return ""
    return settings.metrics or urljoin(settings.url, "/metrics")


def _default(name: str) -> str:
    return "smoke" if name == "scenario" else ""


def scenario_of(settings: Settings) -> Scenario:
    loaded = scenario.load(settings.scenario)
    if settings.format:
        if settings.format not in scenario.FORMATS:
            raise BadScenario(
                f"format {settings.format!r} is none of {', '.join(scenario.FORMATS)}"
            )
        loaded = loaded.with_format(settings.format)
    viewers, join, hold = (
        _number(name, getattr(settings, name)) for name in ("viewers", "join", "hold")
    )
    return loaded.with_changes(None if viewers is None else int(viewers), join, hold)


def thresholds_of(settings: Settings, loaded: Scenario) -> tuple[Threshold, ...]:
    """Those asked for, one on a line or between ';'; else the scenario's own."""
    asked = [part for part in settings.asserts.replace("\n", ";").split(";") if part.strip()]
    return tuple(thresholds.parse(part.strip()) for part in asked) or loaded.thresholds


def access_of(settings: Settings) -> Access:
    people = read_people(settings.accounts) if settings.accounts else None
    return Access(
        key=read_key(settings.token_key_file) if settings.token_key_file else None,
        command=settings.token_command,
        accounts=Accounts(settings.url, people, SystemClock()) if people else None,
    )


def _number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise BadScenario(f"{name} {text!r} is no number") from None
