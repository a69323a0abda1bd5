frappe.listview_settings["Hisabi Order"] = { hide_name_column: true };
