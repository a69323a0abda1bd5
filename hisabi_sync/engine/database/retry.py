"""Running a transaction again after a deadlock or a time-out, which the ledger makes safe; and kinds of database errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import frappe
import redis
import tenacity
from rq.timeouts import BaseTimeoutException

from hisabi_sync import compat
from hisabi_sync.engine.model import errors
from hisabi_sync.engine.model.errors import RequestError

T = TypeVar("T")
ATTEMPTS = 10
LOCK_WAIT = 10  # seconds that a statement waits for a lock; `sync_lock_wait` in the site's config
PATIENCE = 3  # lock waits after which no other try begins: a phone waits no longer either
# MariaDB: deadlock, lock wait time-out, snapshot conflict (1020), too many locks.
RETRYABLE = {1213, 1205, 1020, 1206}
DUPLICATE_KEY = 1062
MOST_ANNOUNCEMENTS = 1000
# Out of range, too long, not a character, not a date, not a number.
BAD_VALUE = {1264, 1406, 1366, 1292, 1265}
# The database refuses everybody: too many connections, shutting down. Numbers from CLIENT_ERRORS on: a broken connection.
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
	"""The transaction was rolled back while its code still ran; nothing of it is left."""


def run(transaction: Callable[[], T]) -> T:
	"""Run a function that ends with its own commit; each try is a new transaction.

	It begins with a rollback, so commit first what you have written yourself. Raises RequestError `unavailable` if every try
	failed by a deadlock or a time-out; nothing is changed then.
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


def committed(work: Callable[[], T], dry_run: bool = False) -> T:
	"""Run work that does not commit in such a transaction, and commit it; a dry run leaves nothing. Raises as `run` does."""

	def transaction() -> T:
		answer = work()
		frappe.db.rollback() if dry_run else commit()
		return answer

	return run(transaction)


def commit() -> None:
	"""Commit. If a callback after the commit fails, the error is logged, because the commit stands."""
	wrote = frappe.db.transaction_writes
	try:
		frappe.db.commit()
	except Exception as error:
		# Frappe resets the count when it commits.
		if not wrote or frappe.db.transaction_writes or number_of(error) is not None:
			compat.forget_announcements()
			raise
		errors.log_once("what was to follow a commit failed", error)
		_finish_announcements()


def _finish_announcements() -> None:
	"""Run the callbacks after one that failed; Frappe removes each from the list before it calls it."""
	for _ in range(MOST_ANNOUNCEMENTS):
		try:
			return frappe.db.after_commit.run()
		except Exception as error:
			errors.log_once("what was to follow a commit failed", error)


@contextmanager
def latest_reads() -> Iterator[None]:
	"""Transactions in this block use READ COMMITTED: each statement reads what is committed when it begins.

	A call that pulls after it pushed needs this. The numbers of its push come after those of transactions that its first
	snapshot does not contain, and its cursor must not skip their records.
	"""
	frappe.db.sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.db.sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _fresh(transaction: Callable[[], T]) -> T:
	frappe.db.rollback()
	compat.forget_announcements()
	return transaction()


def is_retryable(error: BaseException) -> bool:
	"""Deadlocks and time-outs; also a duplicate key, when another request wrote the same op or record first."""
	return is_turned_down(error) or is_race(error)


def is_turned_down(error: BaseException) -> bool:
	"""Whether the database refused the transaction in favour of another one; a repeat may succeed."""
	if isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | Undone):
		return True
	return number_of(error) in RETRYABLE


def ends_transaction(error: BaseException) -> bool:
	"""Whether an exception concerns the whole transaction or process, and not one item of it."""
	ends = isinstance(error, MemoryError | BaseTimeoutException | frappe.InReadOnlyMode)
	return ends or is_turned_down(error) or is_away(error)


def is_race(error: BaseException) -> bool:
	"""Whether a key is duplicate because another request wrote it first: that of an op, a record or a document's name."""
	return number_of(error) == DUPLICATE_KEY and any(key in str(error) for key in RACED_KEYS)


def is_away(error: BaseException) -> bool:
	"""Whether the database or Redis could not be reached, or the connection broke; a repeat may succeed."""
	if isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError):
		return True
	if type(error).__name__ not in ("OperationalError", "InterfaceError"):
		return False
	# The drivers give 0 for a connection that is closed already.
	number = number_of(error)
	return number in (None, 0) or number in REFUSALS or number >= CLIENT_ERRORS


def is_bad_value(error: BaseException) -> bool:
	"""Whether a value cannot be computed with, or does not fit its column."""
	return isinstance(error, ArithmeticError) or number_of(error) in BAD_VALUE


def number_of(error: BaseException) -> int | None:
	"""MariaDB's error number, or None when the error is another one."""
	# Frappe's DuplicateEntryError carries the driver's error as an argument.
	causes = [error, *(part for part in error.args if isinstance(part, Exception))]
	numbers = (cause.args[0] for cause in causes if cause.args)
	return next((number for number in numbers if isinstance(number, int)), None)
