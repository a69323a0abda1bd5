"""The form of a Sync Space Type says what cannot be."""

import frappe
import pytest

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.hisabi_sync.doctype.sync_entity.sync_entity import unserved
from tests.sharing.world import (
	CREW,
	REGION,
	REP,
	ROLE,
	SEAT,
	VISIT,
	by_permission,
	by_rep,
	by_role,
	kind,
	rule,
)
from tests.support import doctypes
from tests.support.phone import new_id

OF_USERS = {"key_kind": "User", "key_doctype": None}
REFUSED = {
	"no role": ([rule("Users with a role")], {}, "Name the role"),
	"their user": ([rule("The user")], {}, "Only spaces of users"),
	"no document": ([rule("Named in documents", user_path="user")], {}, "Name the DocType"),
	"rows": ([by_rep(source_doctype=SEAT)], {}, "holds rows of other documents"),
	"one document": ([by_rep(source_doctype="System Settings")], {}, "has no documents in a table"),
	"no such field": ([by_rep(user_path="nobody")], {}, f"{REP} has no field nobody"),
	"no link": ([by_rep(user_path="team.user")], {}, f"team is neither a link nor a table of {REP}"),
	"an empty part": ([by_rep(user_path="user.")], {}, "User has no field"),
	"no user": ([by_rep(user_path="region")], {}, f"region of {REP} does not name a User"),
	"no key": ([by_rep(key_path="user")], {}, f"user of {REP} does not name a {REGION}"),
	"a table at the end": ([by_rep(source_doctype=CREW, user_path="seats")], {}, "does not name a User"),
	"no such space": ([by_role(key="nowhere")], {}, f"There is no {REGION} nowhere"),
	"a path of permissions": ([by_permission(key_path="region_name.x")], {}, "neither a link nor a table"),
	"a table for spaces": ([], {"key_doctype": SEAT}, "no documents of its own"),
	"no DocType": ([], {"key_doctype": None}, "no documents of its own"),
	"a name": ([], {"name": "Sales Team"}, "is no name for a space type"),
	"wallets": ([], {"name": "wallet"}, "decided by the documents of its app"),
	"families": ([], {"name": "family"}, "decided by the documents of its app"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(case):
	rules, values, said = REFUSED[case]
	with pytest.raises(frappe.ValidationError, match=said):
		kind(*rules, **values)


def test_what_a_kind_of_rule_does_not_use_is_cleared():
	sales = kind(by_role(user_path="nobody", source_doctype=REP), rule("The user", role=ROLE), **OF_USERS)
	rows = frappe.get_all(
		"Sync Membership Rule", {"parent": sales}, ["user_path", "source_doctype", "role"], order_by="idx"
	)
	assert [tuple(row.values()) for row in rows] == [(None, None, ROLE), (None, None, None)]


def test_tenants_may_have_rules_too():
	with pytest.raises(frappe.ValidationError, match="Only spaces of users"):
		kind(rule("The user"), name="tenant")


def test_a_type_that_somebody_made_is_served_by_a_contract():
	name = new_id("sales").lower()
	assert "only the site contract serves" in unserved(name)
	kind(name=name)
	assert unserved(name) == ""


def test_documents_that_decide_are_saved_one_by_one():
	"""Statements that write many rows run no hooks, by which memberships follow."""
	sales = kind(by_rep(source_doctype=VISIT, user_path="owner"))
	doctypes.sync(VISIT, sales, "region", write_mode="Auto")
	entity = registry().by_doctype[VISIT]
	assert ("members", (sales,)) in entity.slow
	frappe.delete_doc("Sync Entity", entity.name)
	frappe.db.commit()
