"""Making households on the command line: a progress bar, and the totals at the end."""

from datetime import date

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hisabi_sync.demo import households

STATUSES = {
	"accepted": "accepted",
	"repeated": "there already",
	"duplicate": "duplicates",
	"conflict": "conflicts",
	"error": "failed",
	"refused": "of people who left",
}


def run(wallets: int, transactions: int, seed: int, until: date | None, days: int) -> bool:
	"""Make households and print what was made; tells whether verify() found drift."""
	console = Console(highlight=False)
	columns = TextColumn("Transactions"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
	try:
		with Progress(*columns, console=console) as progress:
			task = progress.add_task("", total=transactions)
			totals = households.make(
				wallets, transactions, seed, until, days, lambda count: progress.advance(task, count)
			)
	except households.OtherDay as error:
		raise click.UsageError(str(error)) from error
	_report(console, totals)
	return bool(totals.drift)


def _report(console: Console, totals: households.Totals) -> None:
	table = Table("made", "count", show_header=False)
	for name in ("wallets", "people", "devices", "transactions", "batches", "items"):
		table.add_row(name, f"{getattr(totals, name):,}")
	for status, words in STATUSES.items():
		if totals.counts[status]:
			table.add_row(f"  {words}", f"{totals.counts[status]:,}")
	console.print(table)
	wrong = sum(map(len, totals.drift.values()))
	verdict = f"[red]{wrong} derived values have drifted[/red]" if wrong else "no derived value has drifted"
	speed = totals.items / totals.seconds if totals.seconds else 0
	console.print(f"{totals.seconds:.1f} s, {speed:,.0f} items/s; {verdict}.")
