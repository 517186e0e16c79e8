"""The file of keys: what it may hold, and what happens when it changes."""

from __future__ import annotations

import logging
import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from origin.auth.keys import MAKE_A_KEY, read_keys
from origin.auth.reread import Reread
from origin.settings import BadSetting

KEY = bytes(range(224, 256))
URL = urlsafe_b64encode(KEY).decode()
OTHER = bytes(range(32))
LINE = f"1 {KEY.hex()}\n"
SECRET = "5ec2e7" * 8


def write(path: Path, content: str) -> None:
    """As one who replaces it: never half of it is there."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content.encode())
    beside.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "keys", LINE)
    return tmp_path / "keys"


@pytest.mark.parametrize(
    ("content", "by_id"),
    [
        (f"1 {KEY.hex()}", {1: KEY}),
        (f"1 {KEY.hex().upper()}\n", {1: KEY}),
        (f"0 {URL}\n", {0: KEY}),
        (f"255 {URL.rstrip('=')}\n", {255: KEY}),
        (f"7 {KEY[:16].hex()}\n", {7: KEY[:16]}),
        (f"7 {urlsafe_b64encode(KEY * 3).decode()}\n", {7: KEY * 3}),
        (f"\ufeff\r\n# é\r\n\t2\t{OTHER.hex()}  # new\r\n\r\n 1 {URL}\r\n", {2: OTHER, 1: KEY}),
        (f"# 3 {URL}\n1 {URL}\n", {1: KEY}),
    ],
)
def test_what_a_file_may_hold(path: Path, content: str, by_id: dict[int, bytes]) -> None:
    write(path, content)
    keys = read_keys(str(path))
    assert keys.by_id == by_id
    assert keys.issuing == next(iter(by_id))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", ": no key in it"),
        ("# only this\n\n", ": no key in it"),
        (SECRET, " line 1: not ID KEY"),
        (f"{LINE}\n{SECRET}\n", " line 3: not ID KEY"),
        (f"1 {SECRET} {SECRET}\n", " line 1: not ID KEY"),
        (f"{SECRET} 1\n", " line 1: the id is no number from 0 to 255"),
        (f"256 {SECRET}\n", " line 1: the id is no number from 0 to 255"),
        (f"-1 {SECRET}\n", " line 1: the id is no number from 0 to 255"),
        (f"x {SECRET}\n", " line 1: the id is no number from 0 to 255"),
        (f"\u0661 {SECRET}\n", " line 1: the id is no number from 0 to 255"),
        (f"{LINE}1 {SECRET}\n", " line 2: the id 1 for the second time"),
        (f"{LINE}01 {SECRET}\n", " line 2: the id 1 for the second time"),
        (f"1 {SECRET[:30]}\n", " line 1: a key of 15 bytes, where 16 are the least"),
        (f"1 {SECRET}5\n", " line 1: the key is neither hex nor base64url"),
        (f"1 {SECRET}$\n", " line 1: the key is neither hex nor base64url"),
        (f"1 {SECRET}=x\n", " line 1: the key is neither hex nor base64url"),
        (f"1 x{SECRET * 2}xyz_\n", " line 1: the key is neither hex nor base64url"),
        (f"1 {b64encode(KEY).decode()}\n", " line 1: the key is neither hex nor base64url"),
        (f"1 {SECRET}é\n", " line 1: the key is neither hex nor base64url"),
        (f"{LINE}#{'x' * 65_536}", ": more than 65536 bytes"),
    ],
)
def test_what_it_may_not_hold_is_said_without_showing_it(
    path: Path, content: str, complaint: str
) -> None:
    write(path, content)
    with pytest.raises(BadSetting) as raised:
        read_keys(str(path))
    assert str(raised.value) == f"token keys: {path}{complaint}"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="no-such: No such file or directory"):
        Reread(str(tmp_path / "no-such"), read_keys)
    with pytest.raises(BadSetting, match="Is a directory"):
        Reread(str(tmp_path), read_keys)


def test_keys_do_not_show_themselves(path: Path) -> None:
    keys = read_keys(str(path))
    assert "224" not in repr(keys)
    assert repr(KEY)[2:10] not in repr(keys)
    assert repr(keys) == "Keys(issuing=1)"


def test_a_file_that_stays_as_it_is_gives_the_same_keys(path: Path) -> None:
    file = Reread(str(path), read_keys)
    keys = file.current()
    assert keys.by_id == {1: KEY}
    assert file.current() is keys


def test_a_new_file_is_read_when_it_is_next_looked_at(path: Path) -> None:
    file = Reread(str(path), read_keys)
    write(path, f"2 {OTHER.hex()}\n{LINE}")
    assert file.current().by_id == {2: OTHER, 1: KEY}
    assert file.current().issuing == 2


def test_a_file_of_the_same_size_and_time_is_another(path: Path) -> None:
    file = Reread(str(path), read_keys)
    file.current()
    before = path.stat()
    write(path, LINE.replace("1 ", "2 ", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.current().issuing == 2


def test_a_link_that_leads_elsewhere_is_followed(path: Path, tmp_path: Path) -> None:
    """As secrets are mounted in a container."""
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text(f"2 {OTHER.hex()}\n", encoding="ascii")
    link.symlink_to(path)
    file = Reread(str(link), read_keys)
    link.unlink()
    link.symlink_to(other)
    assert file.current().issuing == 2


@pytest.mark.parametrize("broken", ["", f"1 {SECRET}!", None])
def test_a_broken_file_leaves_the_keys_as_they_were(
    path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = Reread(str(path), read_keys)
    keys = file.current()
    if broken is None:
        path.unlink()
    else:
        write(path, broken)
    assert all(file.current() is keys for _ in range(3))
    (record,) = caplog.records  # once, not once a second
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith(f"the keys stay as they were: token keys: {path}")
    assert SECRET not in caplog.text
    write(path, f"2 {OTHER.hex()}\n")
    assert file.current().issuing == 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert OTHER.hex() not in caplog.text


def test_the_advice_makes_a_file_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert os.system(MAKE_A_KEY) == 0
    keys = read_keys("token-keys")
    assert [len(key) for key in keys.by_id.values()] == [32]
    assert Path("token-keys").stat().st_mode & 0o077 == 0
