frappe.listview_settings["Family Event"] = {
	hide_name_column: true,
	filters: [["is_deleted", "=", 0]],
};
