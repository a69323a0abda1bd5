"""The endpoints: who may call them, what they answer, and the walls between spaces."""

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.conflicts.conftest import make_person
from tests.conflicts.world import conflict
from tests.support.phone import account, transaction, update

ACTIONS = {
	"conflicts.resolve": {"resolution": "accept_server"},
	"conflicts.dismiss": {"reason": "x"},
	"conflicts.reopen": {},
	"conflicts.resolve_many": {"resolution": "accept_server"},
	"failed_items.retry": {},
	"failed_items.retry_many": {},
	"failed_items.dismiss": {"reason": "x"},
}
READS = {
	"conflicts.read": {},
	"conflicts.form": {},
	"conflicts.list_conflicts": {},
	"failed_items.list_items": {},
}


@pytest.fixture
def clash(phone, second):
	"""(client id, conflict) made by two phones over HTTP."""
	own = account(color="white")
	phone.push(own)
	phone.push(update("Hisabi Account", own["entity_id"], 1, color="red"))
	(result,) = second.push(update("Hisabi Account", own["entity_id"], 1, color="blue", icon="star"))
	return own["entity_id"], result["conflict_id"]


@pytest.fixture
def failing(phone):
	"""Name of an item that failed."""
	item = transaction("nowhere")
	phone.push(item)
	frappe.db.rollback()
	return frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})


def ids_of(clash, failing):
	return {
		"conflict_id": clash[1],
		"conflicts": [clash[1]],
		"item_id": failing,
		"items": [failing],
	}


@pytest.mark.parametrize("method", [*ACTIONS, *READS, "conflicts.job", "conflicts.counts"])
def test_who_is_nobody_here_is_refused(web, nobody, clash, failing, method):
	response = web(nobody)(method, **ids_of(clash, failing), **ACTIONS.get(method, {}), job="x")
	assert (response.status_code, response.json()["error_code"]) == (403, "permission_denied")


@pytest.mark.parametrize("method", ACTIONS)
def test_an_auditor_changes_nothing(web, auditor, clash, failing, method):
	response = web(auditor)(method, **ids_of(clash, failing), **ACTIONS[method])
	assert (response.status_code, response.json()["error_code"]) == (403, "permission_denied")
	assert conflict(clash[1]).status == "Open"


@pytest.mark.parametrize("method", READS)
def test_an_auditor_reads(web, auditor, clash, failing, method):
	assert web(auditor)(method, **ids_of(clash, failing)).status_code == 200


def test_a_conflict_is_read_in_values_of_the_wire(web, auditor, phone, clash):
	client_id, name = clash
	found = web(auditor)("conflicts.read", conflict_id=name).json()["message"]
	assert found["base"] == {"color": "white", "icon": None}
	assert found["server"] == {"color": "red", "icon": None}
	assert found["client"] == {"color": "blue", "icon": "star"}
	assert (found["fields"], found["proposed"]) == (["color"], {"color": "ask", "icon": "client"})
	assert (found["client_id"], found["space"]["space_key"]) == (client_id, phone.wallet_id)
	assert found["current"]["server_record"]["color"] == "red"
	assert found["has_moved_on"] is False and found["opened_at"].endswith("Z")


def test_the_form_has_labels_types_and_who_may_settle(web, auditor, manager, clash):
	forms = {
		user: web(user)("conflicts.form", conflict_id=clash[1]).json()["message"]
		for user in (auditor, manager)
	}
	assert (forms[auditor]["may_settle"], forms[manager]["may_settle"]) == (False, True)
	rows = {row["name"]: row for row in forms[manager]["rows"]}
	color = rows["color"]
	assert (color["label"], color["fieldtype"], color["asked"]) == ("Color", "Data", True)
	assert [color[side] for side in ("base", "server", "client", "current")] == [
		"white",
		"red",
		"blue",
		"red",
	]
	assert rows["account_name"]["asked"] is False and rows["current_balance"]["writable"] is False


def test_a_manager_settles_and_both_phones_pull_the_result(web, manager, phone, second, clash):
	client_id, name = clash
	phone.pull(), second.pull()
	response = web(manager)(
		"conflicts.resolve", conflict_id=name, resolution="manual_merge", keep={"icon": "client"}
	)
	assert response.status_code == 200, response.text
	assert response.json()["message"]["doc_version"] == 3
	for device in (phone, second):
		(item,) = device.pull()
		assert (item["client_id"], item["doc_version"]) == (client_id, 3)
		assert (item["payload"]["color"], item["payload"]["icon"]) == ("red", "star")


