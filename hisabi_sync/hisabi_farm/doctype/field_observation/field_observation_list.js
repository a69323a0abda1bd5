frappe.listview_settings["Field Observation"] = {
	add_fields: ["status"],
	filters: [["is_deleted", "=", 0]],
};
