frappe.listview_settings["Sync Media"] = {
	hide_name_column: true,
	add_fields: ["state", "content_type"],
	formatters: {
		size: (value) => (value ? frappe.form.formatters.FileSize(value) : ""),
	},
};
