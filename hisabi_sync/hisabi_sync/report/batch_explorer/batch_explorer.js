frappe.query_reports["Batch Explorer"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "space", label: __("Space"), fieldtype: "Link", options: "Sync Space" },
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Sync Device" },
		{ fieldname: "user", label: __("User"), fieldtype: "Link", options: "User" },
		{ fieldname: "contract", label: __("Contract"), fieldtype: "Data" },
		{
			fieldname: "outcome",
			label: __("With"),
			fieldtype: "Select",
			options: [
				{ value: "", label: "" },
				{ value: "Conflicts", label: __("Conflicts") },
				{ value: "Errors", label: __("Errors") },
				{ value: "Duplicates", label: __("Duplicates") },
			],
		},
		{ fieldname: "slower_than", label: __("Slower than, ms"), fieldtype: "Int" },
		{ fieldname: "min_items", label: __("Items at least"), fieldtype: "Int" },
		{ fieldname: "limit", label: __("Rows"), fieldtype: "Int", default: 200 },
	],

	formatter(value, row, column, data, plain) {
		if (column.fieldname === "batch" && value) {
			return frappe.utils.get_form_link("Sync Batch", value, true, __("Open"));
		}
		const title = data && data[`${column.fieldname}_title`];
		if (!title || !value) return plain(value, row, column, data);
		return frappe.utils.get_form_link(column.options, value, true, frappe.utils.escape_html(title));
	},
};
