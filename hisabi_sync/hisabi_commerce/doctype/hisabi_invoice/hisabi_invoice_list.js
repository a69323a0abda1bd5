frappe.listview_settings["Hisabi Invoice"] = { hide_name_column: true };
