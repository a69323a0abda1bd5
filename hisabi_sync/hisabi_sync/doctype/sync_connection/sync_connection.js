frappe.ui.form.on("Sync Connection", {
	setup(frm) {
		frm.set_query("document_type", "entities", () => ({ filters: { istable: 0, issingle: 0 } }));
	},

	async refresh(frm) {
		frm.set_df_property("connector", "options", frappe.boot.hisabi_sync_connectors);
		await frappe.require("sync_runs.bundle.js");
		if (frm.doc.status === "Paused") hisabi_sync.runs.tell_pause(frm, frm.doc);
		if (!frappe.user.has_role("Sync Manager")) return;
		frm.add_custom_button(__("Add mappings"), () => add_mappings(frm));
		if (frm.is_new() || frm.is_dirty()) return;
		frm.add_custom_button(__("Test"), () => test(frm));
		if (frm.doc.connector === "frappe") frm.add_custom_button(__("Prepare the other site"), () => prepare(frm));
		if (frm.doc.status === "Paused") frm.add_custom_button(__("Resume now"), () => resume(frm));
		if (!frm.doc.enabled || !frm.doc.entities.some((row) => row.enabled)) return;
		frm.add_custom_button(__("Start a run"), () => hisabi_sync.runs.start(frm.doc));
	},
});

async function test(frm) {
	const answer = await hisabi_sync.runs.call("test", { connection: frm.doc.name });
	if (!answer) return;
	const rows = answer.entities.map((row) => {
		const colour = row.ok ? "green" : "red";
		const lines = row.ok ? [__("It answers")] : row.lacks.map((lacking) => lacking.message);
		const text = lines.map(frappe.utils.escape_html).join("<br>");
		const title = hisabi_sync.runs.row_title(row, answer.entities);
		return `<p><span class="indicator ${colour}"></span> <b>${title}</b>: ${text}</p>`;
	});
	const indicator = answer.entities.every((row) => row.ok) ? "green" : "red";
	frappe.msgprint({ title: __("Test"), message: rows.join("") || __("No entity is enabled"), indicator });
}

async function prepare(frm) {
	const found = await hisabi_sync.runs.call("prepare", { connection: frm.doc.name, dry_run: 1 });
	if (!found) return;
	if (!found.steps.length) return frappe.msgprint(__("The other site has every field that it needs"));
	const list = (steps) => `<ul>${steps.map(step_line).join("")}</ul>`;
	frappe.confirm(`${__("These fields will be made on the other site:")}${list(found.steps)}`, async () => {
		const done = await hisabi_sync.runs.call("prepare", { connection: frm.doc.name, dry_run: 0 });
		if (!done) return;
		const indicator = done.steps.every((step) => step.made) ? "green" : "red";
		frappe.msgprint({ title: __("Prepare the other site"), message: list(done.steps), indicator });
	});
}

function step_line(step) {
	const text = [step.what, step.made ? __("made") : "", step.message].filter(Boolean).join(" - ");
	return `<li><b>${__(step.entity)}</b>: ${frappe.utils.escape_html(text)}</li>`;
}

async function resume(frm) {
	const answer = await hisabi_sync.runs.call("resume", { connection: frm.doc.name });
	if (!answer) return;
	frappe.show_alert({ message: __("The connection works again, one record first"), indicator: "green" });
	frm.reload_doc();
}

function add_mappings(frm) {
	const presets = {
		json: [{ value: "json", label: __("A service that uses the field names of this site") }],
		frappe: [
			{ value: "erpnext", label: __("ERPNext there") },
			{ value: "erpnext_here", label: __("ERPNext here and there") },
			{ value: "hisabi", label: __("A site with Hisabi Sync") },
		],
	};
	const offered = presets[frm.doc.connector] || presets.frappe;
	const directions = ["push", "pull", "both"].map((value) => ({ value, label: __(value) }));
	const of_erpnext = "eval:['erpnext', 'erpnext_here'].includes(doc.name)";
	const of_payments = "eval:doc.name === 'erpnext' && doc.direction !== 'pull'";
	const of_hisabi = "eval:doc.name === 'hisabi' && doc.direction !== 'pull'";
	const fields = [
		{ fieldname: "name", fieldtype: "Select", label: __("The other side"), options: offered, default: offered[0].value, reqd: 1 },
		{ fieldname: "direction", fieldtype: "Select", label: __("Direction"), options: directions, default: "push", reqd: 1 },
		{ fieldname: "company", fieldtype: "Data", label: __("Company"), depends_on: of_erpnext, mandatory_depends_on: of_erpnext },
		{
			fieldname: "account",
			fieldtype: "Data",
			label: __("Account that payments are booked to"),
			description: __("A ledger of the company, such as Cash - ABC"),
			depends_on: of_payments,
			mandatory_depends_on: of_payments,
		},
		{ fieldname: "tenant", fieldtype: "Data", label: __("Tenant there"), depends_on: of_hisabi, mandatory_depends_on: of_hisabi },
	];
	const add = async (values) => {
		const method = "hisabi_sync.hisabi_commerce.presets.preset";
		const { message } = await frappe.call(method, values);
		const key = (row) => `${row.entity} ${row.direction}`;
		const known = new Set((frm.doc.entities || []).map(key));
		message.filter((row) => !known.has(key(row))).forEach((row) => frm.add_child("entities", row));
		frm.refresh_field("entities");
	};
	frappe.prompt(fields, add, __("Add mappings"), __("Add"));
}
