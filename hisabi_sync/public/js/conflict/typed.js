import { isTree } from "./values";

const CONTROLS = { Table: "Code", "Table MultiSelect": "Code", JSON: "Code", "Read Only": "Data", Attach: "Data" };

/** Ask for a value in the field's own control; child rows and JSON are typed as JSON. */
export function askValue(row, value) {
	const fieldtype = CONTROLS[row.fieldtype] || row.fieldtype;
	const options = isTree(row) ? "JSON" : fieldtype === "Currency" ? undefined : row.options;
	const held = isTree(row) && value && typeof value !== "string" ? JSON.stringify(value, null, 2) : value;
	const field = { fieldname: "value", fieldtype, options, label: __(row.label), default: held };
	return new Promise((resolve) => {
		frappe.prompt(field, (given) => resolve(read(row, given.value)), __("Type a value"), __("Take it"));
	});
}

/** Child rows are sent as a list; everything else as it was typed. */
function read(row, value) {
	if (!row.fieldtype.startsWith("Table") || typeof value !== "string") return value ?? null;
	try {
		return JSON.parse(value);
	} catch {
		return value;
	}
}
