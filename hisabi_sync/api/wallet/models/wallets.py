"""What the calls about wallets, members and invites take and give. Source: docs/contracts/wallet.md."""

from typing import Any, Literal

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.schema import Answer, Count, OptionalText, Request, Text, Time, checked, whole
from hisabi_sync.hisabi_wallet import invites, members

Role = Literal[members.ROLES]
# Judged after the caller's own role: who manages nothing learns nothing else.
WantedRole: Any = checked(str, args.text, {"enum": list(members.ROLES)})
InviteStatus = Literal[invites.OPEN, invites.USED, invites.REVOKED, invites.EXPIRED]


class WalletCreation(Request):
	client_id: Text
	wallet_name: Text
	device_id: OptionalText = None


class WalletList(Request):
	"""No arguments: the call is about your own wallets."""


class OfWallet(Request):
	"""A call without a device token may name the device that it is made on."""

	wallet_id: Text
	device_id: OptionalText = None


class MemberChange(OfWallet):
	user: Text
	role: WantedRole


class MemberRemoval(OfWallet):
	user: Text


class InviteCreation(OfWallet):
	role: WantedRole
	expires_in_hours: whole(1, invites.MAX_HOURS, invites.DEFAULT_HOURS) = invites.DEFAULT_HOURS


class InviteRevocation(OfWallet):
	invite_id: Text


class InviteAcceptance(Request):
	code: Text


class WalletDefaults(OfWallet):
	language: OptionalText = None
	currency: OptionalText = None


class HeldWallet(Answer):
	wallet_id: str
	client_id: str
	wallet_name: str | None
	status: str | None
	role: Role
	doc_version: int
	server_modified: Time | None


class CreatedWallet(Answer):
	wallet: HeldWallet
	created: bool


class HeldWallets(Answer):
	wallets: list[HeldWallet]
	server_time: Time


class Membership(Answer):
	wallet_id: str
	user: str
	role: Role
	status: Literal[members.PENDING, members.ACTIVE, members.REMOVED]
	client_id: str
	doc_version: int


class NewInvite(Answer):
	"""An invite. Its `code` is shown only once."""

	invite_id: str
	code: str
	wallet_id: str
	role: Role
	status: InviteStatus
	expires_at: Time | None


class Invite(Answer):
	invite_id: str
	role: Role
	status: InviteStatus
	created_by: str
	created_at: Time
	expires_at: Time | None
	used_by: str | None
	used_at: Time | None


class Invites(Answer):
	invites: list[Invite]
	server_time: Time


class RevokedInvite(Answer):
	invite_id: str
	status: InviteStatus


class Joined(Answer):
	wallet_id: str
	role: Role
	already_member: bool


class MadeDefault(Answer):
	"""`status` is accepted, duplicate when it was there, or why it was not made, such as deleted."""

	entity_type: str
	client_id: str
	status: str
	doc_version: int


class MadeDefaults(Answer):
	results: list[MadeDefault]
	created: Count
