frappe.ui.form.on("Field Recommendation", {
	refresh(frm) {
		if (frm.is_new()) return;
		if (frm.doc.status === "confirmed") {
			frm.disable_save();
		} else if (frm.perm[0]?.write && !frm.doc.is_deleted) {
			frm.add_custom_button(__("Confirm"), () => confirm_it(frm)).addClass("btn-primary");
		}
	},
});

async function confirm_it(frm) {
	await frm.set_value("status", "confirmed");
	frm.save();
}
