frappe.listview_settings["Hisabi Payment"] = { hide_name_column: true };
