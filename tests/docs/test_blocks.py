"""Everything in the documents that looks as if it could be run, is."""

import json
import re
import subprocess
import sys

import frappe
import jsonschema_rs
import pytest
import requests
from frappe.utils.background_jobs import get_redis_conn

from devtool import system
from devtool.cli import COMMANDS
from hisabi_sync import commands, hooks
from hisabi_sync.api.protocol import routes
from hisabi_sync.live import settings as live_settings
from tests.docs.blocks import DOCUMENTS, ROOT, all_blocks, blocks
from tests.support import answers, codes
from tests.support.phone import new_id

METHODS = "/api/method/"
# Part of a path -> whose credential opens it; all others are the wallet's.
CONTRACTS = {"/mobile/": "mobile", "/offline/": "site"}
# What is settled or edited step by step is a new record in every run on the same site.
ANEW = ("guide-meter", "GUIDE-7", "guide-split", "offline-meter", "offline-op", "OFFLINE")
# What is different in every answer.
VARYING = set(
	"server_modified server_time cursor next_cursor conflict_id batch_id processed_at server_sync_token resolved_at".split()
)
# Commands of Frappe's and of the machine's that the documents name; the rest are looked up.
BENCH = {
	"get-app",
	"install-app",
	"uninstall-app",
	"backup",
	"restore",
	"migrate",
	"update",
	"setup",
	"build",
	"set-maintenance-mode",
	"set-config",
	"clear-cache",
	"enable-scheduler",
	"worker",
	"schedule",
}
MACHINE = {"pipx", "pre-commit", "gunicorn", "redis-cli", "mariadb", "mariadb-binlog", "cd", "curl"}
# What a reader is told who follows a document for the second time on the same site.
REPEATED = {"idempotency_key_used"}
# What it makes is taken away again by its own test.
GUIDE = "docs/own-doctypes.md"
SHELL = [block for block in all_blocks("sh") if "curl" in block.text and block.document != GUIDE]
LISTED = [block for block in all_blocks("sh") if "curl" not in block.text and block.document != GUIDE]
# What is said of a replica is done by tests/replica.
ON_A_PAIR = ("on the primary", "on the replica")
CHECKED = {"json", "sh", "python", "sql", "ini", "conf", "nginx", "js", "mermaid", "text"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_is_of_a_kind_that_is_checked(document):
	found = blocks(document)
	assert {block.language for block in found} <= CHECKED
	fences = re.findall(r"^[ \t]*(?:```|~~~)", (ROOT / document).read_text(), re.M)
	assert len(fences) == 2 * len(found), "a fence without a language is not run by any test"


# --- JSON


def requested(info, block, path, known):
	"""The answer to a request of a document, sent as the demo's device. `known` maps printed ids to those answered."""
	contract = next((name for part, name in CONTRACTS.items() if part in path), "wallet")
	headers = {"Authorization": info["credentials"][contract], "X-Frappe-Site-Name": info["site"]}
	given = json.loads(actual(block.text, known))
	schema = answers.document()["paths"][documented(path)]["post"]["requestBody"]["content"][
		"application/json"
	]
	words = {**schema["schema"], "components": answers.document()["components"]}
	jsonschema_rs.Draft202012Validator(words).validate(given)
	return requests.post(f"{info['url']}{actual(path, known)}", json=given, headers=headers, timeout=60)


def actual(text, known):
	"""A text of the document with the ids that the server gave in the place of the printed ones."""
	for printed, answered in known.items():
		text = text.replace(printed, answered)
	return text


def documented(path):
	"""The path as the OpenAPI document has it, with a name in braces for what varies."""
	shapes = {shape: re.sub(r"\{\w+\}", "[^/]+", shape) for shape in answers.document()["paths"]}
	return next(shape for shape, pattern in shapes.items() if re.fullmatch(pattern, path))


def unlike(printed, given, name=""):
	"""Where an answer is not as it is printed."""
	if isinstance(printed, dict):
		missing = [f"{name}.{key} is missing" for key in printed if key not in (given or {})]
		return missing or [
			line for key in printed for line in unlike(printed[key], given[key], f"{name}.{key}")
		]
	if isinstance(printed, list):
		pairs = zip(printed, given, strict=True)
		return [line for i, pair in enumerate(pairs) for line in unlike(*pair, f"{name}[{i}]")]
	varies = name.rpartition(".")[2] in VARYING and isinstance(given, str)
	return [] if varies or printed == given else [f"{name}: {printed!r} is printed, {given!r} was answered"]


@pytest.mark.parametrize(
	"document", [name for name in DOCUMENTS if any(b.language == "json" for b in blocks(name))]
)
def test_requests_are_answered_as_printed(info, document):
	answer, path, known = None, None, {name: new_id(name) for name in ANEW}
	for block in [block for block in blocks(document) if block.language == "json"]:
		kind, _, rest = block.about.partition(" ")
		printed = json.loads(block.text)
		if kind == "request":
			named, _, step = rest.partition(" after ")
			path = named if named.startswith("/") else METHODS + named
			if step:
				given = json.loads(actual(block.text, known))
				STEPS[step]((given.get("items") or given["changes"])[0])
			answer = requested(info, block, path, known)
			assert answer.status_code == 200, (str(block), answer.text)
		elif kind == "answer":
			problem = answers.judge((documented(path), "post"), "200", json.dumps(printed))
			assert not problem, (str(block), problem)
			known |= given_ids(printed, answer.json())
			known |= given_rows(json.loads(actual(block.text, known)), answer.json())
			printed = json.loads(actual(block.text, known))
			different = [] if rest == "in kind" else unlike(printed, answer.json())
			assert not different, (different, answer.text)
		elif kind == "error":
			check_error(printed, *rest.split())
		else:
			assert kind == "config" and isinstance(printed, dict), f"{block}: say in a comment what this is"


def given_ids(printed, given):
	"""{id as it is printed: as it was answered} of what the server names."""
	bodies = (body.get("message", body) for body in (printed, given))
	pairs = list(zip(*(body.get("results", ()) for body in bodies), strict=False))
	names = [
		(name, said, got) for said, got in pairs for name in ("conflict_id", "server_id") if said.get(name)
	]
	conflicts = [(said["conflict"], got["conflict"]) for said, got in pairs if said.get("conflict")]
	return {
		**{said[name]: got[name] for name, said, got in names},
		**{said["id"]: got["id"] for said, got in conflicts},
	}


def made_green(item):
	"""Somebody in the Desk changes the account of an item."""
	frappe.db.rollback()
	account = frappe.get_doc("Hisabi Account", {"client_id": item["entity_id"]})
	account.color = "green"
	account.save()
	frappe.db.commit()


def read_51(item):
	"""Somebody in the Desk reads the meter of an item."""
	read(item["payload"]["id"], 51)


def read(meter, reading):
	frappe.db.rollback()
	meter = frappe.get_doc("Field Meter", {"client_id": meter})
	meter.reading = reading
	meter.save()
	frappe.db.commit()


def read_52(change):
	"""Somebody in the Desk reads the meter of a change of the site contract."""
	read(change["id"], 52)


def given_rows(printed, given):
	"""{name of a row as it is printed: as it was answered} of the records that a pull brings."""
	records = [
		{item["entity_id"]: item["payload"] for item in items} for items in map(pulled, (printed, given))
	]
	return {
		row["name"]: held["name"]
		for record, payload in records[0].items()
		for field, rows in payload.items()
		if isinstance(rows, list)
		for row, held in zip(rows, records[1][record][field], strict=True)
	}


def pulled(body):
	return [item for item in body.get("message", body).get("items", ()) if item["payload"]]


# What happens before a request, in the words of its comment.
STEPS = {
	"somebody else made it green": made_green,
	"somebody else read 51": read_51,
	"somebody else read 52": read_52,
}


def check_error(printed, status, code):
	assert not answers.judge((METHODS + "hisabi.sync_pull", "post"), status, json.dumps(printed))
	known = {"wallet_access_denied": "space_access_denied"}.get(code, code)
	assert (int(status), printed["message"], printed["retryable"]) == codes.requests()[known]
	assert printed["error_code"] == code


# --- commands


@pytest.mark.parametrize("document", sorted({block.document for block in SHELL}))
def test_what_calls_the_server_works_as_printed(shell, document):
	"""The blocks of a document one after another, as a reader types them."""
	folder, env = shell
	lines = "\n".join(block.text for block in SHELL if block.document == document)
	run = ["bash", "-e", "-c", lines]
	finished = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
	assert finished.returncode == 0, finished.stderr
	assert "<html" not in finished.stdout.lower()
	refused = {said["error_code"] for said in said_in(finished.stdout) if "retryable" in said}
	assert refused <= REPEATED, finished.stdout


def said_in(text):
	"""The JSON objects that were printed, at least one; refusals have `retryable`."""
	found, decoder = [], json.JSONDecoder()
	while text.strip():
		text = text.lstrip()
		if text[0] != "{":  # what a block prints in words
			text = text.partition("\n")[2]
			continue
		said, end = decoder.raw_decode(text)
		error = said.get("error")
		found.append({**said, "error_code": error["code"], **error} if isinstance(error, dict) else said)
		text = text[end:]
	assert found
	return found


def commands_in(text):
	for line in re.sub(r"\\\n", " ", text).splitlines():
		for part in re.split(r"&&|\|\|?|;", line.partition(" #")[0].removeprefix("#")):
			if part.strip():
				yield part.split()


OWN = {command.name for command in commands.commands}


@pytest.mark.parametrize("block", LISTED, ids=str)
def test_commands_exist(block):
	for first, *rest in commands_in(block.text):
		if first == "./dev":
			assert rest[0] in COMMANDS, rest
		elif first == "bench":
			named = next(word for word in rest[2 if rest[0] == "--site" else 0 :])
			assert named in OWN | BENCH, rest
		else:
			assert first in MACHINE or (ROOT / first).exists() or first.startswith(".dev/env/bin/"), first


def test_every_command_of_the_site_is_documented():
	text = (ROOT / "docs" / "operations.md").read_text()
	assert not [name for name in OWN - {"hisabi-demo-site"} if f"`{name}" not in text]


@pytest.mark.parametrize(
	"block", [b for b in all_blocks("python") if b.document == "docs/clients.md"], ids=str
)
def test_the_programs_of_the_client_guide_run(shell, block):
	folder, env = shell
	(folder / "guide.py").write_text(block.text)
	finished = subprocess.run(
		[sys.executable, "guide.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=120
	)
	assert finished.returncode == 0, finished.stderr
	assert finished.stdout.startswith(("Badr wanted blue", "The receipt is accepted")), finished.stdout


@pytest.mark.parametrize(
	"block", [b for b in all_blocks("python") if b.document != "docs/clients.md"], ids=str
)
def test_python_in_the_documents_is_python(block):
	compile(
		block.text.replace("...", "None: None,") if "POLICIES = {" in block.text else block.text,
		str(block),
		"exec",
	)


# --- settings


def settings(block):
	lines = [line.partition("#")[0].strip() for line in block.text.splitlines()]
	return [line for line in lines if line and not line.startswith("[")]


@pytest.mark.skipif(not system.executable("mariadbd"), reason="the server is not on this machine")
@pytest.mark.parametrize("block", all_blocks("ini"), ids=str)
def test_mariadb_takes_the_settings_that_are_named(block, tmp_path):
	"""The server reads a file of settings before it tells what it would start with."""
	settings_file = tmp_path / "my.cnf"
	settings_file.write_text(block.text)
	command = [system.executable("mariadbd"), f"--defaults-file={settings_file}", "--verbose", "--help"]
	finished = subprocess.run(
		[*command, f"--datadir={tmp_path}"], capture_output=True, text=True, timeout=60, cwd=tmp_path
	)
	assert finished.returncode == 0 and "[ERROR]" not in finished.stderr, finished.stderr


@pytest.mark.parametrize("block", all_blocks("conf"), ids=str)
def test_redis_has_the_settings_that_are_named(block):
	for line in settings(block):
		assert get_redis_conn().config_get(line.split()[0]), line


@pytest.mark.parametrize("block", [b for b in all_blocks("sql") if b.about not in ON_A_PAIR], ids=str)
def test_queries_run(block):
	for query in filter(None, (part.strip() for part in block.text.split(";"))):
		frappe.db.sql(query.replace("%", "%%"))


@pytest.mark.parametrize("document", [*DOCUMENTS, "CHANGELOG.md"])
def test_links_lead_somewhere(document):
	for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", (ROOT / document).read_text()):
		path = (ROOT / document).parent / target if target else ROOT / document
		assert path.exists(), target
		assert not anchor or anchor in headings(path), (target, anchor)


def headings(path):
	"""The anchors of a document's headings."""
	found = [line for line in path.read_text().splitlines() if line.startswith("#")]
	return {re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in found}


def test_the_guide_names_how_long_each_log_is_kept():
	text = (ROOT / "docs/operations.md").read_text()
	lines = [line for line in text.splitlines() if "| Log Settings |" in line]
	for doctype, days in hooks.default_log_clearing_doctypes.items():
		assert [line for line in lines if doctype in line and f"| {days} days |" in line], doctype


# --- nginx and JavaScript


def test_nginx_sends_streams_to_the_process_and_nothing_else():
	(block,) = [b for name in DOCUMENTS for b in blocks(name) if b.language == "nginx"]
	pattern = re.search(r"location ~ (\S+) \{", block.text)[1]
	paths = {route.partition(" ")[2] for route in routes.ROUTES}
	streams = {path for path in paths if path.endswith(("/events", "/pullStream"))}
	assert {path for path in paths if re.search(pattern, path)} == streams
	assert block.text.count("{") == block.text.count("}")
	assert f":{live_settings.PORT};" in block.text


@pytest.mark.parametrize("document", [n for n in DOCUMENTS if any(b.language == "js" for b in blocks(n))])
def test_javascript_is_javascript(document, tmp_path):
	for number, block in enumerate(b for b in blocks(document) if b.language == "js"):
		program = tmp_path / f"{number}.mjs"
		program.write_text(block.text)
		done = subprocess.run(["node", "--check", program], capture_output=True, text=True, timeout=60)
		assert done.returncode == 0, done.stderr
