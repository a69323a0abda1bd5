frappe.listview_settings["Field Playbook"] = {
	filters: [["is_deleted", "=", 0]],
};
