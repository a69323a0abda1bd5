"""Figures on the terminal and as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HEADS = ("what", "value", "spread", "limit", "times", "statements", "bytes/item", "goal")


def show(figures: Sequence[Mapping[str, Any]]) -> None:
	"""One table for each part."""
	console = Console(width=None if Console().is_terminal else 160)
	for part in dict.fromkeys(figure["part"] for figure in figures):
		table = Table(*HEADS, title=part)
		for figure in figures:
			if figure["part"] == part:
				table.add_row(*cells(figure))
		console.print(table)


def cells(figure: Mapping[str, Any]) -> tuple[str, ...]:
	"""The texts of a row, in the order of HEADS."""
	return (
		figure["what"],
		f"{number(figure['value'])} {figure['unit']}".strip(),
		" to ".join(map(number, figure["spread"])),
		number(figure["limit"]),
		number(figure["ratio"]),
		number(figure["statements"]),
		number(figure["bytes_per_item"]),
		goal(figure),
	)


def number(value: float | None) -> str:
	"""A number as people read it: three digits that count."""
	if value is None:
		return ""
	digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
	return f"{value:,.{digits}f}"


def goal(figure: Mapping[str, Any]) -> str:
	if not figure["goal"]:
		return ""
	word = "reached" if figure["met"] else "MISSED"
	return f"{figure['goal']['word']} {number(figure['goal']['number'])}: {word}"


def write_json(path: Path, results: Mapping[str, Any]) -> None:
	path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
