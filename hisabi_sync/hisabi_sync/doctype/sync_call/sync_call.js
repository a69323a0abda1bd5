frappe.ui.form.on("Sync Call", {
	refresh(frm) {
		frm.disable_save();
	},
});
