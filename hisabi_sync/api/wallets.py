"""Wallets, members and invites. Source: contracts/wallet.md, devices and wallets. Rules: hisabi_wallet/members.py."""

import functools

import frappe

from hisabi_sync.api import arguments as args
from hisabi_sync.api import auth, throttle
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import clock, ids, retry
from hisabi_sync.engine.change import ACCEPTED, Caller
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.spaces import authorise
from hisabi_sync.hisabi_wallet import defaults, invites, members, wallets

MAX_TRIES = 10  # wrong invite codes of one user in a quarter of an hour


def transaction(function):
	"""Run the call in a transaction that is tried again after a deadlock and committed before the answer."""

	@functools.wraps(function)
	def run(given):
		try:
			return retry.run(lambda: _committed(function, given))
		except members.LastOwner:
			raise RequestError("last_owner") from None
		except frappe.PermissionError:
			raise RequestError("permission_denied") from None
		except frappe.DuplicateEntryError:
			raise RequestError("unavailable") from None

	return run


def _committed(function, given):
	answer = function(given)
	frappe.db.commit()
	return answer


def _caller(given):
	"""The Caller in the wallet of the call. Raises RequestError space_access_denied when he is no active member."""
	wallet_id = args.text(given, "wallet_id")
	device = auth.device_for(args.text(given, "device_id")) if given.get("device_id") else auth.device()
	name = device.name if device else None
	space = ids.space(members.SPACE_TYPE, wallet_id)
	caller = Caller(frappe.session.user, space, "viewer", name, members.SPACE_TYPE, wallet_id)
	authorise(caller)
	return caller


def _manager(given):
	"""The Caller, who may manage members. Says no before anything about other people is looked up."""
	caller = _caller(given)
	if not members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	return caller


def _role(given):
	role = args.text(given, "role")
	if role not in members.ROLES:
		raise RequestError("invalid_argument", argument="role")
	return role


@endpoint("wallet")
@transaction
def wallet_create(given):
	"""`{client_id, wallet_name, device_id?}` -> `{wallet, created}`; a repeat finds the wallet that is there."""
	client_id, name = args.text(given, "client_id"), args.text(given, "wallet_name")
	if not ids.is_client_id(client_id):
		raise RequestError("invalid_argument", argument="client_id")
	device = auth.device_for(args.text(given, "device_id")) if given.get("device_id") else auth.device()
	user = frappe.session.user
	created = not _exists(client_id)
	if created:
		wallets.create(user, client_id, name, device.device_id if device else None)
	held = [row for row in wallets.of_user(user) if row["wallet_id"] == client_id]
	if not held:
		raise RequestError("space_access_denied")
	return {"wallet": _wallet(held[0]), "created": created}


def _exists(wallet_id):
	"""As the database compares names: `Ab` and `ab` are one wallet."""
	return bool(frappe.db.exists("Hisabi Wallet", wallet_id))


def _wallet(row):
	named = {**row, "client_id": row["wallet_id"]}
	return {**named, "server_modified": clock.dump(row["server_modified"])}


@endpoint("wallet", methods=("GET", "POST"))
def wallet_list(given):
	"""The wallets that the caller is an active member of -> `{wallets: [...], server_time}`."""
	rows = wallets.of_user(frappe.session.user)
	return {"wallets": [_wallet(row) for row in rows], "server_time": clock.dump(clock.now())}


@endpoint("wallet")
@transaction
def wallet_leave(given):
	"""`{wallet_id}` -> `{wallet_id, user, role, status}`. The last owner cannot leave."""
	caller = _caller(given)
	return _member(members.change(caller.space_key, caller.role, caller.user, status=members.REMOVED))


@endpoint("wallet")
@transaction
def member_update(given):
	"""`{wallet_id, user, role}` -> the membership as it is now."""
	caller, role = _manager(given), _role(given)
	return _change(caller, args.text(given, "user"), role=role)


