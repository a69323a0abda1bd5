frappe.listview_settings["Hisabi Product"] = { hide_name_column: true };
