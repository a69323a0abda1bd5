frappe.listview_settings["Field Form"] = {
	filters: [["is_deleted", "=", 0]],
};
