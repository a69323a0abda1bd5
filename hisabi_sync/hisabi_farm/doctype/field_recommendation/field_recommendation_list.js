frappe.listview_settings["Field Recommendation"] = {
	add_fields: ["status"],
	filters: [["is_deleted", "=", 0]],
};
