"""Whether a list comes to an end: each page is compared with a remembered one, which is replaced ever more rarely.

So a circle of any length is found (Brent's algorithm), and what is kept does not grow.
"""

from collections.abc import Mapping
from typing import Any

from hisabi_sync.engine.model import ids
from hisabi_sync.runs.connectors.base import Page
from hisabi_sync.runs.errors import RemoteError

MOST_PAGES = 50_000


def follow(trail: dict[str, Any] | None, page: Page) -> dict[str, Any]:
	"""The trail (JSON; None at first) behind one more page. Raises RemoteError remote_endless."""
	held = trail or {"pages": 0, "steps": 0, "lap": 1, "rows": None, "next": None}
	rows = ids.digest(*(f"{r.id}|{r.stamp}" for r in page.records), size=16) if page.records else None
	following = ids.digest(page.next, size=16) if page.next else None
	if _is_back(held, rows, following) or held["pages"] >= MOST_PAGES:
		raise RemoteError("remote_endless")
	seen = {**held, "pages": held["pages"] + 1, "steps": held["steps"] + 1}
	if seen["steps"] < seen["lap"]:
		return seen
	return {**seen, "steps": 0, "lap": 2 * seen["lap"], "rows": rows, "next": following}


def _is_back(held: Mapping[str, Any], rows: str | None, following: str | None) -> bool:
	return bool((rows and rows == held["rows"]) or (following and following == held["next"]))
