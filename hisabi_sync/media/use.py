"""Keys that records name: verified and marked used in the transaction of a push, for a whole batch at once."""

from hisabi_sync.engine import clock, sql
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.media import backends, rows
from hisabi_sync.media.rows import PENDING, REFUSED, USED

MARKED = ("state", "record", "used_at", "released_at", "size", "sha256", "refusal")


def use(wanted, space):
	"""`wanted` is {key: name of the Sync Record that names it, or None}; two statements, whatever their number.

	Returns {key: Media} of those that may be used: uploaded, not refused, of this space. Raises RequestError unavailable.
	"""
	found = rows.select(wanted, space, lock=True)
	media = [one for key, one in found.items() if key in wanted]
	news = [_marked(one, wanted[one.key]) for one in media if _changes(one, wanted[one.key])]
	if news:
		sql.upsert("Sync Media", ["name", *MARKED], news)
	return {one.key: one for one in media if one.state == USED}


def _changes(media, record):
	"""Whether naming the key changes its row. What S3 holds is looked at now, for S3 tells nobody when an upload ends."""
	if media.state == REFUSED or (media.state == PENDING and media.backend == "Local"):
		return False
	return media.state != USED or bool(media.released_at) or record not in (None, media.record)


def _marked(media, record):
	"""The row after the key was named. It stays used whatever becomes of the item: a conflict may need it later."""
	refusal = _take(media) if media.state == PENDING else None
	if media.state == PENDING and refusal == "not_found":
		return (media.key, PENDING, media.record, None, None, 0, "", None)
	media.state = REFUSED if refusal else USED
	media.record = record or media.record
	return (media.key, media.state, media.record, clock.now(), None, media.size, media.sha256, refusal)


def _take(media):
	"""Code of what is wrong with an upload, None when it is right."""
	try:
		backends.of(media).take(media)
	except RequestError as error:
		if error.code == "unavailable":
			raise
		return error.code
	return None
