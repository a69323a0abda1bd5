frappe.listview_settings["Family"] = { hide_name_column: true };
