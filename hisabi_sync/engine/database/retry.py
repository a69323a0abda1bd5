"""Transactions that the database turned down are run again. The ledger makes that safe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import frappe
import redis
import tenacity
from rq.timeouts import BaseTimeoutException

from hisabi_sync import compat
from hisabi_sync.engine.model import errors
from hisabi_sync.engine.model.errors import RequestError

ATTEMPTS = 10
LOCK_WAIT = 10  # seconds that a statement waits for a lock; `sync_lock_wait` in the site's config
PATIENCE = 3  # no further try once this many lock waits have passed: a phone waits no longer either
# MariaDB: deadlock, lock wait time-out, snapshot conflict (1020), too many locks.
RETRYABLE = {1213, 1205, 1020, 1206}
DUPLICATE_KEY = 1062
MOST_ANNOUNCEMENTS = 1000
# Out of range, too long, not a character, not a date, not a number.
BAD_VALUE = {1264, 1406, 1366, 1292, 1265}
# The database refuses everybody: too many connections, shutting down. From CLIENT_ERRORS on the line to it is broken.
REFUSALS = {1040, 1053, 1203, 1927}
CLIENT_ERRORS = 2000
RACED_KEYS = (
	"PRIMARY",
	"unique_device_op_key",
	"unique_record_doc_version",
	"unique_device_sync_key",
	"unique_device_header_key",
)


class Undone(Exception):
	"""The transaction was rolled back under the feet of what runs in it; nothing of it is left."""


def run(transaction: Callable[..., Any]) -> Any:
	"""Run a function that ends with its own commit, each try in a fresh transaction.

	Raises RequestError `unavailable` when every try was turned down; nothing is changed then.
	"""
	wait = int(frappe.conf.get("sync_lock_wait") or LOCK_WAIT)
	frappe.db.sql("SET SESSION innodb_lock_wait_timeout = %s", (wait,))
	retrying = tenacity.Retrying(
		retry=tenacity.retry_if_exception(is_retryable),
		stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(PATIENCE * wait),
		wait=tenacity.wait_random_exponential(multiplier=0.02, max=1),
		reraise=True,
	)
	try:
		return retrying(_fresh, transaction)
	except Exception as error:
		frappe.db.rollback()
		if is_retryable(error) and number_of(error) != DUPLICATE_KEY:
			raise RequestError("unavailable") from error
		raise


def commit() -> None:
	"""Commit. Once that is done it stays true, whatever becomes of what was to be announced or enqueued afterwards."""
	wrote = frappe.db.transaction_writes
	try:
		frappe.db.commit()
	except Exception as error:
		# Frappe sets the count back with the statement that commits.
		if not wrote or frappe.db.transaction_writes or number_of(error) is not None:
			compat.forget_announcements()
			raise
		errors.log_once("what was to follow a commit failed", error)
		_finish_announcements()


def _finish_announcements() -> None:
	"""What stands behind the failed one in the line; each is taken out of it before it is called."""
	for _ in range(MOST_ANNOUNCEMENTS):
		try:
			return frappe.db.after_commit.run()
		except Exception as error:
			errors.log_once("what was to follow a commit failed", error)


@contextmanager
def latest_reads() -> Iterator[None]:
	"""Transactions run in here read what is committed at each statement, not what was when they began.

	A call that pulls after it pushed needs that: its numbers come after those of transactions that its first snapshot has
	not seen, and a cursor behind them must not skip their records.
	"""
	frappe.db.sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.db.sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _fresh(transaction: Callable[..., Any]) -> Any:
	frappe.db.rollback()
	compat.forget_announcements()
	return transaction()


def is_retryable(error: BaseException) -> bool:
	"""Deadlocks and time-outs; a taken key too, because another request wrote the same op or record first."""
	return is_turned_down(error) or is_race(error)


def is_turned_down(error: BaseException) -> bool:
	"""Whether the database refused the transaction for another one's sake; a repeat may go through."""
	if isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | Undone):
		return True
	return number_of(error) in RETRYABLE


def ends_transaction(error: BaseException) -> bool:
	"""Whether an exception says something of the transaction or of the process, and not of what it was about to do."""
	ends = isinstance(error, MemoryError | BaseTimeoutException | frappe.InReadOnlyMode)
	return ends or is_turned_down(error) or is_away(error)


def is_race(error: BaseException) -> bool:
	"""A taken key that another request may have taken a moment ago: of an op, a record or a document's name."""
	return number_of(error) == DUPLICATE_KEY and any(key in str(error) for key in RACED_KEYS)


def is_away(error: BaseException) -> bool:
	"""Whether the database or Redis could not be reached, or the line to it broke; a repeat may find it again."""
	if isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError):
		return True
	if type(error).__name__ not in ("OperationalError", "InterfaceError"):
		return False
	# The drivers give 0 for a connection that is closed already.
	number = number_of(error)
	return number in (None, 0) or number in REFUSALS or number >= CLIENT_ERRORS


def is_bad_value(error: BaseException) -> bool:
	"""Whether some value cannot be computed with, or does not fit its column."""
	return isinstance(error, ArithmeticError) or number_of(error) in BAD_VALUE


def number_of(error: BaseException) -> int | None:
	"""MariaDB's error number, or None when the error is another one."""
	# Frappe's DuplicateEntryError carries the driver's error as an argument.
	causes = [error, *(part for part in error.args if isinstance(part, Exception))]
	numbers = (cause.args[0] for cause in causes if cause.args)
	return next((number for number in numbers if isinstance(number, int)), None)
