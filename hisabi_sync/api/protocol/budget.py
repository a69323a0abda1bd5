"""Pushes count against the budgets of their user and device, in every contract."""

from collections.abc import Iterator, Sized
from contextlib import contextmanager

from hisabi_sync.api.protocol import body
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model.change import Caller


@contextmanager
def of_push(caller: Caller, changes: Sized) -> Iterator[Caller]:
	"""Around a push of the Caller that it gives: counted before it is judged, and what it leaves behind afterwards.

	Raises RequestError, 429 with `retry_after`, where a budget is used up.
	"""
	counted = budgets.open_push(caller, len(changes), body.size())
	try:
		yield counted
	finally:
		budgets.close_push(counted)
