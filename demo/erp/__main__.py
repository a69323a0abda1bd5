"""The command line of ./dev demo erp. Exit status: 0 all is equal, 1 something differs, 2 it could not be told."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from demo.__main__ import DIFFERENT, EQUAL, FAILED, report
from demo.check import Check
from demo.client import Busy, Refused
from demo.desk import Desk, DeskError
from demo.erp import checks, masters
from demo.erp.office import Office
from demo.erp.rep import Rep
from demo.erp.story import Story
from demo.line import Line, session

NONE = "The site has no ERPNext: FRAPPE_PATH=DIR ERPNEXT_PATH=DIR ./dev start makes one that has."


def arguments() -> argparse.Namespace:
	"""What the command line asks for."""
	parser = argparse.ArgumentParser(prog="./dev demo erp", description=__doc__)
	parser.add_argument("--seed", type=int, default=1, help="of the losses (1)")
	parser.add_argument("--loss", type=float, default=0.3, help="share of the answers that are lost (0.3)")
	parser.add_argument("--prices", type=int, default=400, help="how many prices the office changes (400)")
	return parser.parse_args()


def signed_in(info: dict[str, Any], user: str, password: str) -> Desk:
	"""A Desk of a user."""
	desk = Desk(info["url"], info["site"])
	desk.login(user, password)
	return desk


def run(options: argparse.Namespace, info: dict[str, Any], console: Console) -> list[Check]:
	"""Tell the story between a rep and the office; returns the checks."""
	admin = next(user for user in info["users"] if user["user"] == "Administrator")
	desk = signed_in(info, admin["user"], admin["password"])
	if not masters.is_erpnext(desk):
		raise DeskError(NONE)
	names = masters.prepare(desk, options.prices)
	line = Line(str(options.seed), options.loss)
	rana, sami = (Rep(info["url"], session(line, info["site"])) for _ in range(2))
	rana.login(masters.RANA, masters.PASSWORD)
	sami.login(masters.SAMI, masters.PASSWORD)
	office = Office(signed_in(info, masters.OFFICE, masters.PASSWORD))
	story = Story(rana, sami, office, names, console.print)
	story.tell()
	console.print(f"\nRequests lost: {line.lost_requests}, answers lost: {line.lost_answers}.\n")
	found = checks.checks(story, desk)
	report(console, found)
	return found


def main() -> int:
	"""Run the demonstration; returns the exit status."""
	options, console = arguments(), Console(highlight=False)
	path = os.environ.get("HISABI_INFO")
	if not path:
		raise SystemExit("Run this as ./dev demo erp.")
	try:
		found = run(options, json.loads(Path(path).read_text()), console)
	except (Busy, Refused, DeskError, requests.RequestException) as error:
		console.print(f"The demo cannot go on: {error}", style="red", markup=False)
		return FAILED
	return DIFFERENT if any(check.differences for check in found) else EQUAL


if __name__ == "__main__":
	sys.exit(main())
