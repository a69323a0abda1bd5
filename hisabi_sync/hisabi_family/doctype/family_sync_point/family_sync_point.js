// The server writes these; people read them.
frappe.ui.form.on("Family Sync Point", {
	refresh(frm) {
		frm.disable_save();
	},
});
