frappe.query_reports["Run History"] = {
	filters: [
		{ fieldname: "from_date", label: __("From"), fieldtype: "Date", default: frappe.datetime.add_days(frappe.datetime.nowdate(), -29), reqd: 1 },
		{ fieldname: "to_date", label: __("To"), fieldtype: "Date", default: frappe.datetime.nowdate(), reqd: 1 },
		{ fieldname: "connection", label: __("Connection"), fieldtype: "Link", options: "Sync Connection" },
		{ fieldname: "space", label: __("Space"), fieldtype: "Link", options: "Sync Space" },
		{
			fieldname: "entity",
			label: __("Entity"),
			fieldtype: "Select",
			options: ["", "orders", "customers", "products", "invoices", "payments"].map((value) => ({ value, label: __(value) })),
		},
	],

	formatter(value, row, column, data, plain) {
		const shown = plain(value, row, column, data);
		return ["ill", "failed"].includes(column.fieldname) && value > 0 ? `<span class="text-danger">${shown}</span>` : shown;
	},
};
