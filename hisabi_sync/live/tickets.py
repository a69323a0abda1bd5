"""Tickets, by which a browser opens a stream: its EventSource cannot send a token, and a token has no place in an address.

A ticket is good once, for a few seconds. Redis keeps the token enciphered by the ticket itself, so that nobody who reads
Redis or a log has a token.
"""

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken

SECONDS = 30
PREFIX = "hisabi_sync_ticket:"
PASS_HEADER = "X-Stream-Pass"  # by which the process asks the web server again, without the token


def new(token: str) -> tuple[str, str, bytes]:
	"""(ticket, name of its row in Redis, the row) for a token."""
	ticket = secrets.token_urlsafe(32)
	return ticket, name(ticket), _cipher(ticket).encrypt(token.encode())


def name(ticket: str) -> str:
	"""The name of a ticket's row in Redis, from which the ticket cannot be found."""
	return PREFIX + hashlib.sha256(ticket.encode()).hexdigest()


def read(ticket: str, row: bytes | None) -> str | None:
	"""The token of a ticket, or None if its row is not there any more."""
	try:
		return _cipher(ticket).decrypt(row).decode() if row else None
	except InvalidToken:
		return None


def _cipher(ticket: str) -> Fernet:
	key = hashlib.sha256(b"hisabi sync ticket " + ticket.encode()).digest()
	return Fernet(base64.urlsafe_b64encode(key))
