"""The site with an S3 backend: a server of its own that checks signatures, and what a device does with it."""

import socket
import subprocess
import sys
from pathlib import Path

import boto3
import frappe
import pytest
import requests

from tests.media.uploads import PNG, presign
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
BUCKET, KEYS = "media", {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
SETTINGS = {
	"media_backend": "S3",
	"s3_bucket": BUCKET,
	"s3_region": "us-east-1",
	"s3_prefix": "hisabi/",
	"s3_access_key": "key",
	"s3_secret_key": "secret",
}


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
	"""Address of a server of its own, with an empty bucket."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		port = probe.getsockname()[1]
	log = (tmp_path_factory.mktemp("s3") / "s3.log").open("wb")
	command = [sys.executable, "-m", "tests.media.s3_server", str(port)]
	process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
	address = f"http://127.0.0.1:{port}"
	_wait(address)
	boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(Bucket=BUCKET)
	yield address
	process.terminate()
	process.wait(30)
	log.close()


def _wait(address):
	def answers():
		try:
			return requests.get(address, timeout=5) is not None
		except requests.ConnectionError:
			return False

	until(answers, 30)


@pytest.fixture
def bucket(s3_server):
	"""The site stores media in S3 for one test."""
	settings = frappe.get_single("Sync Settings")
	before = {name: settings.get(name) for name in (*SETTINGS, "s3_endpoint")}
	set_s3({**SETTINGS, "s3_endpoint": s3_server})
	yield boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1", **KEYS)
	set_s3({**before, "media_backend": "Local"})


def set_s3(values):
	frappe.db.rollback()
	settings = frappe.get_single("Sync Settings")
	settings.update(values)
	settings.save()
	frappe.db.commit()
	# Somebody may have read the old settings between the two.
	frappe.clear_document_cache("Sync Settings", "Sync Settings")


def s3_put(signed, data, headers=None):
	return requests.put(
		signed["upload_url"], data=data, headers={**signed["headers"], **(headers or {})}, timeout=30
	)


def s3_names(bucket):
	return {found["Key"] for found in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ())}


def s3_upload(phone, data=PNG, **given):
	"""The key of an object that was uploaded."""
	signed = presign(phone, data, **given)
	answer = s3_put(signed, data)
	assert answer.status_code == 200, answer.text
	return signed["key"]
