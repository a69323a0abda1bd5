frappe.listview_settings["Family Sync Day"] = { hide_name_column: true };
