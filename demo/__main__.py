"""The command line of the demonstration. Exit status: 0 all is equal, 1 something differs, 2 it could not be told."""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.check import Check
from demo.client import Busy, Refused
from demo.desk import DeskError
from demo.household import TRANSACTION
from demo.story import Story, Surprise

SHOWN = 10  # differences of one check
EQUAL, DIFFERENT, FAILED = 0, 1, 2
CENT = Decimal("0.01")


def _tamper_amount(story: Story) -> None:
	"""One cent too much on Badr's phone."""
	replica = story.badr.phone.replica
	key = TRANSACTION, story.dinner
	payload = {**replica[key].payload, "amount": replica[key].payload["amount"] + CENT}
	replica[key] = replace(replica[key], payload=payload)


def _tamper_record(story: Story) -> None:
	"""A record is missing on Amal's phone."""
	del story.amal.phone.replica[TRANSACTION, story.dinner]


def _tamper_op(story: Story) -> None:
	"""A phone believes in an op that the server never got."""
	story.amal.phone.answers["made-up"] = next(iter(story.amal.phone.answers.values()))


TAMPERS = {"amount": _tamper_amount, "record": _tamper_record, "op": _tamper_op}


def arguments() -> argparse.Namespace:
	"""What the command line asks for."""
	parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
	parser.add_argument("--seed", type=int, default=1, help="of names, amounts and losses (1)")
	parser.add_argument("--transactions", type=_positive, default=120, help="to enter on the phones (120)")
	parser.add_argument("--rounds", type=_positive, default=4, help="of work offline (4)")
	parser.add_argument("--loss", type=_share, default=0.2, help="share of the answers that are lost (0.2)")
	parser.add_argument("--tamper", choices=TAMPERS, help="spoil something, to see the check find it")
	return parser.parse_args()


def _positive(text: str) -> int:
	number = int(text)
	if number < 1:
		raise argparse.ArgumentTypeError("must be at least 1")
	return number


def _share(text: str) -> float:
	share = float(text)
	if not 0 <= share <= 0.8:
		raise argparse.ArgumentTypeError("must be from 0 to 0.8")
	return share


def site_info() -> dict[str, Any]:
	"""The content of `./dev info --json`, which ./dev leaves in a file."""
	path = os.environ.get("HISABI_INFO")
	if not path:
		raise SystemExit(
			"Run this as ./dev demo, or name a file with the output of ./dev info --json in HISABI_INFO."
		)
	info = json.loads(Path(path).read_text())
	if not info.get("wallet_id"):
		raise SystemExit("The site has no demo data: start it without --no-demo.")
	return info


def tell(story: Story, progress: Progress) -> None:
	"""Tell the story with a bar of its progress."""
	task = progress.add_task("", total=story.steps)
	story.say = progress.console.print
	story.advance = lambda count: progress.advance(task, count)
	story.tell()


def summary(story: Story) -> str:
	"""What went wrong on the way and did no harm, in numbers."""
	lines = [story.amal.line, story.badr.line]
	answers = [answer for phone in story.phones for _, answer in phone.answers.values()]
	statuses = Counter(answer["status"] for answer in answers)
	facts = {
		"Requests lost": sum(line.lost_requests for line in lines),
		"answers lost": sum(line.lost_answers for line in lines),
		"changes sent": len(answers),
		"applied already when sent again": sum("already_applied" in answer for answer in answers),
		"accepted": statuses["accepted"],
		"merged": sum("merged" in answer for answer in answers),
		"conflicts": statuses["conflict"],
		"refused": statuses["error"],
		"saves in the Desk": len(story.desk.writes),
	}
	return ", ".join(f"{name}: {count}" for name, count in facts.items()) + "."


def report(console: Console, checks: Sequence[Check]) -> None:
	"""Print what each check compared and the first differences."""
	table = Table("check", "compared", "differences", title="Is everything equal?")
	for check in checks:
		wrong = len(check.differences)
		table.add_row(
			check.title, str(check.compared), f"[red]{wrong}[/red]" if wrong else "[green]0[/green]"
		)
	console.print(table)
	for check in checks:
		for difference in check.differences[:SHOWN]:
			console.print(f"{check.title}: {difference}", style="red", markup=False)


def run(options: argparse.Namespace, info: dict[str, Any], console: Console) -> list[Check]:
	"""Tell the story, spoil something if asked, and return the checks."""
	columns = TextColumn("[bold]Demo"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
	with Progress(*columns, console=console) as progress:
		story = Story(info, options, print, print)
		tell(story, progress)
	if options.tamper:
		TAMPERS[options.tamper](story)
	checks = story.checks()
	console.print(f"\n{summary(story)}\n")
	report(console, checks)
	return checks


def main() -> int:
	"""Run the demonstration; returns the exit status."""
	options, info, console = arguments(), site_info(), Console(highlight=False)
	started = time.monotonic()
	try:
		checks = run(options, info, console)
	except (Busy, Refused, DeskError, Surprise, requests.RequestException) as error:
		console.print(f"The demo cannot go on: {error}", style="red", markup=False)
		return FAILED
	different = any(check.differences for check in checks)
	verdict = (
		"[red]Something differs[/red]" if different else "[green]Both phones and the server are equal[/green]"
	)
	console.print(f"{verdict} after {time.monotonic() - started:.1f} s.")
	return DIFFERENT if different else EQUAL


if __name__ == "__main__":
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
