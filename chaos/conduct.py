"""Promises about calls: who was let in, and what went wrong. Pure."""

from chaos.promises import Violation

CONTRACTS = ("/api/method/hisabi", "/api/sync/", "/api/v1/mobile/", "/v1/sync/", "/sync/delta")
PUSH, PULL = "/api/method/hisabi.sync_push", "/api/method/hisabi.sync_pull"
REFUSED = {"out": (PUSH, PULL), "reads": (PUSH,)}


def check(calls, standing, faults, grace):
	"""All violations that calls show. `standing`: {(space, person): [(time, what, over)]}."""
	yield from _errors(calls, [(start - 0.5, (end or float("inf")) + grace) for _, start, end in faults])
	for (space, person), changes in standing.items():
		own = [call for call in calls if (call.space, call.person) == (space, person) and call.status == 200]
		for what, begin, end in intervals(changes):
			yield from _let_in(own, what, begin, end)


def intervals(changes):
	"""[(what, from, until)] in which somebody certainly was out or could only read."""
	open_since = {}
	for at, what, over in changes:
		if not over:
			open_since.setdefault(what, at)
		elif what in open_since:
			yield what, open_since.pop(what), at
	yield from ((what, at, float("inf")) for what, at in open_since.items())


def shut_out(device, space, standing, codes):
	"""A device that may not read at the end, although nobody has removed its person. `codes` are what it was told."""
	if not any(what == "out" and end == float("inf") for what, _, end in intervals(standing)):
		yield Violation("let_in", f"{device} belongs to a member and was refused: {codes[-1:]}", space)


def _let_in(calls, what, begin, end):
	for call in calls:
		if call.path in REFUSED[what] and begin < call.started and call.ended < end:
			since = f"person {call.person}: {what} since {begin:.3f} s"
			says = f"{call.device} called {call.path} at {call.started:.3f} s and was let in ({since})"
			yield Violation("membership", says, call.space)


def _errors(calls, windows):
	for call in calls:
		if not call.path.startswith(CONTRACTS):
			continue  # Frappe's own calls answer as Frappe does
		if call.trace:
			yield Violation("errors", f"a stack trace from {call.path}: {call.text}", call.space)
		if call.status < 500:
			continue
		excused = any(start <= call.ended and call.started <= end for start, end in windows)
		if call.code != "unavailable" or not excused:
			said = call.code or " ".join(call.text.split())[:160]
			says = f"{call.device}: {call.path} answered {call.status} {said} at {call.ended:.3f} s"
			yield Violation("errors", says, call.space)
