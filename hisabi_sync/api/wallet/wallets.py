"""Wallets, members and invites. Source: docs/contracts/wallet.md, Wallets. Rules: hisabi_wallet/members.py."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import frappe
from frappe.model.document import Document

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol import auth, throttle
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.schema import Request
from hisabi_sync.api.wallet.models import wallets as models
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock, ids, texts
from hisabi_sync.engine.model.change import ACCEPTED, Caller, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.hisabi_wallet import defaults, invites, members, wallets

G = TypeVar("G", bound=Request)
T = TypeVar("T")
MAX_TRIES = 10  # wrong invite codes of one user in a quarter of an hour


def transaction(function: Callable[[G], T]) -> Callable[[G], T]:
	"""Run the call in a transaction that is tried again after a deadlock and committed before the answer."""

	@functools.wraps(function)
	def run(request: G) -> T:
		try:
			return retry.committed(lambda: function(request))
		except members.LastOwner:
			raise RequestError("last_owner") from None
		except frappe.PermissionError:
			raise RequestError("permission_denied") from None
		except frappe.DuplicateEntryError:
			raise RequestError("unavailable") from None

	return run


def _caller(request: models.OfWallet) -> Caller:
	"""The Caller in the wallet of the call. Raises RequestError space_access_denied for anybody but an active member."""
	device = _device(request)
	name = device.name if device else None
	space = ids.space(members.SPACE_TYPE, request.wallet_id)
	return authorise(Caller(frappe.session.user, space, name, members.SPACE_TYPE, request.wallet_id))


def _device(request: models.OfWallet | models.WalletCreation) -> Device | None:
	"""The device that is named, else the one of the token, if there is any."""
	return auth.device_for(request.device_id) if request.device_id else auth.device()


def _manager(request: models.OfWallet) -> Caller:
	"""A Caller who may manage members. Refuses others before it looks up anything about other people."""
	caller = _caller(request)
	if not members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	return caller


def _role(request: models.MemberChange | models.InviteCreation) -> str:
	if request.role not in members.ROLES:
		raise RequestError("invalid_argument", argument="role")
	return request.role


@endpoint("wallet", takes=models.WalletCreation, gives=models.CreatedWallet)
@transaction
def wallet_create(request: models.WalletCreation) -> dict[str, Any]:
	"""Make a wallet that the caller owns; a repeat returns the same wallet."""
	client_id, device, user = request.client_id, _device(request), frappe.session.user
	if not ids.is_name(client_id):
		raise RequestError("invalid_argument", argument="client_id")
	name = texts.encode(request.wallet_name or "")
	if len(name) > args.MAX_TEXT:
		raise RequestError("invalid_argument", argument="wallet_name")
	created = not _exists(client_id)
	if created:
		budgets.require("spaces", user)
		wallets.create(user, client_id, name, device.device_id if device else None)
	own = [row for row in wallets.of_user(user) if row["wallet_id"] == client_id]
	if not own:
		raise RequestError("space_access_denied")
	return {"wallet": _wallet(own[0]), "created": created}


def _exists(wallet_id: str) -> bool:
	"""As the database compares names: `Ab` and `ab` are one wallet."""
	return bool(frappe.db.exists(members.WALLET, wallet_id))


def _wallet(row: dict[str, Any]) -> dict[str, Any]:
	named = {**row, "client_id": row["wallet_id"]}
	return {**named, "server_modified": clock.dump(row["server_modified"])}


@endpoint("wallet", methods=("GET", "POST"), takes=models.WalletList, gives=models.HeldWallets)
def wallet_list(request: models.WalletList) -> dict[str, Any]:
	"""The wallets that the caller is an active member of, the oldest membership first."""
	rows = wallets.of_user(frappe.session.user)
	return {"wallets": [_wallet(row) for row in rows], "server_time": clock.dump(clock.now())}


@endpoint("wallet", takes=models.OfWallet, gives=models.Membership)
@transaction
def wallet_leave(request: models.OfWallet) -> dict[str, Any]:
	"""End your own membership. The last owner cannot leave."""
	caller = _caller(request)
	return _member(members.change(caller.space_key, caller.role, caller.user, status=members.REMOVED))


@endpoint("wallet", takes=models.MemberChange, gives=models.Membership)
@transaction
def member_update(request: models.MemberChange) -> dict[str, Any]:
	"""Give a member another role; for those who may manage both roles."""
	return _change(_manager(request), request.user, role=_role(request))


@endpoint("wallet", takes=models.MemberRemoval, gives=models.Membership)
@transaction
def member_remove(request: models.MemberRemoval) -> dict[str, Any]:
	"""End a membership; the user's devices drop the wallet with their next pull."""
	return _change(_manager(request), request.user, status=members.REMOVED)


