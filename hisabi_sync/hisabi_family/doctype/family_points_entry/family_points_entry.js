frappe.ui.form.on("Family Points Entry", {
	refresh(frm) {
		if (frm.is_new()) return;
		// A line never changes: a mistake is undone by another one.
		frm.disable_save();
		frm.add_custom_button(__("Undo with another line"), () => {
			const { family, user_id, delta, reason } = frm.doc;
			frappe.new_doc("Family Points Entry", { family, user_id, delta: -delta, reason });
		});
	},
});
