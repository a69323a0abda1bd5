"""Which of Frappe's own calls `guarded` protects: those that check no permission on the document, or not first."""

MODULE = "hisabi_sync.guards.guarded."
NEW = "new-"  # how Frappe names documents of forms that are not saved yet
# Call -> arguments with the DocType and the name of the document that it is about.
READS = {
	"frappe.client.has_permission": ("doctype", "docname"),
	"frappe.client.get_doc_permissions": ("doctype", "docname"),
	"frappe.share.get_users": ("doctype", "name"),
	"frappe.desk.like.toggle_like": ("doctype", "name"),
	"frappe.desk.doctype.tag.tag.add_tag": ("dt", "dn"),
	"frappe.desk.doctype.tag.tag.remove_tag": ("dt", "dn"),
	"frappe.desk.form.assign_to.add": ("doctype", "name"),
	"frappe.desk.form.document_follow.follow_document": ("doctype", "doc_name"),
	"frappe.desk.form.document_follow.update_follow": ("doctype", "doc_name"),
	"frappe.desk.form.document_follow.get_follow_users": ("doctype", "doc_name"),
	"frappe.desk.form.utils.add_comment": ("reference_doctype", "reference_name"),
	"frappe.automation.doctype.auto_repeat.auto_repeat.make_auto_repeat": ("doctype", "docname"),
	"frappe.client.rename_doc": ("doctype", "old_name"),
	"frappe.model.document.unlock_document": ("doctype", "name"),
	"frappe.model.rename_doc.update_document_title": ("doctype", "docname"),
	"frappe.printing.page.print.print.get_print_settings_to_show": ("doctype", "docname"),
	"frappe.templates.includes.comments.comments.add_comment": ("reference_doctype", "reference_name"),
	"frappe.templates.includes.likes.likes.like": ("reference_doctype", "reference_name"),
	"frappe.utils.file_manager.add_attachments": ("doctype", "name"),
	"frappe.www.printview.get_html_and_style": ("doc", "name"),
	"frappe.www.printview.get_rendered_raw_commands": ("doc", "name"),
	"upload_file": ("doctype", "docname"),
	"frappe.handler.upload_file": ("doctype", "docname"),
}
# The same where the second argument is a list of names.
MANY = {
	"frappe.automation.doctype.assignment_rule.assignment_rule.bulk_apply": ("doctype", "docnames"),
	"frappe.desk.doctype.bulk_update.bulk_update.submit_cancel_or_update_docs": ("doctype", "docnames"),
	"frappe.desk.doctype.tag.tag.add_tags": ("dt", "docs"),
	"frappe.desk.form.assign_to.add_multiple": ("doctype", "name"),
	"frappe.desk.reportview.delete_items": ("doctype", "items"),
	"frappe.model.workflow.bulk_workflow_approval": ("doctype", "docnames"),
}
# Call -> right to the document that its guard asks for, where that is not the one to read. Frappe itself asks in renames,
# deletions, workflows and bulk updates; a like, following, a comment and asking somebody to look at it are for readers.
RIGHTS = {
	**dict.fromkeys(
		(
			"frappe.automation.doctype.assignment_rule.assignment_rule.bulk_apply",
			"frappe.desk.doctype.tag.tag.add_tag",
			"frappe.desk.doctype.tag.tag.add_tags",
			"frappe.desk.doctype.tag.tag.remove_tag",
			"frappe.handler.upload_file",
			"frappe.model.document.unlock_document",
			"frappe.utils.file_manager.add_attachments",
			"upload_file",
		),
		"write",
	),
	"frappe.automation.doctype.auto_repeat.auto_repeat.make_auto_repeat": "create",
}
# Call -> argument with a document, or a list of them, and where a document has its name. One that says no DocType is of that
# of the call.
DOCUMENTS = {
	"frappe.client.bulk_update": ("docs", "docname"),
	"frappe.model.workflow.apply_workflow": ("doc", "name"),
	"frappe.model.workflow.get_common_transition_actions": ("docs", "name"),
	"frappe.model.workflow.get_transitions": ("doc", "name"),
}
# Call -> argument with the DocType whose rows it reads without checking permissions.
ROWS = {
	"frappe.desk.doctype.tag.tag.get_tagged_docs": "doctype",
	"frappe.desk.treeview.get_all_nodes": "doctype",
	"frappe.desk.query_report.get_data_for_custom_field": "doctype",
	"frappe.geo.utils.get_coords": "doctype",
	"frappe.workflow.doctype.workflow.workflow.get_workflow_state_count": "doctype",
}
# Calls that take columns of any DocType for a report.
COLUMNS = ("frappe.desk.query_report.run", "frappe.desk.query_report.export_query")
# It counts assignments, and by a filter anything else, without checking permissions.
GROUPS = "frappe.desk.listview.get_group_by_count"
# Calls whose name is not where the function lies.
METHODS = {"upload_file": "frappe.handler.upload_file"}
HERE = {method.replace(".", "_"): method for method in (*READS, *MANY, *DOCUMENTS, *ROWS, *COLUMNS, GROUPS)}
# Key of the site's configuration: true, or a list of the calls that have no guard.
OFF = "hisabi_sync_guards_off"
OVERRIDES = {
	**{method: MODULE + name for name, method in HERE.items()},
	"frappe.client.get": f"{MODULE}get",
	"frappe.client.get_count": f"{MODULE}get_count",
	"frappe.desk.doctype.dashboard_chart.dashboard_chart.get": f"{MODULE}chart",
	"frappe.desk.doctype.number_card.number_card.get_percentage_difference": f"{MODULE}card_difference",
	"frappe.desk.doctype.number_card.number_card.get_result": f"{MODULE}card_result",
	"frappe.desk.form.linked_with.get": f"{MODULE}linked_documents",
	"frappe.desk.search.get_link_title": f"{MODULE}get_link_title",
	"frappe.desk.search.search_link": f"{MODULE}search_link",
	"frappe.desk.search.search_widget": f"{MODULE}search_widget",
	"frappe.client.validate_link": f"{MODULE}validate_link",
}
