"""``vod-origin capacity`` as a process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT


def capacity(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, and what was said on both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "capacity", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout, done.stderr


def test_three_audiences_without_any_option() -> None:
    status, said, errors = capacity()
    assert (status, errors) == (0, "")
    assert re.search(r"^viewers a day +10,000 +1,000,000 +100,000,000$", said, re.MULTILINE)
    assert re.search(r"^  pods( +[\d,]+){3}$", said, re.MULTILINE)


def test_a_file_and_options_and_everything_written(tmp_path: Path) -> None:
    config = tmp_path / "ours.toml"
    config.write_text("[audience]\nviewers = [5000]\n[pod]\nleast_pods = 2\n", encoding="utf-8")
    out = tmp_path / "deep" / "out"
    status, said, errors = capacity(
        "--config", config, "--edge-hit", "0.5", "--output", out, "--json"
    )
    assert (status, errors) == (0, "")
    data = json.loads(said)
    (only,) = data["estimates"]
    assert only["viewers"] == 5000
    assert only["pods"]["count"] == 2
    assert data["inputs"]["hits"]["edge_hit"]["value"] == 0.5
    names = {"capacity.html", "capacity.json", "pods.svg", "cost.svg", "bill.svg"}
    assert {path.name for path in out.iterdir()} == names
    assert json.loads((out / "capacity.json").read_text(encoding="utf-8")) == data


def test_a_simulation(tmp_path: Path) -> None:
    status, said, errors = capacity(
        "simulate", "--trace-titles", "10", "--title-minutes", "5", "--session-minutes", "5",
        "--trace-viewers", "200", "--requests", "20000", "--edge-gb", "0.5,1", "--shield-gb", "2",
        "--output", tmp_path,
    )  # fmt: skip
    assert status == 0
    assert errors.splitlines()[0] == "1 of 2: edges of 0.5 GB"
    assert "vod-origin capacity --edge-hit" in said
    assert {path.name for path in tmp_path.iterdir()} == {"hits.html", "hits.json", "hits.svg"}


def test_the_examples_of_its_help_run(tmp_path: Path) -> None:
    status, said, _ = capacity("--help")
    examples = re.findall(r"^  vod-origin capacity(?! simulate)(.*?)(?:  .*| \|.*)?$", said, re.M)
    assert (status, len(examples)) == (0, 4)
    config = tmp_path / "ours.toml"
    config.write_text(
        "\n".join(re.findall(r"^  (\[\w+\]|\w+ = .*)$", said, re.MULTILINE)), encoding="utf-8"
    )
    assert "cold_s_gb = 2.4" in config.read_text(encoding="utf-8")
    for example in examples:
        words = example.replace("ours.toml", str(config))
        words = words.replace("what-it-takes", str(tmp_path / "out"))
        assert capacity(*words.split())[0] == 0, example


def test_the_toml_of_the_docs_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    config = tmp_path / "docs.toml"
    config.write_text(block, encoding="utf-8")
    status, said, errors = capacity("--config", config, "--json")
    assert (status, errors) == (0, "")
    assert json.loads(said)["inputs"]["prices"]["egress_gb"]["value"] > 0


def test_the_results_of_the_docs_are_what_it_says() -> None:
    page = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
    _, said, _ = capacity()
    for label in ("origin egress", "pods", "cores in use", "S3 GET/s", "all", "without the CDN"):
        cells = re.findall(rf"^  {re.escape(label)}  +(.*)$", said, re.MULTILINE)[-1]
        row = " | ".join(re.split(r" {2,}", cells))
        assert f" | {row} |" in page, label


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--edge-hit", "2"], "edge_hit 2 is outside 0..1"),
        (["--viewers", "many"], "viewers: 'many' is no number"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--memory-gb", "1"], "memory_gb 1"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: list[str], words: str) -> None:
    status, said, errors = capacity(*arguments)
    assert (status, said) == (2, "")
    assert errors.startswith("vod-origin: ")
    assert len(errors.splitlines()) == 1
    assert words in errors


def test_it_runs_without_locust() -> None:
    script = (
        "import sys; sys.modules['locust'] = None\n"
        "from cli.main import main; sys.exit(main(['capacity', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
