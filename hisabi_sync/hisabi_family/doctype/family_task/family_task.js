frappe.ui.form.on("Family Task", {
	refresh(frm) {
		if (frm.doc.is_deleted) {
			frm.disable_save();
			frm.set_intro(__("This record was deleted on a device"), "orange");
		} else if (!frm.is_new() && frm.doc.status !== "done") {
			frm.add_custom_button(__("Mark as done"), () => frm.set_value("status", "done").then(() => frm.save()));
		}
	},
});