def _change(caller: Caller, user: str, **values: str) -> dict[str, Any]:
	try:
		return _member(members.change(caller.space_key, caller.role, user, **values))
	except frappe.DoesNotExistError:
		raise RequestError("not_found") from None


def _member(doc: Document) -> dict[str, Any]:
	names = ("wallet_id", "user", "role", "status", "client_id", "doc_version")
	return {name: doc.get(name) for name in names}


@endpoint("wallet", takes=models.InviteCreation, gives=models.NewInvite)
@transaction
def invite_create(request: models.InviteCreation) -> dict[str, Any]:
	"""Make an invite into a wallet. Its code goes to the person who is to join."""
	caller, role = _manager(request), _role(request)
	if role not in members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	doc, code = invites.create(caller.space_key, role, request.expires_in_hours)
	return {
		"invite_id": doc.name,
		"code": code,
		"wallet_id": caller.space_key,
		"role": role,
		"status": doc.status,
		"expires_at": clock.dump(doc.expires_at),
	}


@endpoint("wallet", methods=("GET", "POST"), takes=models.OfWallet, gives=models.Invites)
def invite_list(request: models.OfWallet) -> dict[str, Any]:
	"""The invites of a wallet, newest first, without their codes."""
	caller = _manager(request)
	rows = invites.listing(caller.space_key)
	return {"invites": [_invite(row) for row in rows], "server_time": clock.dump(clock.now())}


def _invite(row: dict[str, Any]) -> dict[str, Any]:
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


@endpoint("wallet", takes=models.InviteRevocation, gives=models.RevokedInvite)
@transaction
def invite_revoke(request: models.InviteRevocation) -> dict[str, Any]:
	"""Close an open invite; a used one stays used."""
	caller = _manager(request)
	invite = invites.find(caller.space_key, request.invite_id)
	if invite is None:
		raise RequestError("not_found")
	if invite["role"] not in members.RIGHTS[caller.role].manages:
		raise RequestError("permission_denied")
	return {"invite_id": invite["name"], "status": invites.revoke(invite)}


@endpoint("wallet", takes=models.InviteAcceptance, gives=models.Joined)
def invite_accept(request: models.InviteAcceptance) -> dict[str, Any]:
	"""Become a member by a code. Codes that are unknown, used, late or revoked are one error."""
	whom = (frappe.session.user,)
	throttle.count("invite", whom, MAX_TRIES)
	answer = _accept(request)
	throttle.take_back("invite", whom)
	return answer


@transaction
def _accept(request: models.InviteAcceptance) -> dict[str, Any]:
	joined = invites.accept(request.code, frappe.session.user)
	if joined is None:
		raise RequestError("invite_invalid")
	return {"wallet_id": joined.wallet_id, "role": joined.role, "already_member": joined.was_member}


@endpoint("wallet", takes=models.WalletDefaults, gives=models.MadeDefaults)
def wallet_defaults(request: models.WalletDefaults) -> dict[str, Any]:
	"""Make the defaults that a wallet does not have yet: settings, a cash account and categories."""
	caller = _caller(request)
	language = (request.language or frappe.local.lang).partition("-")[0].lower()
	offered = language if language in defaults.LANGUAGES else defaults.LANGUAGES[0]
	outcomes = [outcome for _, outcome in defaults.add(caller, offered, request.currency)]
	return {
		"results": [_made(outcome) for outcome in outcomes],
		"created": sum(outcome.status == ACCEPTED for outcome in outcomes),
	}


def _made(outcome: Outcome) -> dict[str, Any]:
	"""`status` is accepted, duplicate when it was there, or why it was not made, such as deleted."""
	return {
		"entity_type": registry().wire_name(outcome.entity_type),
		"client_id": outcome.client_id,
		"status": outcome.code or outcome.status,
		"doc_version": outcome.doc_version,
	}
