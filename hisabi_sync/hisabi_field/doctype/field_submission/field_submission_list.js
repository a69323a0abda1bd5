frappe.listview_settings["Field Submission"] = {
	add_fields: ["status", "form_id"],
	filters: [["is_deleted", "=", 0]],
	onload(list) {
		if (!frappe.model.can_write("Field Submission")) {
			return;
		}
		list.page.add_actions_menu_item(__("Approve"), () => decide(list, __("Approve"), "approved"), false);
		list.page.add_actions_menu_item(__("Reject"), () => ask_why(list), false);
	},
};

function ask_why(list) {
	const field = { fieldname: "comment", fieldtype: "Small Text", label: __("Why?"), reqd: 1 };
	const title = __("Reject");
	frappe.prompt(field, ({ comment }) => decide(list, title, "rejected", comment), title, title);
}

// More than twenty are a job, which tells how far it is.
async function decide(list, title, decision, comment) {
	await frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]);
	const names = list.get_checked_items(true);
	const { message } = await frappe.call({
		method: "hisabi_sync.hisabi_field.doctype.field_submission.field_submission.review",
		args: { names, decision, comment },
		freeze: names.length <= 20,
	});
	const outcome = message.job ? await hisabi_sync.follow_job(message, title) : as_rows(message);
	hisabi_sync.refresh_list(list);
	hisabi_sync.report_rows(outcome, title, list.doctype);
}

const as_rows = ({ done, failed }) => ({
	done: done.length,
	failed: failed.length,
	results: failed.map(({ name, message }) => ({ id: name, done: false, message })),
});
