"""What people do on their devices, as ops."""

from chaos.journal import Op

ACCOUNT, TRANSACTION, CATEGORY = "Hisabi Account", "Hisabi Transaction", "Hisabi Category"
# Field of each type that devices edit, beside what a person in the Desk edits.
EDITED = {ACCOUNT: ("color", "group_id"), TRANSACTION: ("note", "amount"), CATEGORY: ("color",)}
HOT = 4


def write(device):
	"""Some ops for the outbox of a device."""
	busy = {op.key for op in device.outbox}
	made = []
	count = device.rng.choice((0, 1, 2, 3, 5, 8))
	for deed in device.rng.choices(list(DEEDS), list(DEEDS.values()), k=count):
		op = deed(device, busy)
		if op:
			busy.add(op.key)
			made.append(op)
	return made


def item(op):
	"""The op as the wire has it."""
	given = {"op_id": op.op_id, "entity_type": op.key[0], "entity_id": op.key[1], "operation": op.operation}
	base = {} if op.base is None else {"base_version": op.base}
	return {**given, **base, "payload": op.payload}


def decide(device, batch):
	"""Of conflicts some are decided on the device: the same once more, on the version that it was shown."""
	again = []
	for op in batch:
		last = op.said[-1] if op.said else None
		if last and last.status == "conflict" and op.operation == "update" and device.rng.random() < 0.5:
			again.append(_op(device, "update", op.key, last.version, dict(op.payload)))
	return again


def _op(device, operation, key, base, payload):
	device.count += 1
	op_id = f"{device.name}-{device.count}"
	return Op(op_id, device.space, key, operation, base, payload, device.name, device.person)


def _create(device, entity_type, **payload):
	"""The client id tells the space, so that a record that shows up elsewhere is noticed."""
	client_id = f"{device.space}.{device.name}.{device.count + 1}"
	return _op(device, "create", (entity_type, client_id), None, payload)


def _open_account(device, busy):
	opening = device.rng.randint(0, 500)
	values = {"account_type": "cash", "currency": "SAR", "opening_balance": opening}
	return _create(device, ACCOUNT, account_name=f"Account of {device.name}", **values)


def _accounts(device):
	return sorted(client_id for kind, client_id in device.replica if kind == ACCOUNT)


def _spend(device, busy):
	accounts = _accounts(device)
	if not accounts:
		return _open_account(device, busy)
	kind = device.rng.choice(("expense", "expense", "income"))
	return _entry(device, kind, account=device.rng.choice(accounts))


def _move(device, busy):
	accounts = _accounts(device)
	if len(accounts) < 2:
		return None
	source, target = device.rng.sample(accounts, 2)
	return _entry(device, "transfer", account=source, to_account=target)


def _entry(device, kind, **links):
	values = {"date_time": "2026-03-01T10:00:00Z", "currency": "SAR", **links}
	return _create(
		device, TRANSACTION, transaction_type=kind, amount=device.rng.randint(1, 9000) / 100, **values
	)


def _name_category(device, busy):
	return _create(device, CATEGORY, category_name=f"Category of {device.name}", kind="expense")


def _held(device, busy, kinds):
	"""A record that the device holds as the server answered it last, or None."""
	keys = [key for key in sorted(device.replica) if key[0] in kinds and key not in busy]
	keys = [key for key in keys if device.replica[key][0] >= device.versions.get(key, 0)]
	# Everybody likes the same few, so that people get in each other's way.
	keys = keys[:HOT] if device.rng.random() < 0.5 else keys
	return device.rng.choice(keys) if keys else None


def _edit(device, busy):
	key = _held(device, busy, EDITED)
	if key is None:
		return None
	name = device.rng.choice(EDITED[key[0]])
	mark = f"{device.name}.{device.count}"
	value = device.rng.randint(1, 900_000) / 100 if name == "amount" else mark
	return _op(device, "update", key, device.replica[key][0], {name: value})


def _remove(device, busy):
	kinds = (TRANSACTION, CATEGORY) if device.rng.random() < 0.8 else (ACCOUNT,)
	key = _held(device, busy, kinds)
	return key and _op(device, "delete", key, device.replica[key][0], {})


# What a device does next, with its weight.
DEEDS = {_open_account: 2, _spend: 6, _move: 1, _name_category: 1, _edit: 9, _remove: 1}
