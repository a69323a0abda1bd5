"""Pushing to all spaces of a user at once: each change goes where it belongs, and each space is processed as always.

Spaces are processed one after another, each in a transaction of its own, creates before what links to them; an atomic push is one
transaction. A change that was answered before gets that answer, wherever it would go today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hisabi_sync.engine import ledger, push, repeats, routing
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.judge import routes
from hisabi_sync.engine.linking import targets
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import CONFLICT, CREATE, ERROR, Allowance, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.push import Options, Result
from hisabi_sync.engine.push_together import ROLLED_BACK, Part, push_together
from hisabi_sync.engine.sharing.spaces import HeldSpace

# What a space refuses as a whole is, among several spaces, an error of each change that goes there.
OF_SPACES = frozenset(("space_access_denied", "space_read_only"))
Answers = list[tuple[Outcome, str | None]]


def push_all(
	device: str,
	user: str,
	changes: list[Change],
	held: Mapping[str, HeldSpace],
	named: Mapping[int, str | None],
	options: Options,
	allowance: Allowance,
) -> Answers:
	"""[(Outcome, its space or None)] in the order of the changes. `named` are {place: the space that a change names, or None}.

	Raises RequestError for what concerns the push as a whole; what was committed by then is answered by a repeat.
	"""
	answered = _answered_before(device, user, changes, held)
	spaces = routing.route(
		changes, held, {**named, **{i: space for i, (_, space) in answered.items()}}, answered
	)
	_refuse_read_only(changes, spaces, held)
	found: dict[int, tuple[Outcome, str | None]] = {
		i: (Outcome.of_error(c, c.error), None) for i, c in enumerate(changes) if c.error and i not in spaces
	}
	homeless = [i for i in found if i not in answered]
	found |= {i: (outcome, space) for i, (outcome, space) in answered.items() if not _is_open(space, held)}
	places = [i for i in range(len(changes)) if i not in found]
	groups = _groups(changes, places, spaces)
	parts = [
		(Part(replace(held[space].caller, allowance=allowance), [changes[i] for i in own]), own)
		for space, own in groups
	]
	if options.atomic and any(outcome.status == ERROR for outcome, _ in found.values()):
		_roll_back(changes, [i for _, own in parts for i in own], found)
	_process(parts, options, changes)
	for part, own in parts:
		found |= {i: (outcome, part.caller.space) for i, outcome in zip(own, part.outcomes, strict=True)}
	kept = _once(changes, homeless)
	if kept and not options.dry_run:
		_keep(Caller(user, "", device, allowance=allowance), kept, options)
	return [found[i] for i in range(len(changes))]


def _answered_before(
	device: str,
	user: str,
	changes: Sequence[Change],
	held: Mapping[str, HeldSpace],
) -> dict[int, tuple[Outcome, str]]:
	"""{place: (Outcome, space)} of changes that have an answer. A failed one is judged anew, wherever it belongs now."""
	op_ids = [change.op_id for change in changes if change.op_id]
	answered = ledger.stored_anywhere(device, op_ids, user, held)
	found = {}
	for i, change in enumerate(changes):
		first, outcome, space = answered.get(ids.op_key(change.op_id or ""), (None, None, ""))
		if first is None or outcome is None or outcome.status == ERROR:
			continue
		if first.fingerprint != change.fingerprint and not _is_open(space, held):
			outcome = Outcome.of_error(change, ItemError("op_id_reused"))
		outcome.repeated = True
		found[i] = (outcome, space)
	return found


def _is_open(space: str, held: Mapping[str, HeldSpace]) -> bool:
	"""Whether the user may push to a space, so that its ledger answers repeats as always."""
	return space in held and held[space].is_writable


def _refuse_read_only(
	changes: Sequence[Change], spaces: dict[int, str], held: Mapping[str, HeldSpace]
) -> None:
	for i, space in list(spaces.items()):
		if not held[space].is_writable:
			changes[i].error = changes[i].error or ItemError("space_read_only")
			del spaces[i]


def _groups(
	changes: Sequence[Change], places: Sequence[int], spaces: Mapping[int, str]
) -> list[tuple[str, list[int]]]:
	"""[(space, places of its changes)] in the order of processing."""
	at = {place: n for n, place in enumerate(places)}
	needs = [[at[need] for need in needed if need in at] for needed in _needs(changes, places)]
	found = routes.groups([spaces[i] for i in places], needs)
	return [(space, [places[n] for n in own]) for space, own in found]


def _needs(changes: Sequence[Change], places: Sequence[int]) -> list[set[int]]:
	"""For each change the creates that it links to, and the one before it of the same record."""
	creates = {
		(c.entity_type, c.client_id): i
		for i, c in enumerate(changes)
		if c.operation == CREATE and not c.error
	}
	last = dict(creates)
	found = []
	for i in places:
		change, identity = changes[i], (changes[i].entity_type, changes[i].client_id)
		needed = {creates[link] for link in _links(change) if link in creates} | (
			{last[identity]} if identity in last else set()
		)
		if change.amends:
			needed |= {last[key] for key in [(change.entity_type, change.amends)] if key in last}
		found.append(needed - {i})
		last[identity] = i
	return found


def _links(change: Change) -> list[tuple[str, str]]:
	"""(entity type, text) of what a change links to, in its payload as it was sent."""
	registry = entity_types.registry()
	entity = registry.by_name.get(change.entity_type)
	if entity is None:
		return []
	named = {entity.aliases.get(name, name): value for name, value in change.payload.items()}
	sound = {name: _rows(value) for name, value in named.items()}
	return [(target.name, text) for target, text in targets(sound, entity, registry)]


def _rows(value: object) -> object:
	return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else value


# --- processing


def _process(parts: Sequence[tuple[Part, list[int]]], options: Options, changes: Sequence[Change]) -> None:
	if len(parts) > 1 and (options.atomic or options.dry_run):
		push_together([part for part, _ in parts], options)
		return
	failed: set[int] = set()
	for part, own in parts:
		for i, needed in zip(own, _needs(changes, own), strict=True):
			if needed & failed:
				changes[i].error = changes[i].error or ItemError(
					"depends_on_failed_item", {"items": sorted(needed & failed)}
				)
		part.outcomes = _push(part, options)
		failed |= {i for i, outcome in zip(own, part.outcomes, strict=True) if outcome.status == ERROR}


def _push(part: Part, options: Options) -> list[Outcome]:
	try:
		return push.push(part.caller, part.changes, options).outcomes
	except RequestError as error:
		if error.code not in OF_SPACES:
			raise
		return [Outcome.of_error(change, ItemError(error.code)) for change in part.changes]


# --- what belongs nowhere


def _once(changes: Sequence[Change], homeless: Sequence[int]) -> list[Change]:
	"""Those changes that belong nowhere, without those whose op id another change of the push has."""
	apart = set(homeless)
	taken = {change.op_id for i, change in enumerate(changes) if i not in apart}
	kept: dict[object, Change] = {}
	for i in homeless:
		if changes[i].op_id not in taken or changes[i].op_id is None:
			kept.setdefault(changes[i].op_id or i, changes[i])
	return list(kept.values())


def _keep(caller: Caller, changes: Sequence[Change], options: Options) -> None:
	"""Write why changes were refused that belong to no space, so that they are found among the refused ones of the device."""

	def transaction() -> None:
		caller.allowance.begin()
		op_ids = [change.op_id for change in changes if change.op_id]
		seen = repeats.load_seen(caller.device, op_ids)
		answered = {key for key, known in seen.items() if known.answered}
		pairs = [
			(change, Outcome.of_error(change, change.error))
			for change in changes
			if change.error and ids.op_key(change.op_id or "") not in answered
		]
		result = Result(ids.new(), caller, [outcome for _, outcome in pairs])
		ledger.save_items(result.batch, caller, pairs, seen, clock.now())
		ledger.save_batch(result, caller, options, 0)
		retry.commit()
		caller.allowance.commit()

	retry.run(transaction)


def _roll_back(
	changes: Sequence[Change], places: Sequence[int], found: Mapping[int, tuple[Outcome, str | None]]
) -> None:
	"""An atomic push of which some changes belong nowhere."""
	causes = [changes[i].op_id for i, (outcome, _) in found.items() if outcome.status in (ERROR, CONFLICT)]
	for i in places:
		changes[i].error = changes[i].error or ItemError(ROLLED_BACK, {"caused_by": causes})
