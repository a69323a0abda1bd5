frappe.ui.form.on("Family", {
	setup(frm) {
		frm.set_query("user", "members", () => ({ filters: { enabled: 1 } }));
	},

	refresh(frm) {
		frm.fields_dict.time_zone?.set_data?.(Intl.supportedValuesOf("timeZone"));
		if (frm.is_new()) return;
		// What phones and people made of one record at the same time.
		frappe.db.get_value("Sync Space", { space_type: "family", space_key: frm.doc.name }, "name").then(({ message }) => {
			if (!message?.name) return;
			const space = message.name;
			frm.add_custom_button(__("Conflicts"), () => frappe.set_route("List", "Sync Conflict", { space }));
		});
	},
});
