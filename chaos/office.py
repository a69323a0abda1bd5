"""What administrators do during a run: edits of a DocType, a small budget, and strangers who try to get photos."""

import time
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from chaos import albums, forms, households, photos, work
from chaos.caller import Caller
from chaos.devices import Device
from chaos.line import Answer
from chaos.look import Held
from chaos.plan import Space
from chaos.violations import Violation

if TYPE_CHECKING:
	from chaos.lab import Lab
	from chaos.people import People

SETTINGS = "/api/resource/Sync%20Settings/Sync%20Settings"
SMALL = {"budget_failed_items": 10}
USED_UP = "failed_budget_used"


def redefine(people: "People", rng: Random, space: Space) -> bool:
	"""An edit of the DocType; those that nobody has made yet all in one."""
	lab = people.lab
	names = lab.shares.due(forms.EDITS) or [rng.choice(sorted(forms.EDITS))]
	desk = lab.desk(rng.random())
	for pause in desk.pauses():
		if (done := forms.redefine(lab, desk, names)) or lab.closing:
			break
		time.sleep(pause)  # a fault has cut it off; Frappe may have committed a part of it
	for name in names if done else ():
		lab.shares.did(name)
	return done


def spend_all(people: "People", rng: Random, space: Space) -> bool:
	"""With a small budget of refused changes a device uses it up, keeps its work, and goes on when there is more."""
	lab = people.lab
	device = households.another(lab, space, rng)
	with lab.settling:
		before = _settings(lab, rng, SMALL)
		try:
			told = _use_up(device)
		finally:
			_settings(lab, rng, before)
	device.push()
	device.retire()
	return told


def _use_up(device: Device) -> bool:
	"""Refused changes until no more are taken, and one that is good; whether it was told to come later.

	What its user's other devices left behind may have used the budget up before: then the refused ones wait, too.
	"""
	wrong = [work.refused(device) for _ in range(*SMALL.values())]
	waiting = wrong if _is_used_up(device.try_once(wrong)) else []
	device.outbox = [*waiting, work.good(device)]
	return _is_used_up(device.try_once(device.outbox))


def _is_used_up(answer: Answer | None) -> bool:
	return answer is not None and (answer.status, answer.code) == (429, USED_UP)


def _settings(lab: "Lab", rng: Random, values: Mapping[str, Any]) -> dict[str, Any]:
	"""Set values of Sync Settings in the Desk; those of before."""
	desk = lab.desk(rng.random())
	held = _at_last(desk, None, "GET").body["data"]
	_at_last(desk, values, "PUT")
	lab.journal.note("settings", **values)
	return {name: held[name] for name in values}


def _at_last(  # type: ignore[return]  # pauses() end with Over only
	desk: Caller, values: Mapping[str, Any] | None, verb: str
) -> Answer:
	"""The Answer when it goes well: a server without its database refuses even the Administrator."""
	for pause in desk.pauses():
		answer = desk.insist(SETTINGS, values, verb=verb, sure=True)
		if answer.status == 200:
			return answer
		if "ValidationError" in answer.text:
			raise RuntimeError(f"Sync Settings: {answer.text[:400]}")
		time.sleep(pause)


def peep(people: "People", rng: Random, space: Space) -> bool:
	"""A stranger asks for the photos of a space, or of another that has some; whether there were any."""
	lab = people.lab
	places = {place for place, _ in lab.photos.values()}
	space = next((one for one in (space, *lab.plan.spaces) if one.key in places), space)
	keys = [key for key, (place, _) in sorted(lab.photos.items()) if place == space.key]
	stranger = households.stranger(lab, space, rng)
	for key in keys[-3:]:
		if photos.peep(stranger, key):
			lab.tell(
				Violation("photos_kept", f"{stranger.name} is a stranger and gets photo {key}", space.key)
			)
	return bool(keys)


def photos_age(people: "People", rng: Random, space: Space) -> bool:
	"""Uploads that wait, and photos that were let go, do so for long already: the keeper may collect them."""
	people.lab.query(f"{photos.AGE} WHERE space = %s", (photos.ids.space("wallet", space.key),))
	return True


def finish(lab: "Lab", collect: Callable[[], object], holds: Callable[[], Iterable[Held]]) -> None:
	"""With the fields as they were and all devices quiet: what nobody names is collected, and nothing else.

	`collect` does that once; `holds` are what the server held of each space afterwards.
	"""
	for _ in range(2):
		lab.query(photos.AGE)
		collect()
	for held in holds():
		mine = {key for key, (space, _) in lab.photos.items() if space == held.space}
		lab.tell_all(albums.left(held, {key for key in mine if photos.file_of(key).exists()}))


# Name -> what happens; each says whether it did.
ERRANDS = {"redefine": redefine, "spend all": spend_all, "peep": peep, "photos age": photos_age}
