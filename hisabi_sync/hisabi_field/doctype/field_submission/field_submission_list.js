frappe.listview_settings["Field Submission"] = {
	add_fields: ["status", "form_id"],
	filters: [["is_deleted", "=", 0]],
	onload(list) {
		if (!frappe.model.can_write("Field Submission")) {
			return;
		}
		list.page.add_actions_menu_item(__("Approve"), () => decide(list, "approved"), false);
		list.page.add_actions_menu_item(__("Reject"), () => decide(list, "rejected"), false);
	},
};

async function decide(list, decision) {
	const names = list.get_checked_items(true);
	const { message } = await frappe.call({
		method: "hisabi_sync.hisabi_field.doctype.field_submission.field_submission.review",
		args: { names, decision },
		freeze: true,
	});
	const failed = message.failed.map(
		({ name, message }) => `<li>${frappe.utils.escape_html(`${name}: ${message}`)}</li>`
	);
	if (failed.length) {
		frappe.msgprint(`${__("{0} not done", [failed.length])}<ul>${failed.join("")}</ul>`);
	}
	frappe.show_alert({ message: __("{0} done", [message.done.length]), indicator: "green" });
	list.clear_checked_items();
	list.refresh();
}
