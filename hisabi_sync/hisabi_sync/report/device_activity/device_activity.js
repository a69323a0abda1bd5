frappe.query_reports["Device Activity"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "user", label: __("User"), fieldtype: "Link", options: "User" },
		{ fieldname: "status", label: __("Status"), fieldtype: "Select", options: ["", "Active", "Revoked"] },
		{ fieldname: "platform", label: __("Platform"), fieldtype: "Data" },
		{ fieldname: "silent", label: __("Silent for a day"), fieldtype: "Check" },
	],

	formatter(value, row, column, data, plain) {
		const title = data && data[`${column.fieldname}_title`];
		if (!title || !value) return plain(value, row, column, data);
		const shown = frappe.utils.escape_html(title);
		return frappe.utils.get_form_link(column.options, value, true, shown);
	},
};
