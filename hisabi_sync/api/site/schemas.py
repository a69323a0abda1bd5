"""The answer of the call `schema`. Source: docs/contracts/site.md, Schema."""

from collections.abc import Mapping
from typing import Any

from hisabi_sync.api.site import schema_forms, schema_version, types
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.store import sequence

PLAIN = "plain"


def answer(user: str, held: Mapping[str, HeldSpace], since: str | None, form: str | None) -> dict[str, Any]:
	"""What changed since the app's version, in the form that it asks for."""
	seen, epoch = types.seen_by(user, held), sequence.epoch()
	now, before = schema_version.digests(seen), schema_version.read(since)
	changed = [one for one in seen if before.get(one["type"]) != now[one["type"]]]
	removed = sorted(before.keys() - now.keys())
	told = {"version": schema_version.write(now, epoch), "epoch": epoch, "removed": removed}
	if form in (None, PLAIN):
		return {**told, "types": changed}
	is_new = bool(changed or removed or not before)
	return {**told, "types": [], **({"schema": schema_forms.FORM[form](seen)} if is_new else {})}
