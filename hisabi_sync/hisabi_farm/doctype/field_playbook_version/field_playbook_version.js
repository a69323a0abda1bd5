frappe.ui.form.on("Field Playbook Version", {
	refresh(frm) {
		frm.disable_save();
	},
});
