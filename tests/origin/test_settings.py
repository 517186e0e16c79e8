from __future__ import annotations

from dataclasses import fields

import pytest

from origin.settings import BadSetting, Settings, read_settings, variable


def test_nothing_set_is_the_defaults() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({"VOD": "1", "PORT": "1", "vod_port": "1"}) == Settings()


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_every_setting_has_a_variable(item: object) -> None:
    name, default = item.name, item.default  # type: ignore[attr-defined]
    value = {
        "log_level": "debug",
        "session_check": "all",
        "require_token": "1",
        "s3_anonymous": "1",
        "write_sidecars": "1",
    }.get(name, f"{default}/films" if name == "library" else "7")
    settings = read_settings({variable(name): value})
    assert getattr(settings, name) == type(default)(value) != default
    assert type(getattr(settings, name)) is type(default)


def test_every_setting_says_what_it_means() -> None:
    assert all(item.metadata["meaning"].endswith(".") for item in fields(Settings))


def test_an_option_wins_over_its_variable() -> None:
    environment = {"VOD_PORT": "1000", "VOD_HOST": "::1"}
    settings = read_settings(environment, port=2000, host=None)
    assert (settings.port, settings.host) == (2000, "::1")
    assert read_settings(environment, port=0).port == 0


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("VOD_PORT", "http", r"VOD_PORT='http' is not a whole number"),
        ("VOD_PORT", "", r"VOD_PORT='' is not a whole number"),
        ("VOD_PORT", "tcp://10.0.0.1:80", r"VOD_PORT='tcp://10\.0\.0\.1:80' is not a whole number"),
        ("VOD_PORT", "65536", r"port 65536 is outside 0\.\.65535"),
        ("VOD_PORT", "-1", r"port -1 is outside"),
        ("VOD_WORKERS", "2.5", r"VOD_WORKERS='2\.5' is not a whole number"),
        ("VOD_WORKERS", "-1", r"workers -1 is outside 0\.\.1024"),
        ("VOD_WORKERS", "1025", r"workers 1025 is outside"),
        ("VOD_TITLE_CACHE_MB", "0", r"title_cache_mb must be at least 1"),
        ("VOD_RESOURCE_CACHE_MB", "-5", r"resource_cache_mb must be at least 1"),
        ("VOD_CACHE_MB", "-1", r"cache_mb must be at least 0"),
        ("VOD_REQUIRE_TOKEN", "2", r"require_token 2 is neither 0 nor 1"),
        ("VOD_REQUIRE_TOKEN", "yes", r"VOD_REQUIRE_TOKEN='yes' is not a whole number"),
        ("VOD_MAX_CONNECTIONS", "-1", r"max_connections must be at least 0"),
        ("VOD_DRAIN_DELAY_SECONDS", "-1", r"drain_delay_seconds must be at least 0"),
        ("VOD_DRAIN_SECONDS", "0", r"drain_seconds must be at least 1"),
        ("VOD_LOG_LEVEL", "loud", r"log level 'loud' is none of debug, info, warning, error"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(BadSetting, match=complaint):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 0),
        ("port", 65_535),
        ("workers", 0),
        ("workers", 1024),
        ("cache_mb", 0),
        ("drain_seconds", 1),
    ],
)
def test_the_ends_of_the_ranges_can_be_used(name: str, value: int) -> None:
    assert getattr(read_settings({}, **{name: value}), name) == value
