// The server writes these; people read them.
frappe.ui.form.on("Family Badge", {
	refresh(frm) {
		frm.disable_save();
	},
});
