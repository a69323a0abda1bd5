"""What people decide about submissions, singly and many at once."""

from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.desk import bulk

DOCTYPE = "Field Submission"


def decide(row: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
	"""Approve or reject `{id}`; the document's own rules say who decided and when."""
	doc = frappe.get_doc(DOCTYPE, row["id"], for_update=True)
	doc.check_permission("write")
	doc.update(
		{"status": arguments["decision"], "review_comment": arguments["comment"] or doc.review_comment}
	)
	doc.save()
	return {"status": doc.status}


ACTION = bulk.Action(DOCTYPE, bulk.one_by_one(decide), 20)
