"""Keys that records name: verified and marked used in the transaction of a push, for a whole batch at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import joint_spaces
from hisabi_sync.media import backends, rows, visibility
from hisabi_sync.media.rows import PENDING, READABLE, REFUSED, USED, Media

MARKED = (
	"space",
	"folder",
	"state",
	"record",
	"used_at",
	"released_at",
	"size",
	"sha256",
	"refusal",
	"incoming",
)


def use(named: Mapping[str, str | None], space: str, caller: Caller | None = None) -> dict[str, Media]:
	"""Mark uploads as used. `named` is {key: name of the Sync Record that names it, or None}.

	Returns {key: Media} of the uploads that may be used: finished, not refused, of this space and, with a `caller`, shown to them.
	Costs two statements for any number of keys, and a few more for uploads of others and of parts of the space. Raises
	RequestError unavailable.
	"""
	media = _present(named, space, caller)
	if caller:
		may = visibility.usable(media, caller)
		media = [one for one in media if one.key in may]
	named = _stay(media, named)
	news = [_marked(one, named[one.key], space) for one in media if _changes(one, named[one.key], space)]
	if news:
		sql.upsert("Sync Media", ["name", *MARKED], news)
	return {one.key: one for one in media if one.state == USED}


def _present(named: Mapping[str, Any], space: str, caller: Caller | None) -> list[Media]:
	"""Uploads of the space. Into a joint space the caller's own uploads for one of its parts come too, while no record names them."""
	found = rows.select(named, space, lock=True)
	left = named.keys() - found.keys()
	if caller and left and (parts := joint_spaces.parts_of(space)):
		of_parts = rows.select(left, lock=True).items()
		found |= {
			key: one
			for key, one in of_parts
			if one.space in parts and one.user == caller.user and one.record is None
		}
	return [one for key, one in found.items() if key in named]


def _stay(media: Iterable[Media], named: Mapping[str, str | None]) -> dict[str, str | None]:
	"""A key goes on with the record that named it last where all members are shown that one; another may be shown to few."""
	moving = {one.key: one.record for one in media if one.record and named[one.key] not in (None, one.record)}
	best = visibility.seen_by_all(moving.values()) if moving else ()
	return {**named, **{key: None for key, record in moving.items() if record in best}}


def _changes(media: Media, record: str | None, space: str) -> bool:
	"""Whether naming the key changes its row. What S3 holds is looked at now, for S3 tells nobody when an upload ends."""
	if media.state not in READABLE and (media.state != PENDING or media.backend == "Local"):
		return False
	known = record in (None, media.record) and media.space == space
	return media.state != USED or bool(media.released_at) or not known


def _marked(media: Media, record: str | None, space: str) -> tuple[Any, ...]:
	"""The row after the key was named. It stays used even if the item fails, because a conflict may need it later."""
	refusal = _take(media) if media.state == PENDING else None
	if media.space != space:
		media.space, media.folder = space, media.folder or media.space
	if media.state == PENDING and refusal == "not_found":
		return (media.key, space, media.folder, PENDING, media.record, None, None, 0, "", None, 0)
	# What S3 had in two places is emptied by `collect`, once the upload URL does not work any more.
	media.incoming = int(media.incoming or (media.state == PENDING and not refusal))
	media.state = REFUSED if refusal else USED
	media.record = record or media.record
	return (
		media.key,
		space,
		media.folder,
		media.state,
		media.record,
		clock.now(),
		None,
		media.size,
		media.sha256,
		refusal,
		media.incoming,
	)


def _take(media: Media) -> str | None:
	"""Code of what is wrong with an upload, None when it is right."""
	try:
		backends.of(media).take(media)
	except RequestError as error:
		if error.code == "unavailable":
			raise
		return error.code
	return None
