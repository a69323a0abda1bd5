// The server writes these; people read them.
frappe.ui.form.on("Family Streak", {
	refresh(frm) {
		frm.disable_save();
	},
});
