frappe.listview_settings["Sync Device"] = {
	hide_name_column: true,
	add_fields: ["status", "last_seen"],
};
