"""What people do on their devices, as ops."""

from collections.abc import Container, Iterable, Set
from typing import TYPE_CHECKING, Any

from chaos import photos
from chaos.journal import Op, Said

if TYPE_CHECKING:
	from chaos.devices import Device

ACCOUNT, TRANSACTION, CATEGORY = "Hisabi Account", "Hisabi Transaction", "Hisabi Category"
# Field of each type that devices edit, beside what a person in the Desk edits.
EDITED = {ACCOUNT: ("color", "group_id"), TRANSACTION: ("note", "amount"), CATEGORY: ("color",)}
HOT = 4
# A DocType of the lab's own: its fields of text, of which some are there only now and then, and what may be chosen.
FORM = "Chaos Form"
FORM_TEXTS, OFTEN = ("remark", "weather", "comment", "extra"), (6, 6, 2, 1)
STATES = ("Open", "Closed", "Paused")
NAMED, ONCE_MORE = "settle by naming the conflict", "settle by the same once more"
SETTLED = (NAMED, ONCE_MORE, NAMED)
AGAIN = "begin again"
# Texts that are no markup, or look like what is stored for another.
ODD = (
	"a<b and c>d",
	"<b>no tag</b>",
	"&lt;b&gt; &amp;lt; &amp;amp;",
	"\"quoted\" 'too' \\",
	"é é 😀 فاتورة",
	"{{ 1 }} %s {0}",
)


def write(device: "Device") -> list[Op]:
	"""Some ops for the outbox of a device."""
	busy = {op.key for op in device.outbox}
	made, shares = [], device.lab.shares
	count = device.rng.choice((0, 1, 2, 3, 5, 8))
	drawn = device.rng.choices(list(DEEDS), [weight for _, weight in DEEDS.values()], k=count)
	for name in [*shares.due(DEEDS), *drawn]:
		op = DEEDS[name][0](device, busy)
		if op:
			shares.did(name)
			busy.add(op.key)
			made.append(op)
	return made


def item(op: Op) -> dict[str, Any]:
	"""The op as the wire has it."""
	given = {"op_id": op.op_id, "entity_type": op.key[0], "entity_id": op.key[1], "operation": op.operation}
	base: dict[str, Any] = {} if op.base is None else {"base_version": op.base}
	base = {"base_values": op.seen} if op.seen else base
	settles = {"resolves": op.resolves} if op.resolves else {}
	return {**given, **base, **settles, "payload": {**op.rest, **op.payload}}


def decide(device: "Device", batch: Iterable[Op]) -> list[Op]:
	"""Of conflicts some are settled on the device: by naming them, or by the same once more, on the version it was shown."""
	again = []
	for op in batch:
		last = op.said[-1] if op.said else None
		if last and last.status == "conflict" and op.operation == "update":
			due = device.lab.shares.due(SETTLED)
			if due or device.rng.random() < 0.5:
				again.append(_settle(device, op, last, due[0] if due else device.rng.choice(SETTLED)))
	begun = _begin_again(device, {op.key for op in device.outbox}) if device.lab.shares.due([AGAIN]) else None
	if begun:
		device.lab.shares.did(AGAIN)
		again.append(begun)
	return again


def _settle(device: "Device", op: Op, last: Said, how: str) -> Op:
	device.lab.shares.did(how)
	settled = _op(device, "update", op.key, last.version, dict(op.payload))
	settled.resolves = last.conflict if how == NAMED else None
	return settled


def restart(device: "Device", batch: Iterable[Op]) -> list[Op]:
	"""The app lost the op ids of a batch, and the person goes on with an account of it: the create comes once more."""
	busy = {op.key for op in device.outbox}
	made = [op for op in batch if op.operation == "create" and op.key[0] == ACCOUNT and op.key not in busy]
	if not made:
		return []
	first = device.rng.choice(made)
	again = _op(device, "create", first.key, None, {"color": _text(device)})
	again.rest = {**first.rest, **first.payload}
	return [again]


def _op(
	device: "Device", operation: str, key: tuple[str, str], base: int | None, payload: dict[str, Any]
) -> Op:
	device.count += 1
	op_id = f"{device.name}-{device.count}"
	return Op(op_id, device.space, key, operation, base, payload, device.name, device.person)


def _create(device: "Device", entity_type: str, **payload: Any) -> Op:
	"""The client id tells the space, so that a record that shows up elsewhere is noticed."""
	client_id = f"{device.space}.{device.name}.{device.count + 1}"
	return _op(device, "create", (entity_type, client_id), None, payload)


def _open_account(device: "Device", busy: Container[tuple[str, str]]) -> Op:
	opening = device.rng.randint(0, 500)
	values = {"account_type": "cash", "currency": "SAR", "opening_balance": opening}
	return _create(device, ACCOUNT, account_name=f"Account of {device.name}", **values)


def _accounts(device: "Device") -> list[str]:
	return sorted(client_id for kind, client_id in device.replica if kind == ACCOUNT)


def _spend(device: "Device", busy: Set[tuple[str, str]]) -> Op:
	accounts = _accounts(device)
	if not accounts:
		return _open_account(device, busy)
	kind = device.rng.choice(("expense", "expense", "income"))
	return _entry(device, kind, account=device.rng.choice(accounts))


