"""The command line of ./dev."""

import argparse
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devtool import Problem, apps, choice, commands, network, serve, settings

EPILOG = """\
environment variables:
  FRAPPE_PATH                    use this Frappe checkout (version 15 or 16) instead of the pinned Frappe; it is
                                 remembered until the variable names another one, or is empty
  FRAPPE_EXTRA                   source trees to install over that checkout's requirements, separated by ':'
  ERPNEXT_PATH                   have the ERPNext of this checkout on the bench too, with a small company
  APP_PATHS                      checkouts of any other apps, separated by ':', as --with DIR names one; both are
                                 remembered like FRAPPE_PATH, until they are empty or Frappe is another one
  DB_HOST, DB_PORT, DB_ROOT_PASSWORD   use this MariaDB server instead of an own one
  REDIS_URL                      use this Redis server instead of an own one
"""


@dataclass(frozen=True)
class Command:
	"""A command; one with `passes_on` gets its arguments as they are."""

	run: Callable[[settings.Settings, Any], int | None]
	help: str
	options: tuple[tuple[str, dict[str, Any]], ...] = ()
	passes_on: bool = False


FLAG = {"action": "store_true"}
ERP = {"type": int, "nargs": "?", "const": 0, "metavar": "N"}  # beside the N-th test site


def port(text: str) -> int:
	"""A port from the command line. Raises argparse.ArgumentTypeError."""
	number = int(text)
	if not 1 <= number <= 65535:
		raise argparse.ArgumentTypeError(f"{number} is not from 1 to 65535")
	return number


COMMANDS = {
	"start": Command(
		commands.start,
		"set everything up, then serve the demo site",
		(
			("--port", {"type": port, "default": serve.DEFAULT_PORT, "help": "port of the web server"}),
			("--detach", FLAG | {"help": "return when the site answers"}),
			("--no-demo", {"action": "store_false", "dest": "demo", "help": "make no demo data"}),
		),
	),
	"stop": Command(commands.stop, "stop everything that was started"),
	"test": Command(
		commands.test,
		"run pytest on sites of its own: ./dev test [-n PROCESSES] [PYTEST ARGUMENTS]",
		passes_on=True,
	),
	"demo": Command(
		commands.demo,
		"two phones and a Desk user work on the running site; ./dev demo erp: two reps and the back office of ERPNext",
		passes_on=True,
	),
	"info": Command(
		commands.tell,
		"show addresses, logins, tokens and processes",
		(("--json", FLAG | {"help": "for programs"}),),
	),
	"assets": Command(commands.assets, "build the Desk's bundles that have changed"),
	"console": Command(commands.console, "a Python console on the demo site", passes_on=True),
	"frappe": Command(commands.frappe, "Frappe's own command line on the demo site", passes_on=True),
	"benchmark": Command(
		commands.benchmark, "measure what things cost: ./dev benchmark [NAME ...] [--quick]", passes_on=True
	),
	"chaos": Command(
		commands.chaos,
		"thousands of devices against a server that is hurt all the time: ./dev chaos [--seed N] [--minutes M]",
		passes_on=True,
	),
	"lint": Command(commands.lint, "check the style of the sources, and look for insecure patterns"),
	"audit": Command(
		commands.audit,
		"ask for known weaknesses of the pinned Python packages: ./dev audit [PIP-AUDIT OPTIONS]",
		passes_on=True,
	),
	"openapi": Command(commands.openapi, "write docs/openapi.json anew, after a call has changed"),
	"lock": Command(commands.lock, "resolve the Python requirements anew"),
	"setup": Command(
		commands.set_up,
		"do the set-up only",
		(
			("--test", FLAG | {"help": "that of the test site"}),
			("--erp", ERP | {"help": "that of the site which the tests of sync runs talk to"}),
		),
	),
	"reset": Command(
		commands.reset,
		"stop everything and delete sites and databases",
		(("--all", FLAG | {"help": "delete the Python environment and Frappe too"}),),
	),
}


def parser() -> argparse.ArgumentParser:
	"""The parser of all commands and their options."""
	result = argparse.ArgumentParser(
		prog="./dev",
		description="The developer tool of Hisabi Sync.",
		epilog=EPILOG,
		formatter_class=argparse.RawDescriptionHelpFormatter,
	)
	# Taken out of the arguments before, as it may also stand behind the command; here for those who ask for help.
	result.add_argument(apps.OPTION, metavar="DIR", help="have the app of this checkout on the bench too")
	names = result.add_subparsers(dest="command", metavar="COMMAND", required=True)
	for name, command in COMMANDS.items():
		sub = names.add_parser(name, help=command.help)
		for flag, details in command.options:
			sub.add_argument(flag, **details)
	return result


def run(arguments: list[str]) -> int:
	"""Run a command; returns its exit status."""
	own, named = apps.taken(arguments)
	# Also for the commands that this one starts.
	os.environ.update(named)
	command = COMMANDS.get(own[0]) if own else None
	if command and command.passes_on:
		return command.run(choice.made(os.environ), own[1:]) or 0
	options = parser().parse_args(own)
	return COMMANDS[options.command].run(choice.made(os.environ), options) or 0


def main() -> int:
	"""Run the command line; says in a sentence what a person can mend, and returns the exit status."""
	network.without_proxy()
	try:
		return run(sys.argv[1:])
	except Problem as problem:
		print(problem, file=sys.stderr)
	except KeyboardInterrupt:
		print("\nInterrupted; the same command goes on where it stopped.", file=sys.stderr)
		return 130
	except BrokenPipeError:
		# The reader of the output has gone; Python would complain again when it flushes at its end.
		os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
	except PermissionError as error:
		place = error.filename or "what runs here"
		print(f"You may not use {place}; perhaps another user has set this clone up.", file=sys.stderr)
	except OSError as error:
		if error.errno not in (errno.ENOSPC, errno.EDQUOT):
			raise
		print("The disk is full.", file=sys.stderr)
	return 1
