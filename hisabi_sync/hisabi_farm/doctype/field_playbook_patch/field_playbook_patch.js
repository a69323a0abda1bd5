frappe.ui.form.on("Field Playbook Patch", {
	refresh(frm) {
		frm.disable_save();
	},
});
