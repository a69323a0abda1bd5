frappe.ui.form.on("Sync Connection", {
	setup(frm) {
		frm.set_query("document_type", "entities", () => ({ filters: { istable: 0, issingle: 0 } }));
	},

	refresh(frm) {
		frm.fields_dict.connector.set_data?.(["frappe", "json"]);
		if (frm.doc.status === "Paused") {
			const until = frappe.datetime.str_to_user(frm.doc.paused_until);
			frm.dashboard.set_headline_alert(
				`${__("Paused until {0}", [until])}: ${frappe.utils.escape_html(frm.doc.paused_reason || "")}`,
				"orange"
			);
		}
		if (!frappe.user.has_role("Sync Manager")) return;
		frm.add_custom_button(__("Add mappings"), () => add_mappings(frm));
		if (frm.is_new() || frm.is_dirty()) return;
		frm.add_custom_button(__("Test"), () => test(frm));
		if (!frm.doc.enabled || !frm.doc.entities.some((row) => row.enabled)) return;
		frm.add_custom_button(__("Start a run"), async () => {
			await frappe.require("sync_runs.bundle.js");
			hisabi_sync.runs.start(frm.doc);
		}).addClass("btn-primary");
	},
});

async function test(frm) {
	await frappe.require("sync_runs.bundle.js");
	const answer = await hisabi_sync.runs.call("test", { connection: frm.doc.name });
	if (!answer) return;
	const rows = answer.entities.map((row) => {
		const colour = row.ok ? "green" : "red";
		const text = frappe.utils.escape_html(row.ok ? __("It answers") : row.message);
		return `<p><span class="indicator ${colour}"></span> <b>${__(row.entity)}</b>: ${text}</p>`;
	});
	const indicator = answer.entities.every((row) => row.ok) ? "green" : "red";
	frappe.msgprint({ title: __("Test"), message: rows.join("") || __("No entity is enabled"), indicator });
}

function add_mappings(frm) {
	const presets = [
		{ value: "hisabi", label: __("A site with Hisabi Sync") },
		{ value: "erpnext", label: __("ERPNext there") },
		{ value: "erpnext_here", label: __("ERPNext here and there") },
	];
	const fields = [
		{ fieldname: "name", fieldtype: "Select", label: __("The other side"), options: presets, reqd: 1 },
		{ fieldname: "direction", fieldtype: "Select", label: __("Direction"), options: ["push", "pull"], default: "push" },
		{
			fieldname: "company",
			fieldtype: "Data",
			label: __("Company"),
			depends_on: "eval:doc.name && doc.name != 'hisabi'",
			mandatory_depends_on: "eval:doc.name && doc.name != 'hisabi'",
		},
		{
			fieldname: "account",
			fieldtype: "Data",
			label: __("Account that payments are booked to"),
			description: __("A ledger of the company, such as Cash - ABC"),
			depends_on: "eval:doc.name == 'erpnext' && doc.direction == 'push'",
			mandatory_depends_on: "eval:doc.name == 'erpnext' && doc.direction == 'push'",
		},
	];
	const add = async (values) => {
		const method = "hisabi_sync.hisabi_commerce.presets.preset";
		const { message } = await frappe.call(method, values);
		const known = new Set(frm.doc.entities.map((row) => row.entity));
		message.filter((row) => !known.has(row.entity)).forEach((row) => frm.add_child("entities", row));
		frm.refresh_field("entities");
	};
	frappe.prompt(fields, add, __("Add mappings"), __("Add"));
}
