frappe.query_reports["Conflicts by Device and Field"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "space", label: __("Space"), fieldtype: "Link", options: "Sync Space" },
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Sync Device" },
		{ fieldname: "entity_type", label: __("Entity type"), fieldtype: "Link", options: "Sync Entity" },
		{ fieldname: "field", label: __("Field"), fieldtype: "Data" },
	],

	formatter(value, row, column, data, plain) {
		const title = data && data[`${column.fieldname}_title`];
		if (!title || !value) return plain(value, row, column, data);
		const shown = frappe.utils.escape_html(title);
		return frappe.utils.get_form_link(column.options, value, true, shown);
	},
};
