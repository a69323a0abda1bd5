frappe.listview_settings["Family Streak"] = {
	hide_name_column: true,
	filters: [["is_deleted", "=", 0]],
};
