frappe.ui.form.on("Sync Item", {
	async refresh(frm) {
		frm.disable_save();
		if (!frm.doc.failed || !frappe.user.has_role("Sync Manager")) return;
		await frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]);
		if (frm.doc.status !== "error") {
			frm.page.set_primary_action(__("Take the action"), () => retry(frm));
		} else if (frm.doc.op_id) {
			frm.page.set_primary_action(__("Retry"), () => retry(frm));
			frm.page.add_menu_item(__("Edit and retry"), () => edit(frm));
		}
		if (!frm.doc.dismissed) frm.page.add_menu_item(__("Dismiss"), () => dismiss(frm));
	},
});

async function retry(frm, payload) {
	const values = { item_id: frm.doc.name, ...(payload ? { payload } : {}) };
	const answer = await hisabi_sync.call("failed_items.retry", values);
	if (!answer.ok) return hisabi_sync.refuse(answer, __("Retry"));
	const { done, status, message } = answer.body;
	const words = frappe.utils.escape_html(done ? __(status) : message);
	frappe.show_alert({ message: words, indicator: done ? "green" : "red" }, 8);
	await frm.reload_doc();
}

function edit(frm) {
	const text = JSON.stringify(JSON.parse(frm.doc.payload), null, 2);
	const field = { fieldname: "payload", fieldtype: "Code", options: "JSON", label: __("Item"), default: text, reqd: 1 };
	frappe.prompt(field, ({ payload }) => retry(frm, payload), __("Edit and retry"), __("Retry"));
}

function dismiss(frm) {
	const field = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 };
	const send = async ({ reason }) => {
		const answer = await hisabi_sync.call("failed_items.dismiss", { items: [frm.doc.name], reason });
		answer.ok ? await frm.reload_doc() : hisabi_sync.refuse(answer, __("Dismiss"));
	};
	frappe.prompt(field, send, __("Dismiss"), __("Dismiss"));
}