@endpoint("wallet")
@transaction
def member_remove(given):
	"""`{wallet_id, user}` -> the membership, which is over; his devices drop the wallet with their next pull."""
	caller = _manager(given)
	return _change(caller, args.text(given, "user"), status=members.REMOVED)


def _change(caller, user, **values):
	try:
		return _member(members.change(caller.space_key, caller.role, user, **values))
	except frappe.DoesNotExistError:
		raise RequestError("not_found") from None


def _member(doc):
	names = ("wallet_id", "user", "role", "status", "client_id", "doc_version")
	return {name: doc.get(name) for name in names}


@endpoint("wallet")
@transaction
def invite_create(given):
	"""`{wallet_id, role, expires_in_hours?}` -> the invite and its code, which is shown this once."""
	caller, role = _manager(given), _role(given)
	hours = args.whole_number(given, "expires_in_hours", invites.DEFAULT_HOURS, 1, invites.MAX_HOURS)
	if role not in members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	doc, code = invites.create(caller.space_key, role, hours)
	return {
		"invite_id": doc.name,
		"code": code,
		"wallet_id": caller.space_key,
		"role": role,
		"status": doc.status,
		"expires_at": clock.dump(doc.expires_at),
	}


@endpoint("wallet", methods=("GET", "POST"))
def invite_list(given):
	"""`{wallet_id}` -> `{invites: [...], server_time}`, newest first, without codes."""
	caller = _manager(given)
	rows = invites.listing(caller.space_key)
	return {"invites": [_invite(row) for row in rows], "server_time": clock.dump(clock.now())}


def _invite(row):
	return {
		"invite_id": row["name"],
		"role": row["role"],
		"status": invites.state(row),
		"created_by": row["owner"],
		"created_at": clock.dump(row["creation"]),
		"expires_at": clock.dump(row["expires_at"]),
		"used_by": row["used_by"],
		"used_at": clock.dump(row["used_at"]),
	}


@endpoint("wallet")
@transaction
def invite_revoke(given):
	"""`{wallet_id, invite_id}` -> `{invite_id, status}`; a used invite stays used."""
	caller = _manager(given)
	invite = invites.find(caller.space_key, args.text(given, "invite_id"))
	if invite is None:
		raise RequestError("not_found")
	if invite["role"] not in members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	return {"invite_id": invite["name"], "status": invites.revoke(invite)}


@endpoint("wallet")
def invite_accept(given):
	"""`{code}` -> `{wallet_id, role, already_member}`. Codes that are unknown, used, late or revoked are one error."""
	whom = (frappe.session.user,)
	throttle.count("invite", whom, MAX_TRIES)
	answer = _accept(given)
	throttle.take_back("invite", whom)
	return answer


@transaction
def _accept(given):
	joined = invites.accept(args.text(given, "code"), frappe.session.user)
	if joined is None:
		raise RequestError("invite_invalid")
	return dict(zip(("wallet_id", "role", "already_member"), joined, strict=True))


@endpoint("wallet")
def wallet_defaults(given):
	"""`{wallet_id, language?, currency?}` -> `{results: [{entity_type, client_id, status, doc_version}], created}`."""
	caller = _caller(given)
	language = (args.optional_text(given, "language") or frappe.local.lang).partition("-")[0].lower()
	currency = args.text(given, "currency") if given.get("currency") else None
	known = language if language in defaults.LANGUAGES else defaults.LANGUAGES[0]
	outcomes = [outcome for _, outcome in defaults.add(caller, known, currency)]
	return {
		"results": [_made(outcome) for outcome in outcomes],
		"created": sum(outcome.status == ACCEPTED for outcome in outcomes),
	}


def _made(outcome):
	"""`status` is accepted, duplicate when it was there, or why it was not made, such as deleted."""
	return {
		"entity_type": outcome.entity_type,
		"client_id": outcome.client_id,
		"status": outcome.code or outcome.status,
		"doc_version": outcome.doc_version,
	}
