"""Transactions that the database turned down are run again. The ledger makes that safe."""

from contextlib import contextmanager

import frappe
import redis
import tenacity

from hisabi_sync.engine.errors import RequestError

ATTEMPTS = 10
LOCK_WAIT = 10  # seconds that a statement waits for a lock; `sync_lock_wait` in the site's config
PATIENCE = 3  # no further try once this many lock waits have passed: a phone waits no longer either
# MariaDB: deadlock, lock wait time-out, snapshot conflict (1020), too many locks.
RETRYABLE = {1213, 1205, 1020, 1206}
DUPLICATE_KEY = 1062
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


def run(transaction):
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
		if is_retryable(error) and _number(error) != DUPLICATE_KEY:
			raise RequestError("unavailable") from error
		raise


@contextmanager
def latest_reads():
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


def _fresh(transaction):
	frappe.db.rollback()
	return transaction()


def is_retryable(error):
	"""Deadlocks and time-outs; a taken key too, because another request wrote the same op or record first."""
	if isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError):
		return True
	return _number(error) in RETRYABLE or _is_race(error)


def _is_race(error):
	"""A taken key that another request may have taken a moment ago: of an op, a record or a document's name."""
	return _number(error) == DUPLICATE_KEY and any(key in str(error) for key in RACED_KEYS)


def is_away(error):
	"""Whether the database or Redis could not be reached, or the line to it broke; a repeat may find it again."""
	if isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError):
		return True
	if type(error).__name__ not in ("OperationalError", "InterfaceError"):
		return False
	# The drivers give 0 for a connection that is closed already.
	number = _number(error)
	return number in (None, 0) or number in REFUSALS or number >= CLIENT_ERRORS


def is_bad_value(error):
	"""Whether some value cannot be computed with, or does not fit its column."""
	return isinstance(error, ArithmeticError) or _number(error) in BAD_VALUE


def _number(error):
	"""MariaDB's error number, or None when the error is another one."""
	# Frappe's DuplicateEntryError carries the driver's error as an argument.
	causes = [error, *(part for part in error.args if isinstance(part, Exception))]
	numbers = (cause.args[0] for cause in causes if cause.args)
	return next((number for number in numbers if isinstance(number, int)), None)
