"""What a person sees of a run."""

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from chaos import history
from chaos.journal import Op
from chaos.violations import TITLES

if TYPE_CHECKING:
	from chaos.lab import Lab
	from chaos.run import Run

EVERY = 10.0  # seconds between two lines where there is no terminal
SHOWN = 5  # violations of one promise that are reported in full


class Progress:
	"""One line that is kept up to date on a terminal, a line now and then elsewhere."""

	def __init__(self, lab: "Lab") -> None:
		self.lab, self.last, self.live = lab, 0.0, sys.stdout.isatty()

	def show(self, last: bool = False) -> None:
		"""Print how far the run is, at most every EVERY seconds."""
		if not (last or self.live) and time.monotonic() - self.last < EVERY:
			return
		self.last = time.monotonic()
		end = "\n" if last or not self.live else "\r"
		print(line(self.lab), end=end, flush=True)


def line(lab: "Lab") -> str:
	"""How far the run is, in one line."""
	counts = lab.journal.counts()
	words = [f"{lab.journal.now():6.0f} s", *(f"{number} {name}" for name, number in counts.items())]
	broken = [fault[0] for fault in lab.journal.faults if fault[2] is None]
	words.append(f"{len(lab.violations)} violations")
	return ", ".join(words) + (f" [{', '.join(broken)}]" if broken else "") + "   "


def tell(lab: "Lab", seed: int) -> None:
	"""Each violation with its history."""
	told: Counter[str] = Counter()
	for violation in lab.violations:
		told[violation.promise] += 1
		if told[violation.promise] > SHOWN:
			continue
		print(f"\nBROKEN: {violation.title}\n  {violation.says}\n  space {violation.space}, seed {seed}")
		for key in violation.keys:
			print(f"  {key[0]} {key[1]}")
		for text in history.lines(violation, lab.journal):
			print(text)
	for name, number in told.items():
		if number > SHOWN:
			print(f"\n{number - SHOWN} more of: {TITLES[name]}")


def table(lab: "Lab", run: "Run") -> None:
	"""What happened, and which promises held."""
	console = Console(highlight=False, width=110)
	happened = Table("what", "number", title="What happened")
	for name, number in facts(lab, run).items():
		happened.add_row(name, str(number))
	console.print(happened)
	broken = Counter(violation.promise for violation in lab.violations)
	promises = Table("promise", "broken", title="Promises")
	for name, title in TITLES.items():
		number = broken[name]
		promises.add_row(title, f"[red]{number}[/red]" if number else "[green]0[/green]")
	console.print(promises)


def _fate(op: Op) -> str:
	"""What became of a change in the end; most errors are refusals of those who were removed or may only read."""
	if op.verdict:
		return f"answered {op.verdict.status}"
	if op.said:
		return f"refused, {op.said[-1].code or op.said[-1].status}"
	return "sent in vain" if op.sent else "never sent"


def facts(lab: "Lab", run: "Run") -> dict[str, int]:
	"""{what: how many} of the whole run."""
	counts = lab.journal.counts()
	fates = Counter(_fate(op) for op in lab.journal.ops.values())
	return {
		"devices": counts["devices"],
		"spaces": len(run.opened),
		"requests": len(lab.journal.calls),
		"requests without an answer": sum(1 for call in lab.journal.calls if not call.status),
		"changes": counts["ops"],
		"changes sent more than once": sum(1 for op in lab.journal.ops.values() if len(op.sent) > 1),
		**{f"changes {fate}": number for fate, number in sorted(fates.items())},
		"changes in the Desk": len(lab.journal.writes),
		"changes of who may do what": sum(len(held) for held in lab.journal.standing.values()),
		"runs with the other system": len(run.trade.started),
		"orders on the other side": len(run.trade.side.orders()),
		"spaces with tombstones collected": sum(1 for horizon in lab.horizons.values() if horizon),
		"lines of the ledger cleared": sum(lab.cleared.values()),
		"looks at a space": run.inspected,
		**{f"done: {name}": lab.shares.done[name] for name in sorted(lab.shares.names)},
		**{f"fault: {name}": n for name, n in sorted(Counter(f[0] for f in lab.journal.faults).items())},
	}
