"""What all commands have in common: help, errors, pipes, the progress bar."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cli import check
from cli.main import COMMANDS, main
from origin.native import NATIVE

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "cli.main"]

Output = pytest.CaptureFixture[str]


def help_of(capsys: Output, *arguments: str) -> str:
    with pytest.raises(SystemExit) as raised:
        main([*arguments, "--help"])
    assert raised.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda module: module.__name__)
def test_the_help_of_a_command_teaches(command: object, capsys: Output) -> None:
    name = command.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    text = help_of(capsys, name)
    assert text.startswith(f"usage: vod-origin {name}")
    examples = [line for line in text.splitlines() if line.startswith(f"  vod-origin {name} ")]
    assert len(examples) >= 2
    assert max(map(len, text.splitlines())) <= 100


def test_the_help_names_every_command(capsys: Output) -> None:
    text = help_of(capsys)
    for command in COMMANDS:
        name = command.__name__.rpartition(".")[2]
        assert re.search(rf"^    {name}\s", text, re.MULTILINE)
    assert "vod-origin serve FOLDER" in text


def test_the_version(capsys: Output) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    said = capsys.readouterr().out.strip()
    assert said.startswith(f"vod-origin {version('vod-origin')} (")
    assert ("compiled" in said) is (NATIVE is not None)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["play"],
        ["inspect"],
        ["check"],
        ["token"],
        ["token", "film", "--ttl", "1h"],
        ["serve", "--port", "http"],
        ["check", "-x"],
    ],
)
def test_a_command_line_that_makes_no_sense(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: vod-origin")


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["serve", "no/such/folder"], {}, "library: 'no/such/folder' is not a folder"),
        (["serve", ""], {}, "library: '' is not a folder"),
        (["serve", "gopher://films"], {}, "library: no storage for gopher://"),
        (["serve", "--port", "65536"], {}, "port 65536 is outside 0..65535"),
        (["serve", "--workers", "-1"], {}, "workers -1 is outside 0..1024"),
        (["serve"], {"VOD_PORT": "http"}, "VOD_PORT='http' is not a whole number"),
        (["serve"], {"VOD_LOG_LEVEL": "loud"}, "log level 'loud' is none of"),
        (["serve"], {"VOD_LIBRARY": "no/such"}, "library: 'no/such' is not a folder"),
        (["serve", "--require-token"], {}, "tokens are required, but VOD_TOKEN_KEY_FILE names"),
        (["serve"], {"VOD_REQUIRE_TOKEN": "1"}, "tokens are required, "),
        (["serve"], {"VOD_TOKEN_KEY_FILE": "no/such"}, "token keys: no/such: No such file"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    arguments: list[str],
    environment: dict[str, str],
    complaint: str,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"vod-origin: {complaint}")
    assert said.err.count("\n") == 1


def test_an_interrupt_ends_quietly(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "check", interrupted)
    assert main(["check", "."]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "reader"),
    [
        ("inspect --json film.mp4", "head -n 1"),
        ("inspect film.mp4", "true"),
        ("check .", "head -n 1"),
        ("check .", "true"),
    ],
)
def test_a_reader_that_has_seen_enough(films: Path, arguments: str, reader: str) -> None:
    """Whether it closes in the middle or before the first line, and whatever is buffered."""
    pipe = f'{sys.executable} -m cli.main {arguments} | {reader}; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", pipe],
        cwd=films,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split()[-1] in ((b"0",) if arguments != "check ." else (b"0", b"1"))
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_output_of_any_locale(films: Path) -> None:
    """A name that the terminal cannot show is no reason to fail."""
    done = subprocess.run(
        [*COMMAND, "check", str(films)],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"100% \\xdcn\\xef+#1?.mp4: interleaved" in done.stdout


def test_no_progress_where_nobody_watches(films: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "check", str(films)], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert done.stderr == b"5 titles, 2 with faults\n"
    assert b"\x1b" not in done.stdout


def test_progress_on_a_terminal_leaves_the_output_alone(films: Path) -> None:
    plain = subprocess.run(
        [*COMMAND, "check", str(films)], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    screen, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "check", str(films)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=terminal,
            timeout=60,
            check=False,
        )
        shown = os.read(screen, 1 << 16).decode()
    finally:
        os.close(terminal)
        os.close(screen)
    assert done.stdout == plain.stdout
    steps = [part.split("\x1b[K")[-1] for part in shown.split("\r")]
    bars = [step for step in steps if step.startswith("checking ")]
    assert bars[0].startswith(f"checking {'░' * 30} 0/6")
    assert bars[-1].startswith(f"checking {'█' * 30} 6/6")
    assert steps[-2:] == ["5 titles, 2 with faults", "\n"]
