"""What happened to the records of a violation, and to nothing else: the least that a person needs to understand it."""

MOST = 60  # lines


def lines(violation, journal, faults):
	"""The history of a violation as text, oldest line first."""
	events = []
	for op in journal.ops.values():
		if op.key in violation.keys or op.op_id in violation.ops:
			events += _of_op(op)
	events += [event for write in journal.writes if write.key in violation.keys for event in _of_write(write)]
	if violation.promise == "membership":
		events += _of_standing(violation, journal)
	events.sort(key=lambda event: event[0])
	left = len(events) - MOST
	more = [f"  ... {left} lines before, see journal.jsonl"] if left > 0 else []
	return [*more, *(f"  {at:9.3f} s  {text}{_hurt(at, faults)}" for at, text in events[-MOST:])]


def _of_op(op):
	base = "" if op.base is None else f" of version {op.base}"
	what = f"{op.device:<7} {op.op_id} {op.operation} {op.key[0]} {op.key[1]}{base} {op.payload or ''}"
	yield from ((at, f"{what} is sent") for at in op.sent)
	yield from ((at, f"{op.device:<7} {op.op_id} lost: {fate}") for at, fate in op.lost)
	for said in op.said:
		words = [said.status, said.version and f"version {said.version}", said.code]
		words += ["again" if said.repeated else None, None if said.seen else "(the device does not see it)"]
		yield said.at, f"{op.device:<7} {op.op_id} is answered: {' '.join(filter(None, words))}"


def _of_write(write):
	what = "deletes it" if write.deletes else f"writes {write.values}"
	yield write.sent, f"{write.who} {what}"
	if write.answered is not None:
		yield write.answered, f"{write.who} is answered: version {write.version}"


def _of_standing(violation, journal):
	for (space, person), changes in journal.standing.items():
		if space == violation.space:
			for at, what, over in changes:
				yield at, f"person {person}: {what}{' is over' if over else ''}"


def _hurt(at, faults):
	"""The faults that were open at a time."""
	names = [name for name, start, end in faults if start <= at and (end is None or at <= end)]
	return f"   [{', '.join(names)}]" if names else ""
