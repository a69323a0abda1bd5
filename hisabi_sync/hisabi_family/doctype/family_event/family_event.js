frappe.ui.form.on("Family Event", {
	refresh(frm) {
		if (!frm.doc.is_deleted) return;
		frm.disable_save();
		frm.set_intro(__("This record was deleted on a device"), "orange");
	},
});
