// Tenants to choose from, in the form of any document that belongs to one. Frappe loads this with each of these forms.
frappe.provide("hisabi_sync");

if (!hisabi_sync.has_tenant_fields) {
	hisabi_sync.has_tenant_fields = true;
	const kinds = ["Order", "Customer", "Product", "Invoice", "Payment"].map((kind) => `Hisabi ${kind}`);
	const refresh = async (frm) => {
		if (!frm.is_new()) return;
		const tenants = await frappe.db.get_list("Sync Space", {
			filters: { space_type: "tenant" },
			fields: ["space_key as value", "title as label"],
			limit: 100,
		});
		frm.fields_dict.tenant?.set_data?.(tenants);
	};
	for (const doctype of ["Sync Connection", ...kinds]) frappe.ui.form.on(doctype, { refresh });
}
