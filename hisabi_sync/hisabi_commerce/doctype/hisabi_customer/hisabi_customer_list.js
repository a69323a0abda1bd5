frappe.listview_settings["Hisabi Customer"] = { hide_name_column: true };
