"""Attachments: the key that a record names must be an upload of its wallet and agree with the record."""

import frappe
import pytest

from tests.media.uploads import JPEG, PNG, attachment, get, presign, put, sha256, upload
from tests.support.phone import delete, new_id, update

TYPE = "Hisabi Attachment"


def _error(result, code, *fields):
	assert result["status"] == "error", result
	assert (result["error_code"], result["detail"]) == (code, list(fields)), result


def _state(key):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Media", key, "state")


def _pulled(phone, client_id):
	phone.pull()
	return phone.replica[(TYPE, client_id)]["payload"]


def test_an_attachment_shows_where_its_file_is(owner, family):
	key = upload(owner)
	(result,) = owner.push(attachment(file_id=key))
	assert result["status"] == "accepted" and _state(key) == "Used"
	payload = _pulled(family["viewer"], result["client_id"])
	assert payload["file_id"] == key
	signed = (
		family["viewer"].session.get(family["viewer"].url + payload["file_url"], timeout=30).json()["message"]
	)
	assert (signed["size"], signed["sha256"], signed["content_type"]) == (len(PNG), sha256(PNG), "image/png")
	assert get(signed["url"]).content == PNG


def test_an_attachment_without_a_file_gets_it_later(owner):
	(made,) = owner.push(attachment(sha256=None))
	assert made["status"] == "accepted"
	key = upload(owner)
	(given,) = owner.push(update(TYPE, made["client_id"], 1, fileId=key))
	assert given["status"] == "accepted", given
	payload = _pulled(owner, made["client_id"])
	assert payload["sha256"] == sha256(PNG) and payload["file_url"].endswith(key)
	(taken,) = owner.push(update(TYPE, made["client_id"], given["doc_version"], file_id=None))
	assert taken["status"] == "accepted" and _pulled(owner, made["client_id"])["file_url"] is None


def _foreign(family):
	return upload(family["stranger"])


def _pending(family):
	return presign(family["owner"])["key"]


def _refused(family):
	signed = presign(family["owner"], sha256=sha256(JPEG))
	assert put(signed["upload_url"], PNG).status_code == 417
	return signed["key"]


def _upper(family):
	return upload(family["owner"]).upper()


@pytest.mark.parametrize("key", [_foreign, _pending, _refused, _upper, lambda family: "0" * 32])
def test_a_key_that_is_no_upload_of_the_wallet(owner, family, key):
	key = key(family)
	_error(owner.push(attachment(file_id=key))[0], "invalid_link", "file_id")
	(made,) = owner.push(attachment())
	_error(owner.push(update(TYPE, made["client_id"], 1, file_id=key))[0], "invalid_link", "file_id")


def test_a_file_that_is_kept_elsewhere_keeps_its_own_name(owner):
	(made,) = owner.push(attachment(file_id="drive:4711"))
	assert made["status"] == "accepted" and _pulled(owner, made["client_id"])["file_id"] == "drive:4711"


@pytest.mark.parametrize(
	"field,value", [("file_size", 5), ("mime_type", "image/jpeg"), ("sha256", sha256(JPEG)), ("sha256", "x")]
)
def test_a_record_that_says_something_else_than_its_file(owner, field, value):
	key = upload(owner)
	_error(owner.push(attachment(file_id=key, **{field: value}))[0], "invalid_value", field)
	(made,) = owner.push(attachment(file_id=key))
	assert made["status"] == "accepted"
	_error(owner.push(update(TYPE, made["client_id"], 1, **{field: value}))[0], "invalid_value", field)
	_error(
		owner.push(update(TYPE, made["client_id"], 1, **{"file_id": key, field: value}))[0],
		"invalid_value",
		field,
	)


def test_ways_of_writing_that_mean_the_same(owner):
	key = upload(owner)
	item = attachment(file_id=key, mime_type="image/PNG; q=1", sha256=sha256(PNG).upper())
	assert owner.push(item)[0]["status"] == "accepted"


def test_a_file_url_of_the_device_is_replaced_and_named(owner):
	key = upload(owner)
	(made,) = owner.push(attachment(file_id=key, file_url="https://example.com/evil"))
	assert made["warnings"] == ["file_url"]
	assert _pulled(owner, made["client_id"])["file_url"].endswith(f"download_url?key={key}")
	owner.push(update(TYPE, made["client_id"], 1, file_url="https://example.com/evil"))
	assert _pulled(owner, made["client_id"])["file_url"].endswith(f"download_url?key={key}")


def test_what_is_made_and_changed_in_one_batch(owner):
	key, client_id = upload(owner), new_id("a")
	results = owner.push(
		attachment(client_id=client_id),
		update(TYPE, client_id, 1, file_id=key),
		update(TYPE, client_id, 2, file_size=1),
	)
	assert [r["status"] for r in results] == ["accepted", "accepted", "error"]


def test_a_dry_run_uses_nothing(owner):
	key = upload(owner)
	assert owner.push(attachment(file_id=key), dry_run=True)[0]["status"] == "accepted"
	assert _state(key) == "Uploaded"


def test_a_conflict_keeps_the_file(owner, family):
	first, second = upload(owner), upload(owner, JPEG, content_type="image/jpeg", filename="a.jpg")
	(made,) = owner.push(attachment(file_id=first))
	other = {"file_size": len(JPEG), "mime_type": "image/jpeg", "sha256": sha256(JPEG)}
	(theirs,) = family["member"].push(update(TYPE, made["client_id"], 1, file_id=upload(family["member"])))
	assert theirs["status"] == "accepted"
	(lost,) = owner.push(update(TYPE, made["client_id"], 1, file_id=second, **other))
	assert lost["status"] == "conflict" and "file_id" in lost["conflict_fields"]
	assert _state(second) == "Used"


def test_the_same_rules_hold_in_the_desk(owner, family):
	(made,) = owner.push(attachment())
	name = frappe.db.get_value(TYPE, {"client_id": made["client_id"]})
	doc = frappe.get_doc(TYPE, name)
	for key in (_foreign(family), _pending(family), "0" * 32):
		doc.file_id = key
		with pytest.raises(frappe.ValidationError, match="file_id"):
			doc.save()
		doc.reload()
	frappe.db.rollback()
	doc.file_id = upload(owner, JPEG, content_type="image/jpeg", filename="a.jpg")
	with pytest.raises(frappe.ValidationError, match="file_size"):
		doc.save()
	doc.reload()
	frappe.db.rollback()
	doc.file_id = key = upload(owner)
	doc.save()
	frappe.db.commit()
	assert _state(key) == "Used" and _pulled(owner, made["client_id"])["file_url"].endswith(key)


def test_a_deleted_attachment_needs_no_file(owner):
	(made,) = owner.push(attachment(file_id=upload(owner)))
	assert owner.push(delete(TYPE, made["client_id"], 1))[0]["status"] == "accepted"


def test_no_statement_a_key(owner):
	"""Two statements for the keys of a batch, one or forty of them."""
	from hisabi_sync.engine.model import ids
	from hisabi_sync.media import use

	space = ids.space("wallet", owner.wallet_id)
	counts = []
	for number in (1, 12):
		keys = {upload(owner): f"record-{number}-{n}" for n in range(number)}
		frappe.db.rollback()
		counts.append(_statements(lambda keys=keys: use.use(keys, space)))
	assert counts == [2, 2]


def _statements(work):
	from benchmarks.count_statements import Counted

	with Counted() as seen:
		work()
	return len(seen)