def test_a_dry_run_shows_the_merged_record_and_changes_nothing(web, manager, phone, clash):
	client_id, name = clash
	given = {"conflict_id": name, "resolution": "accept_client", "dry_run": True}
	answer = web(manager)("conflicts.resolve", **given).json()["message"]
	assert answer["server_record"]["color"] == "blue"
	assert conflict(name).status == "Open"
	phone.pull()
	assert phone.replica["Hisabi Account", client_id]["doc_version"] == 2


def test_a_record_that_moved_on_is_a_409_with_its_new_state(web, manager, phone, clash):
	client_id, name = clash
	phone.push(update("Hisabi Account", client_id, 2, icon="moon"))
	call = web(manager)
	response = call("conflicts.resolve", conflict_id=name, resolution="accept_client")
	body = response.json()
	assert (response.status_code, body["error_code"], body["retryable"]) == (409, "record_changed", False)
	assert (body["doc_version"], body["server_record"]["icon"]) == (3, "moon")
	confirmed = call("conflicts.resolve", conflict_id=name, resolution="accept_client", version=3)
	assert confirmed.status_code == 200


def test_settling_twice_is_a_409_with_the_earlier_resolution(web, manager, clash):
	call = web(manager)
	call("conflicts.resolve", conflict_id=clash[1], resolution="accept_client", reason="first")
	response = call("conflicts.resolve", conflict_id=clash[1], resolution="accept_server")
	body = response.json()
	assert (response.status_code, body["error_code"]) == (409, "already_settled")
	assert (body["conflict"]["reason"], body["conflict"]["resolved_by"]) == ("first", manager)


def test_conflicts_are_listed_newest_first_with_filters_and_pages(web, auditor, phone, second, clash):
	for _ in range(2):
		second.push(update("Hisabi Account", clash[0], 1, color="black"))
	call, space = web(auditor), ids.space("wallet", phone.wallet_id)
	first = call("conflicts.list_conflicts", space=space, limit=2).json()["message"]
	rest = call("conflicts.list_conflicts", space=space, limit=2, after=first["next"]).json()["message"]
	names = [row["conflict_id"] for row in (*first["conflicts"], *rest["conflicts"])]
	assert (first["has_more"], rest["has_more"], rest["next"]) == (True, False, None)
	assert names == sorted(names, reverse=True) and len(names) == 3 and names[-1] == clash[1]
	none = call("conflicts.list_conflicts", space=space, status=["Resolved", "Dismissed"]).json()["message"]
	assert none["conflicts"] == []


@pytest.mark.parametrize(
	("method", "given"),
	[
		("conflicts.resolve", {"resolution": "whatever"}),
		("conflicts.resolve", {"resolution": ["accept_client"]}),
		("conflicts.resolve", {"resolution": "accept_client", "values": {"color": "x"}}),
		("conflicts.resolve", {"resolution": "manual_merge", "keep": {"color": ["client"]}}),
		("conflicts.resolve", {"resolution": "manual_merge", "keep": "[]"}),
		("conflicts.resolve", {"resolution": "manual_merge", "values": [1]}),
		("conflicts.resolve", {"resolution": "accept_client", "version": "x"}),
		("conflicts.resolve", {"resolution": "accept_client", "reason": {"a": 1}}),
		("conflicts.resolve_many", {"conflicts": [], "resolution": "accept_client"}),
		("conflicts.resolve_many", {"conflicts": [1], "resolution": "accept_client"}),
		("conflicts.resolve_many", {"conflicts": ["x"], "resolution": "manual_merge"}),
		("conflicts.resolve_many", {"conflicts": ["x"], "resolution": "dismiss"}),
		("conflicts.list_conflicts", {"status": {"a": 1}}),
		("conflicts.list_conflicts", {"limit": "x"}),
		("failed_items.retry_many", {"items": "x"}),
		("failed_items.dismiss", {"items": ["x"]}),
	],
)
def test_wrong_arguments_are_a_417_and_never_a_500(web, manager, clash, method, given):
	response = web(manager)(method, **{"conflict_id": clash[1], **given})
	assert response.status_code == 417, response.text
	assert response.json()["retryable"] is False


