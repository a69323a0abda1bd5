// Spaces to choose from in the form of a new document that belongs to one; what is typed has to be one of them.
// Frappe loads this with each form that `doctype_js` names, and the handlers must be there once.
frappe.provide("hisabi_sync");

// Field that holds the key of a space, which is also the space's type -> DocTypes that have it.
hisabi_sync.space_fields ||= Object.entries({
	tenant: [
		"Sync Connection",
		...["Order", "Customer", "Product", "Invoice", "Payment"].map((kind) => `Hisabi ${kind}`),
		...["Form", "Submission", "Meter", "Old Token"].map((kind) => `Field ${kind}`),
	],
	farm: ["Observation", "Recommendation", "Playbook"].map((kind) => `Field ${kind}`),
}).map(([space_type, doctypes]) => {
	const refresh = async (frm) => {
		if (!frm.is_new()) return;
		const spaces = await frappe.db.get_list("Sync Space", {
			filters: { space_type },
			fields: ["space_key as value", "title as label"],
			limit: 100,
		});
		frm.fields_dict[space_type]?.set_data?.(spaces);
	};
	doctypes.forEach((doctype) => frappe.ui.form.on(doctype, { refresh }));
	return space_type;
});
