"""Uploads in parts: they can be resumed, and repeats and gaps do no harm."""

import pytest

from hisabi_sync.media import local
from tests.media.uploads import picture, presign, put, put_part, refused, sha256

MIB = 1024 * 1024
DATA = picture(3 * MIB + 17)
JPG = {"filename": "a.jpg", "content_type": "image/jpeg"}


def _message(response):
	assert response.status_code == 200, response.text
	return response.json()["message"]


def _ask(url):
	return put(url, b"", {"Content-Range": f"bytes */{len(DATA)}"})


@pytest.fixture
def signed(owner):
	return presign(owner, DATA, **JPG)


def test_parts_make_the_whole(signed):
	for first in range(0, len(DATA), MIB):
		last = _message(put_part(signed["upload_url"], DATA, first, min(first + MIB, len(DATA))))
	assert last["state"] == "uploaded" and last["sha256"] == sha256(DATA)
	assert local.path(signed["key"]).read_bytes() == DATA
	refused(put_part(signed["upload_url"], DATA, 0, MIB), 403, "url_used")
	refused(_ask(signed["upload_url"]), 403, "url_used")


def test_a_lost_answer_and_a_gap(signed):
	url = signed["upload_url"]
	assert _message(_ask(url))["received"] == 0
	assert _message(put_part(url, DATA, 0, MIB))["received"] == MIB
	assert _message(put_part(url, DATA, 0, MIB))["received"] == MIB
	assert refused(put_part(url, DATA, 2 * MIB, 3 * MIB), 409, "offset_mismatch")["received"] == MIB
	assert _message(_ask(url))["received"] == MIB
	assert _message(put_part(url, DATA, MIB - 5, 3 * MIB))["received"] == 3 * MIB
	assert _message(put_part(url, DATA, 3 * MIB, len(DATA)))["state"] == "uploaded"
	assert local.path(signed["key"]).read_bytes() == DATA


def test_a_whole_body_replaces_the_parts(signed):
	put_part(signed["upload_url"], DATA[::-1], 0, MIB)
	assert _message(put(signed["upload_url"], DATA))["state"] == "uploaded"
	assert local.path(signed["key"]).read_bytes() == DATA


def test_a_damaged_part_is_found_at_the_end(signed):
	put_part(signed["upload_url"], DATA, 0, MIB)
	put_part(signed["upload_url"], b"x" * len(DATA), MIB, 2 * MIB)
	refused(put_part(signed["upload_url"], DATA, 2 * MIB, len(DATA)), 417, "media_checksum_mismatch")
	assert not local.path(signed["key"]).exists()


@pytest.mark.parametrize(
	"header,code",
	[
		("bytes 0-9", "invalid_range"),
		("bytes 0-9/*", "invalid_range"),
		("bytes 9-0/3145745", "invalid_range"),
		("bytes 3145745-3145745/3145745", "invalid_range"),
		("bytes 0-11/3145745", "invalid_range"),
		("chunks 0-9/10", "invalid_range"),
		("bytes 0-9/10", "media_size_mismatch"),
		("bytes 0-9/999999999999", "media_too_large"),
	],
)
def test_bad_ranges(signed, header, code):
	body = refused(
		put(signed["upload_url"], b"0123456789", {"Content-Range": header}),
		413 if "large" in code else 417,
		code,
	)
	assert body["retryable"] is False


def test_a_new_url_goes_on_where_the_old_one_ended(owner, family, signed):
	put_part(signed["upload_url"], DATA, 0, 2 * MIB)
	given = {"wallet_id": owner.wallet_id, "key": signed["key"]}
	refused(family["member"].call("media.presign", given), 404, "not_found")
	renewed = owner.call("media.presign", given).json()["message"]
	assert renewed["received"] == 2 * MIB and renewed["upload_url"] != signed["upload_url"]
	assert _message(put_part(renewed["upload_url"], DATA, 2 * MIB, len(DATA)))["state"] == "uploaded"
	refused(owner.call("media.presign", given), 403, "url_used")
