"""The schema of the site contract: what a user may see and do, in the forms that clients take."""

import frappe
import jsonschema_rs
import pytest

from hisabi_sync.api.site import depends_on, schemas
from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_tenant, new_user
from tests.site.app import create, new_device, tenant_device
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

FULL = {"submit": 1, "cancel": 1, "amend": 1}


@pytest.fixture(scope="module")
def sheet(site):
	"""A DocType made in the Desk: rows, a choice, levels, links, a field that depends on another, and an action."""
	name = new_id("Sheet").replace("-", " ")
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name))
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1, actions=[{"action": "submit"}])
	yield name
	doctypes.remove(name, f"{name} Row")


def _make(name):
	roles = [permission("Hisabi User", submit=1, delete=0), permission("System Manager", **FULL)]
	roles.append(permission("System Manager", permlevel=1))
	doctypes.make(f"{name} Row", columns(("item", "Data"), ("rate", "Currency")), istable=1)
	fields = columns(
		"tenant",
		("state", "Select", "Open\nClosed"),
		("amount", "Currency"),
		("person", "Link", "User"),
		("is_late", "Check"),
		("rows", "Table", f"{name} Row"),
	)
	fields += [
		doctypes.column("why", "Small Text", depends_on="eval:doc.state=='Closed'"),
		doctypes.column("cost", "Currency", permlevel=1),
		doctypes.column("total", "Float", read_only=1),
	]
	doctypes.make(name, fields, is_submittable=1, permissions=roles)


@pytest.fixture
def device(server, site, sheet):
	return tenant_device(server, site)


def schema(device, **params):
	response = device.get("schema", **params)
	assert response.status_code == 200, response.text
	return response.json()


def of(answer, name):
	(found,) = [one for one in answer["types"] if one["type"] == name]
	return found


def fields(described):
	return {field["name"]: field for field in described["fields"]}


def test_a_type_says_what_its_fields_are(device, sheet):
	found = of(schema(device), sheet)
	seen = fields(found)
	assert {name: seen[name]["kind"] for name in seen} == {
		"state": "choice",
		"amount": "decimal",
		"person": "link",
		"amended_from": "link",
		"is_late": "check",
		"why": "text",
		"total": "decimal",
	}
	assert [one["value"] for one in seen["state"]["options"]] == ["Open", "Closed"]
	assert seen["person"]["link"] == {"doctype": "User", "synced": False}
	assert seen["why"]["depends_on"] == {"field": "state", "operator": "=", "value": "Closed"}
	assert (seen["total"]["read_only"], seen["amount"]["read_only"]) == (True, False)
	(table,) = found["tables"]
	assert [column["name"] for column in table["fields"]] == ["item", "rate"]


def test_what_the_user_may_not_see_or_do_is_not_offered(device, sheet):
	found = of(schema(device), sheet)
	assert "cost" not in fields(found)
	assert found["may"] == {
		"create": True,
		"write": True,
		"delete": False,
		"print": True,
		"actions": ["submit"],
	}
	assert found["actions"] == ["submit"]


def test_what_the_schema_allows_a_push_takes(device, sheet):
	seen = fields(of(schema(device), sheet))
	values = {"text": "x", "decimal": 1.5, "check": 1, "choice": "Open", "link": device.user}
	sent = {name: values[one["kind"]] for name, one in seen.items() if not one["read_only"]}
	(result,) = device.push(create(sheet, **sent, rows=[{"item": "a", "rate": 2}]))
	assert result["status"] == "accepted" and "adjusted" not in result, result
	device.pull()
	held = device.held[sheet, result["id"]]["values"]
	assert held.keys() - {"rows"} == seen.keys()


def test_a_viewer_is_offered_nothing_to_do(server, site, sheet):
	user = new_user()
	join(new_tenant(), user, "viewer")
	found = of(schema(new_device(server, site, user)), sheet)
	assert found["may"] == {"create": False, "write": False, "delete": False, "print": True, "actions": []}


def test_types_of_spaces_of_others_are_not_told(server, site, sheet):
	answer = schema(new_device(server, site, new_user()))
	assert answer["types"] == []


def test_what_changed_since_a_version_is_told(device, sheet):
	before = schema(device)
	assert schema(device, since=before["version"])["types"] == []
	doc = frappe.get_doc("DocType", sheet)
	doc.append("fields", doctypes.column("remark"))
	doc.save()
	frappe.db.commit()
	after = schema(device, since=before["version"])
	assert [one["type"] for one in after["types"]] == [sheet]
	assert after["version"] != before["version"] and after["removed"] == []
	assert "remark" in fields(of(after, sheet))


