"""What is promised of forms and their photos: in every look, as devices see it, and when all is quiet."""

import hashlib
from collections.abc import Iterable, Iterator, Set
from typing import TYPE_CHECKING

from chaos import photos
from chaos.evidence import Evidence
from chaos.journal import Op
from chaos.line import Answer
from chaos.look import Held
from chaos.violations import Found, Violation, promise

if TYPE_CHECKING:
	from chaos.devices import Device

CLOSED = (401, 403)  # statuses by which somebody learns that they may not read here
# Codes of refused changes that are about fields.
ABOUT_FIELDS = (
	"missing_required_fields",
	"invalid_field",
	"invalid_choice",
	"invalid_value",
	"file_not_allowed",
)


def look(device: "Device") -> bool:
	"""Fetch a photo that a record of the replica names; whether there was one."""
	named = [(key, payload["photo"]) for key, (_, payload) in device.replica.items() if payload.get("photo")]
	if not named:
		return False
	key, photo = device.rng.choice(sorted(named))
	got = photos.fetch(device, photo)
	if got.status in CLOSED:
		return False
	problem = _wrong(got, device.lab.photos[photo][1])
	if problem and not is_let_go(device.lab.journal.freeze(device.space)[0], key, photo):
		device.lab.tell(
			Violation("photos_kept", f"{device.name} fetched {photo}: {problem}", device.space, (key,))
		)
	return True


def _wrong(answer: Answer, digest: str) -> str:
	if answer.status != 200:
		return f"{answer.status} {answer.code}"
	return "" if hashlib.sha256(answer.data).hexdigest() == digest else "it is another"


def is_let_go(ops: Iterable[Op], key: tuple[str, str], photo: str) -> bool:
	"""Whether somebody may have deleted the record, or named another photo in it. Pure."""
	return any(
		op.key == key and (op.operation == "delete" or op.payload.get("photo", photo) != photo) for op in ops
	)


def left(held: Held, uploaded: Set[str]) -> Iterator[Violation]:
	"""Photos that stayed after collection though no record names them. `uploaded` are those that have a file. Pure."""
	for key in sorted((held.photos.keys() | uploaded) - held.named.keys() - held.disputed):
		says = f"no record names photo {key}, it is {held.photos.get(key, 'a file without a row')} and stays"
		yield Violation("photos_kept", says, held.space)


@promise
def fields_told(given: Evidence) -> Iterator[Found]:
	"""An item that is refused for some fields names fields that it has sent."""
	for op in given.ops.values():
		for said in op.said:
			if said.code in ABOUT_FIELDS and not (said.detail and _is_about(op, said.detail)):
				yield f"{op.op_id} was refused with {said.code} about {said.detail}", [op.key], [op.op_id]


def _is_about(op: Op, names: Iterable[object]) -> bool:
	"""Whether what is named was sent, or is missing in a create."""
	sent = op.payload.keys() | op.rest.keys()
	return all(str(name).partition(".")[0] in sent or op.operation != "delete" for name in names)


@promise
def photos_kept(given: Evidence) -> Iterator[Found]:
	"""A photo that a record names is used and has its file; one that no record names goes, and members alone can get it."""
	held = given.held
	for photo, keys in held.named.items():
		if held.photos.get(photo) != "Used":
			yield f"photo {photo} is named and is {held.photos.get(photo, 'not there')}", keys, []
		elif photo not in held.files:
			yield f"photo {photo} is named and its file is gone", keys, []
