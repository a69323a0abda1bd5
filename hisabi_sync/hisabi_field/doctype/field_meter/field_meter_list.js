frappe.listview_settings["Field Meter"] = {
	filters: [["is_deleted", "=", 0]],
};