def _move(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	accounts = _accounts(device)
	if len(accounts) < 2:
		return None
	source, target = device.rng.sample(accounts, 2)
	return _entry(device, "transfer", account=source, to_account=target)


def _entry(device: "Device", kind: str, **links: str) -> Op:
	values = {"date_time": "2026-03-01T10:00:00Z", "currency": "SAR", **links}
	return _create(
		device, TRANSACTION, transaction_type=kind, amount=device.rng.randint(1, 9000) / 100, **values
	)


def _name_category(device: "Device", busy: Set[tuple[str, str]]) -> Op:
	return _create(device, CATEGORY, category_name=f"Category of {device.name}", kind="expense")


def _held(device: "Device", busy: Set[tuple[str, str]], kinds: Container[str]) -> tuple[str, str] | None:
	"""A record that the device holds as the server answered it last, or None."""
	keys = [key for key in sorted(device.replica) if key[0] in kinds and key not in busy]
	keys = [key for key in keys if device.replica[key][0] >= device.versions.get(key, 0)]
	# Everybody likes the same few, so that people get in each other's way.
	keys = keys[:HOT] if device.rng.random() < 0.5 else keys
	return device.rng.choice(keys) if keys else None


def _edit(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	key = _held(device, busy, EDITED)
	if key is None:
		return None
	name = device.rng.choice(EDITED[key[0]])
	return _op(device, "update", key, device.replica[key][0], {name: _value(device, name)})


def _edit_what_was_seen(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	"""An edit that tells the value of before instead of the version."""
	edit = _edit(device, busy)
	if edit:
		_, payload = device.replica[edit.key]
		edit.seen = {name: payload.get(name) for name in edit.payload}
	return edit


def _edit_late(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	"""What was opened before the last pull is saved after it, in a field that others have written meanwhile."""
	for key in sorted(device.before.keys() & device.replica.keys() - busy):
		(version, old), (_, new) = device.before[key], device.replica[key]
		names = [name for name in EDITED.get(key[0], ()) if old.get(name) != new.get(name)]
		names = [name for name in names if not str(new.get(name)).startswith(f"{device.name}.")]
		if names:
			del device.before[key]
			return _op(device, "update", key, version, {names[0]: _value(device, names[0])})
	return None


def _value(device: "Device", name: str) -> float | str:
	return device.rng.randint(1, 900_000) / 100 if name == "amount" else _text(device)


def _text(device: "Device") -> str:
	"""A text that nobody else writes, with what is easily lost on the way."""
	return f"{device.name}.{device.count} {device.rng.choice(ODD)}"


def _remove(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	kinds = (TRANSACTION, CATEGORY) if device.rng.random() < 0.8 else (ACCOUNT,)
	key = _held(device, busy, kinds)
	return key and _op(device, "delete", key, device.replica[key][0], {})


def _begin_again(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	"""A deleted category begins again under its id, on the version of its tombstone."""
	keys = sorted(key for key in device.tombs if key[0] == CATEGORY and key not in busy)
	if not keys:
		return None
	key = device.rng.choice(keys)
	again = _op(device, "create", key, device.tombs.pop(key), {"color": _text(device), "icon": _text(device)})
	again.rest = {"category_name": f"Category of {device.name}", "kind": "expense"}
	return again


def _begin_form(device: "Device", busy: Set[tuple[str, str]]) -> Op:
	"""A form as the app knows it; of its fields the site may have others by now."""
	values = {name: _text(device) for name in device.rng.choices(FORM_TEXTS, OFTEN, k=3)}
	return _create(device, FORM, **values, state=device.rng.choice(STATES))


def _fill_in(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	key = _held(device, busy, (FORM,))
	if key is None:
		return None
	(name,) = device.rng.choices((*FORM_TEXTS, "state"), (*OFTEN, 4))
	value = device.rng.choice(STATES) if name == "state" else _text(device)
	return _op(device, "update", key, device.replica[key][0], {name: value})


def _photograph(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	"""A form with a new photo, which is on a page as well."""
	photo = photos.upload(device)
	made = _create(device, FORM, photo=photo, weather=_text(device)) if photo else None
	if made:
		made.rest = {"pages": [{"photo": photo}]}
	return made


def _photograph_again(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	"""Another photo in the place of one."""
	key = _held(device, busy, (FORM,))
	photo = key and photos.upload(device)
	return _op(device, "update", key, device.replica[key][0], {"photo": photo}) if key and photo else None


def _remove_form(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	key = _held(device, busy, (FORM,))
	return key and _op(device, "delete", key, device.replica[key][0], {})


def refused(device: "Device") -> Op:
	"""A change that no site accepts."""
	return _create(device, CATEGORY, category_name="x", kind="neither")


def good(device: "Device") -> Op:
	"""A change that is good for the next ones: a new account."""
	return _open_account(device, ())


def _remove_category(device: "Device", busy: Set[tuple[str, str]]) -> Op | None:
	key = _held(device, busy, (CATEGORY,))
	return key and _op(device, "delete", key, device.replica[key][0], {})


# What a device does next: name -> how, and its weight. What nobody has done yet in a run comes first.
DEEDS = {
	"open an account": (_open_account, 2),
	"name a category": (_name_category, 1),
	"spend": (_spend, 6),
	"move money": (_move, 1),
	"edit": (_edit, 6),
	"edit what was seen": (_edit_what_was_seen, 3),
	"edit late": (_edit_late, 1),
	"remove": (_remove, 1),
	"remove a category": (_remove_category, 1),
	AGAIN: (_begin_again, 1),
	"begin a form": (_begin_form, 1),
	"fill in a form": (_fill_in, 2),
	"photograph": (_photograph, 1),
	"photograph again": (_photograph_again, 0.5),
	"remove a form": (_remove_form, 0.3),
}
