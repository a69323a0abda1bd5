"""docs/benchmarks/README.md, made from results.json: nothing in it is written by hand."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import HEADS, cells, goal, number

TITLES = {
	"ways": "A push beside the plain Frappe way",
	"engine": "The engine beside the database's limit",
	"push": "Pushes",
	"growth": "Cost against what is stored",
	"pull": "Pulls",
	"latency": "Waiting for nothing",
	"devices": "Many devices at once",
	"desk": "What the app costs other documents",
	"load": "Jobs that change thousands",
	"live": "Live events",
	"runs": "Runs with another system",
	"memory": "Memory",
}
PICTURED = {
	"ways": ("ways-push.svg",),
	"push": ("push.svg",),
	"growth": ("growth.svg",),
	"pull": ("pages.svg", "ways-pull.svg"),
	"devices": ("devices.svg",),
	"latency": ("latency.svg",),
}


def write(path: Path, results: Mapping[str, Any], plots: Iterable[tuple[str, str]]) -> None:
	"""`plots` is [(file name, title)] of the plots that there are."""
	figures, titles = results["figures"], dict(plots)
	parts = [_head(results), _goals(figures)]
	for part, title in TITLES.items():
		own = [figure for figure in figures if figure["part"] == part]
		if own:
			pictures = [f"![{titles[name]}]({name})" for name in PICTURED.get(part, ()) if name in titles]
			parts.append("\n\n".join([f"## {title}", *pictures, _table(own)]))
	path.write_text("\n\n".join(parts) + "\n")


def _head(results: Mapping[str, Any]) -> str:
	machine, small = (
		results["machine"],
		" These are the small numbers of a trial run." if results["quick"] else "",
	)
	versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
	database = ", ".join(f"`{name}` {value}" for name, value in sorted(results["database"].items()))
	return "\n".join(
		[
			"# Benchmarks",
			"",
			f"Made by `{results['command']}` in {results['seconds']} s from [results.json](results.json).{small}",
			"",
			"| | |",
			"| --- | --- |",
			f"| Machine | {machine['processor']}, {results['processors']} processors, {machine['memory_mb']:,} MB |",
			f"| System | {machine['system']} |",
			f"| Versions | {versions} |",
			f"| Database | {database} |",
			f"| Commit | {results['commit'] or 'unknown'}, {results['date']} |",
			"",
			f"Values are medians of at least {results['rounds']} rounds, with the smallest and the largest as spread; for the app's share",
			"of a save the spread is where its median lies with 95 % certainty. What is compared was measured in turns, round by",
			"round, and ratios are the medians of those of the rounds. Memory is the most that a process ever held.",
			"Server, database and clients share the machine; the web server has "
			f"{results['workers']} workers. *Limit* is what the database alone needs for the same work,",
			"*times* is the value in such limits.",
		]
	)


def _goals(figures: Sequence[Mapping[str, Any]]) -> str:
	rows = [figure for figure in figures if figure["goal"]]
	missed = [figure for figure in rows if not figure["met"]]
	said = f"{len(rows) - len(missed)} of {len(rows)} goals are reached."
	lines = [
		f"| {figure['what']} | {number(figure['value'])} {figure['unit']} | {_marked(figure)} |"
		for figure in rows
	]
	return "\n".join(["## Goals", "", said, "", "| what | value | goal |", "| --- | ---: | --- |", *lines])


def _marked(figure: Mapping[str, Any]) -> str:
	return goal(figure) if figure["met"] else f"**{goal(figure)}**"


def _table(figures: Sequence[Mapping[str, Any]]) -> str:
	"""A table without the columns that nothing stands in."""
	rows = [cells(figure) for figure in figures]
	used = [index for index in range(len(HEADS)) if any(row[index] for row in rows)]
	marks = ["---" if HEADS[index] in ("what", "goal") else "---:" for index in used]
	lines = [[HEADS[index] for index in used], marks, *([row[index] for index in used] for row in rows)]
	limits = dict.fromkeys(figure["limit_is"] for figure in figures if figure["limit_is"])
	notes = "".join(f"\n\nLimit: {text}." for text in limits)
	return "\n".join("| " + " | ".join(line) + " |" for line in lines) + notes
