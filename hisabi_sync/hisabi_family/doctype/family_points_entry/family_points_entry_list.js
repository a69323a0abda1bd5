frappe.listview_settings["Family Points Entry"] = {
	hide_name_column: true,
	filters: [["is_deleted", "=", 0]],
};