def test_a_type_that_is_gone_is_told_by_its_name(device, sheet):
	before = schema(device)
	entity = frappe.get_doc("Sync Entity", sheet)
	entity.enabled = 0
	entity.save()
	frappe.db.commit()
	after = schema(device, since=before["version"])
	entity.enabled = 1
	entity.save()
	frappe.db.commit()
	assert (after["removed"], after["types"]) == ([sheet], [])


def test_labels_are_in_the_language_of_the_user(device, sheet):
	entry = {"doctype": "Translation", "language": "ar", "source_text": "Closed", "translated_text": "مغلق"}
	made = frappe.get_doc(entry).insert()
	frappe.db.set_value("User", device.user, "language", "ar")
	frappe.db.commit()
	options = fields(of(schema(device), sheet))["state"]["options"]
	frappe.delete_doc("Translation", made.name)
	frappe.db.commit()
	assert options[1] == {"value": "Closed", "label": "مغلق"}


@pytest.mark.parametrize("version", ["x", "A" * 5000, "eJwDAAAAAAE", "é", "W10"])
def test_a_version_that_is_none_tells_everything(device, sheet, version):
	response = device.call("schema", {"since": version})
	assert response.status_code == 200, response.text
	assert of(response.json(), sheet)


def test_a_version_that_is_too_long_is_refused(device):
	response = device.call("schema", {"since": "A" * (schemas.LONGEST + 1)})
	assert (response.status_code, response.json()["error_code"]) == (400, "invalid_argument")


def test_a_version_that_unpacks_to_very_much_is_none():
	assert schemas.read_version(schemas.write_version({"x" * 2_000_000: "1"}, 0)) == {}


def test_an_unknown_form_is_refused(device):
	answer = device.get("schema", **{"for": "cobol"})
	assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_argument")


def test_rxdb_gets_collections_with_a_key_and_no_unions(device, sheet):
	made = schema(device, **{"for": "rxdb"})["schema"][frappe.scrub(sheet)]["schema"]
	assert (made["primaryKey"], made["required"], made["version"]) == ("id", ["id"], 0)
	assert made["properties"]["id"]["maxLength"] == 140
	assert made["properties"]["is_late"] == {"type": "boolean"}
	kinds = {type(shape.get("type")) for shape in made["properties"].values()}
	assert kinds == {str}
	assert made["properties"]["rows"]["items"]["properties"]["rate"] == {"type": "number"}


def test_watermelon_gets_tables_with_columns(device, sheet):
	made = schema(device, **{"for": "watermelon"})["schema"]
	(table,) = [one for one in made["tables"] if one["name"] == frappe.scrub(sheet)]
	columns = {column["name"]: column for column in table["columns"]}
	assert columns["amount"] == {"name": "amount", "type": "number", "isOptional": True}
	assert columns["person"]["isIndexed"] and columns["rows"]["type"] == "string"


def test_the_values_of_a_pull_fit_the_json_schema(device, sheet):
	device.push(create(sheet, state="Open", amount=2.5, rows=[{"item": "a", "rate": 1}]))
	device.pull()
	made = schema(device, **{"for": "jsonschema"})["schema"]
	held = [one for (kind, _), one in device.held.items() if kind == sheet]
	for record in held:
		jsonschema_rs.validator_for(made[sheet]).validate(record["values"])
	assert held and made[sheet]["properties"]["amount"]["type"] == ["number", "null"]


def test_typescript_is_typescript(device, sheet, tmp_path):
	text = schema(device, **{"for": "typescript"})["schema"]
	name = sheet.title().replace(" ", "")
	assert f'"{sheet}": ' in text and "export interface " in text and name
	assert '  state?: "Open" | "Closed" | null;' in text
	assert "  readonly total?: number | null;" in text


@pytest.mark.parametrize(
	("text", "read"),
	[
		(None, None),
		("state", {"field": "state", "operator": "set"}),
		("eval:doc.state", {"field": "state", "operator": "set"}),
		("eval: !doc.is_late", {"field": "is_late", "operator": "not set"}),
		('eval:doc.kind == "A b"', {"field": "kind", "operator": "=", "value": "A b"}),
		("eval:doc.n!=3;", {"field": "n", "operator": "!=", "value": 3}),
		("eval:in_list(['A', \"B\"], doc.kind)", {"field": "kind", "operator": "in", "value": ["A", "B"]}),
		("eval:['A','B'].includes(doc.kind)", {"field": "kind", "operator": "in", "value": ["A", "B"]}),
		("eval:doc.a && doc.b", {"expression": True}),
		("eval:[" + "1 " * 400 + "x", {"expression": True}),
	],
)
def test_a_simple_condition_is_plain_data(text, read):
	assert depends_on.read(text) == read
