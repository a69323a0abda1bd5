frappe.ui.form.on("Sync Device", {
	refresh(frm) {
		frm.disable_save();
		const may = frappe.user.has_role("Sync Manager") || frm.doc.user === frappe.session.user;
		if (frm.doc.status === "Active" && may) frm.page.add_menu_item(__("Revoke"), () => revoke(frm));
	},
});

function revoke(frm) {
	const name = frappe.utils.escape_html(frm.doc.device_name || frm.doc.device_id);
	const words = __("{0} can no longer push or pull. Its owner has to sign in again.", [`<strong>${name}</strong>`]);
	frappe.warn(__("Revoke this device?"), words, () => send(frm), __("Revoke"));
}

async function send(frm) {
	await frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]);
	const answer = await hisabi_sync.call("desk_devices.revoke", { device: frm.doc.name });
	answer.ok ? await frm.reload_doc() : hisabi_sync.refuse(answer, __("Revoke"));
}
