frappe.listview_settings["Family Badge"] = {
	hide_name_column: true,
	filters: [["is_deleted", "=", 0]],
};
