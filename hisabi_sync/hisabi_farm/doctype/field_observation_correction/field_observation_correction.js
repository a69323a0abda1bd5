frappe.ui.form.on("Field Observation Correction", {
	refresh(frm) {
		frm.disable_save();
	},
});
