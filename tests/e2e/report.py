"""What a run measured and saw: a table at its end, and files under build/artefacts."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.combinations import Combination

COLUMNS = ("start-up", "start-up by CMCD", "on a slow line", "dropped frames")


class Report:
    """Figures by combination and column, in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[Combination, dict[str, str]] = {}

    def note(self, combination: Combination, column: str, figure: str) -> None:
        self._rows.setdefault(combination, {})[column] = figure

    def picture(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{name}.png"

    def lines(self) -> list[str]:
        head = ["player", *COLUMNS]
        body = [
            [str(combination), *(figures.get(column, "-") for column in COLUMNS)]
            for combination, figures in self._rows.items()
        ]
        widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in ([head, *body] if body else [])
        ]
