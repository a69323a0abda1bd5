frappe.listview_settings["Family Task"] = {
	hide_name_column: true,
	filters: [["is_deleted", "=", 0]],
};
