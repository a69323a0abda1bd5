"""Locks that end with the worker that holds them, however it ends: MariaDB gives them back with the connection."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from hisabi_sync.engine.model import ids

PREFIX = "hisabi_sync_"


def name(*parts: str | int) -> str:
	"""Name of a lock, at most 64 characters; locks are the server's, so the site's database is part of it."""
	return PREFIX + ids.digest(frappe.conf.db_name, *parts, size=16)


def new_name() -> str:
	return PREFIX + secrets.token_hex(16)


def take(lock: str, patience: float = 0) -> bool:
	"""Whether the lock is ours now; `patience` is in seconds."""
	return frappe.db.sql("SELECT GET_LOCK(%s, %s)", (lock, patience))[0][0] == 1


def give_back(lock: str) -> None:
	frappe.db.sql("SELECT RELEASE_LOCK(%s)", (lock,))


def is_free(lock: str) -> bool:
	return frappe.db.sql("SELECT IS_FREE_LOCK(%s)", (lock,))[0][0] == 1


@contextmanager
def held(lock: str, patience: float = 0) -> Iterator[bool]:
	"""Gives whether the lock could be taken, and gives it back in the end."""
	taken = take(lock, patience)
	try:
		yield taken
	finally:
		if taken:
			give_back(lock)
