frappe.query_reports["Sync Health"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "space", label: __("Space"), fieldtype: "Link", options: "Sync Space" },
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Sync Device" },
		{ fieldname: "contract", label: __("Contract"), fieldtype: "Data" },
	],

	formatter(value, row, column, data, plain) {
		const shown = plain(value, row, column, data);
		const target = { conflict_rate: 5, error_rate: 1 }[column.fieldname];
		return target && value > target ? `<span class="text-danger">${shown}</span>` : shown;
	},
};