def test_unknown_conflicts_are_a_404(web, manager):
	call = web(manager)
	for method in ("read", "form", "resolve", "dismiss", "reopen"):
		response = call(f"conflicts.{method}", conflict_id="nonsense", resolution="accept_client", reason="x")
		assert (response.status_code, response.json()["error_code"]) == (404, "not_found")


# --- spaces


@pytest.fixture
def restricted(phone):
	"""A manager who may see only another space than the phone's."""
	other = frappe.get_doc(
		{"doctype": "Sync Space", "space_type": "wallet", "space_key": "elsewhere", "title": "Elsewhere"}
	)
	name = ids.space("wallet", "elsewhere")
	if not frappe.db.exists("Sync Space", name):
		other.insert(set_name=name)
		frappe.db.commit()
	user = make_person("Sync Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Sync Space", "for_value": name}
	).insert()
	frappe.db.commit()
	return user


@pytest.mark.parametrize("method", [m for m in {**ACTIONS, **READS} if "list" not in m and "many" not in m])
def test_a_manager_of_other_spaces_finds_nothing_here(web, restricted, clash, failing, method):
	given = {**ids_of(clash, failing), **ACTIONS.get(method, {})}
	response = web(restricted)(method, **given)
	if response.status_code == 200:  # many at once: each row has its own answer
		(result,) = response.json()["message"]["results"]
		assert result["error_code"] == "not_found"
	else:
		assert (response.status_code, response.json()["error_code"]) == (404, "not_found")
	assert conflict(clash[1]).status == "Open"


def test_many_at_once_go_no_further_than_the_managers_spaces(web, restricted, clash, failing):
	call = web(restricted)
	answers = (
		call("conflicts.resolve_many", conflicts=[clash[1]], resolution="accept_client"),
		call("failed_items.retry_many", items=[failing]),
	)
	for answer in answers:
		assert [r["error_code"] for r in answer.json()["message"]["results"]] == ["not_found"]


@pytest.mark.parametrize(
	"doctype",
	["Sync Conflict", "Sync Item", "Sync Batch", "Sync Record", "Sync Version", "Sync Device", "Sync Space"],
)
def test_lists_and_single_documents_follow_one_rule(restricted, manager, phone, clash, failing, doctype):
	space = ids.space("wallet", phone.wallet_id)
	frappe.db.rollback()
	filters = {
		"Sync Space": {"name": space},
		"Sync Device": {"device_id": phone.device_id},
		"Sync Version": {"record": ["like", f"{space}-%"]},
	}.get(doctype, {"space": space})
	(name, *_) = frappe.get_all(doctype, filters=filters, pluck="name")
	for user, sees in ((restricted, False), (manager, True)):
		frappe.set_user(user)
		assert bool(frappe.get_list(doctype, filters={"name": name})) is sees
		assert bool(frappe.has_permission(doctype, "read", doc=name)) is sees


# --- failed items


def test_a_manager_retries_edits_and_dismisses_over_http(web, manager, phone, failing):
	call = web(manager)
	space = ids.space("wallet", phone.wallet_id)
	(item,) = call("failed_items.list_items", space=space).json()["message"]["items"]
	assert (item["item_id"], item["error_code"]) == (failing, "invalid_link")
	own = account()
	phone.push(own)
	payload = {**item["payload"], "payload": {**item["payload"]["payload"], "account": own["entity_id"]}}
	result = call("failed_items.retry", item_id=failing, payload=payload).json()["message"]
	assert (result["done"], result["status"]) == (True, "accepted")
	assert call("conflicts.counts").status_code == 200, "the session outlives the change of users"
	assert call("failed_items.list_items", space=space).json()["message"]["items"] == []
	refused = call("failed_items.dismiss", items=[failing], reason="x").json()["message"]["results"]
	assert refused[0]["error_code"] == "not_failed"


@pytest.mark.parametrize(
	("method", "argument", "more"),
	[
		("conflicts.resolve_many", "conflicts", {"resolution": "accept_server"}),
		("conflicts.resolve_many", "conflicts", {"resolution": "dismiss", "reason": "x"}),
		("failed_items.retry_many", "items", {}),
		("failed_items.dismiss", "items", {"reason": "x"}),
	],
)
def test_an_unknown_row_among_many_has_its_own_error(web, manager, method, argument, more):
	response = web(manager)(method, **{argument: ["nobody knows me"]}, **more)
	assert response.status_code == 200, response.text
	(result,) = response.json()["message"]["results"]
	assert (result["id"], result["done"], result["error_code"]) == ("nobody knows me", False, "not_found")
