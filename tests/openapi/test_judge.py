"""What the test server's judge sees: it reads every answer of the suite, so it has to be able to say no."""

import json

import pytest

from tests.support import answers

PATH = "/api/method/hisabi.sync_ack"
RIGHT = {"acknowledged": True, "server_time": "2026-03-01T10:00:00Z"}
ERROR = {"error": "not_found", "error_code": "not_found", "message": "Not found", "retryable": False}


def verdict(status, body, path=PATH):
	return answers.judge(answers.find("post", path), status, json.dumps(body).encode())


def test_a_right_answer_passes():
	assert verdict("200", {"message": RIGHT}) is None
	assert verdict("404", ERROR) is None


@pytest.mark.parametrize(
	("status", "body"),
	[
		("200", RIGHT),
		("200", {"message": {"acknowledged": True}}),
		("200", {"message": {**RIGHT, "more": 1}}),
		("200", {"message": {**RIGHT, "server_time": "yesterday"}}),
		("200", {"message": {**RIGHT, "acknowledged": 1}}),
		("404", {**ERROR, "error_code": "nonsense"}),
		("404", {**ERROR, "retryable": True}),
		("417", ERROR),
		("404", {"exc_type": "DoesNotExistError"}),
		("418", ERROR),
	],
)
def test_a_wrong_answer_is_seen(status, body):
	assert verdict(status, body)


def test_a_path_with_words_in_it_is_found_and_its_answer_is_bare():
	assert verdict("200", RIGHT, "/api/v1/mobile/sync/ack") is None
	assert verdict("200", {"message": RIGHT}, "/api/v1/mobile/sync/ack")
	assert answers.find("post", "/api/v1/mobile/conflicts/a%20b/resolve")
	assert answers.find("get", "/api/v1/mobile/sync/ack") is None
