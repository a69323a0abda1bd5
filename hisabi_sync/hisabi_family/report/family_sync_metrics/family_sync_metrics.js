frappe.query_reports["Family Sync Metrics"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "family", label: __("Family"), fieldtype: "Link", options: "Family" },
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Sync Device" },
		{ fieldname: "user", label: __("User"), fieldtype: "Link", options: "User" },
		{ fieldname: "status", label: __("Status"), fieldtype: "Select", options: ["", "On target", "Off target"] },
	],

	formatter(value, row, column, data, plain) {
		const shown = plain(value, row, column, data);
		const target = { conflict_rate: 5, error_rate: 1 }[column.fieldname];
		if (!data || target === undefined) return shown;
		return `<span class="indicator-pill ${data[column.fieldname] > target ? "red" : "green"}">${shown}</span>`;
	},
};
