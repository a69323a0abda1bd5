"""What people decide about submissions, singly and many at once."""

import frappe

from hisabi_sync.engine import bulk

DOCTYPE = "Field Submission"


def decide(row, arguments):
	"""Approve or reject `{id}`; the document's own rules say who decided and when."""
	doc = frappe.get_doc(DOCTYPE, row["id"], for_update=True)
	doc.check_permission("write")
	doc.update(
		{"status": arguments["decision"], "review_comment": arguments["comment"] or doc.review_comment}
	)
	doc.save()
	return {"status": doc.status}


ACTION = bulk.Action(DOCTYPE, bulk.one_by_one(decide), 20)
