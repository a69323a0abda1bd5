// Runs in the Desk: the dialog that previews and starts one, and the progress in the form of one.
frappe.provide("hisabi_sync.runs");

const METHODS = "/api/method/hisabi_sync.api.runs_desk.";
const ENDED = ["completed", "completed_with_errors", "failed", "cancelled"];
const COLOURS = {
	completed: "var(--green-500)",
	skipped: "var(--gray-400)",
	processing: "var(--blue-500)",
	pending: "var(--gray-200)",
	failed: "var(--red-500)",
	dead: "var(--gray-700)",
};
const escape = (value) => frappe.utils.escape_html(value === null || value === undefined ? "" : String(value));

// The answer, or nothing after the refusal was shown.
hisabi_sync.runs.call = async (method, values) => {
	const headers = { "Content-Type": "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token };
	const response = await fetch(METHODS + method, { method: "POST", headers, body: JSON.stringify(values) });
	const body = await response.json().catch(() => ({}));
	if (response.ok) return body.message;
	const message = escape(body.message || __("The server cannot be reached"));
	frappe.msgprint({ title: __("Not done"), message, indicator: "red" });
};

hisabi_sync.runs.start = (connection) => {
	const entities = connection.entities.filter((row) => row.enabled);
	const dialog = new frappe.ui.Dialog({
		title: __("Start a run"),
		size: "large",
		fields: [
			{
				fieldname: "entity",
				fieldtype: "Select",
				label: __("Entity"),
				reqd: 1,
				default: entities[0].entity,
				options: entities.map((row) => ({ value: row.entity, label: __(row.entity) })),
			},
			{
				fieldname: "mode",
				fieldtype: "Select",
				label: __("Mode"),
				default: "incremental",
				options: [
					{ value: "incremental", label: __("What has changed") },
					{ value: "full", label: __("Everything") },
				],
			},
			{ fieldtype: "Column Break" },
			{ fieldname: "status", fieldtype: "Data", label: __("Status"), description: __("Several with commas between them") },
			{ fieldname: "dry_run", fieldtype: "Check", label: __("Rehearse: change nothing") },
			{ fieldtype: "Section Break" },
			{ fieldname: "preview", fieldtype: "HTML" },
		],
		primary_action_label: __("Preview"),
		primary_action: () => preview(dialog, connection),
	});
	const forget = () => {
		// Frappe reports a change more than once, also after the preview of it has come.
		if (JSON.stringify(wanted(dialog, connection)) === dialog.previewed) return;
		dialog.fields_dict.preview.$wrapper.empty();
		dialog.set_primary_action(__("Preview"), () => preview(dialog, connection));
	};
	["entity", "mode", "status", "dry_run"].forEach((name) => (dialog.fields_dict[name].df.onchange = forget));
	dialog.show();
};

function wanted(dialog, connection) {
	const { entity, mode, status, dry_run } = dialog.get_values(true);
	const chosen = (status || "").split(",").map((text) => text.trim()).filter(Boolean);
	const filters = chosen.length ? { status: chosen } : {};
	return { connection: connection.name, entity, mode, filters, dry_run: Boolean(dry_run) };
}

async function preview(dialog, connection) {
	const values = wanted(dialog, connection);
	dialog.previewed = JSON.stringify(values);
	const answer = await hisabi_sync.runs.call("preview", values);
	if (!answer || dialog.previewed !== JSON.stringify(wanted(dialog, connection))) return;
	dialog.fields_dict.preview.$wrapper.html(preview_html(answer));
	if (!answer.total) return;
	dialog.set_primary_action(values.dry_run ? __("Rehearse") : __("Start"), async () => {
		const started = await hisabi_sync.runs.call("start", { ...values, confirm: answer.confirm });
		if (!started) return;
		dialog.hide();
		frappe.set_route("Form", "Sync Run", started.sync_id);
	});
}

function preview_html(answer) {
	const total = answer.total_is_exact ? answer.total : __("more than {0}", [answer.total]);
	const warnings = answer.warnings.map(
		(warning) => `<p class="text-warning">${__("{0} of those shown overwrite values", [warning.records])}</p>`
	);
	return `<p><b>${__("{0} records", [total])}</b></p>${warnings.join("")}${answer.records.map(record_html).join("")}`;
}

const OPERATIONS = { create: "green", update: "blue", skip: "gray", fail: "red" };

function record_html(record) {
	const rows = record.changes.map(
		(change) => `<tr><td>${escape(change.field)}</td><td class="text-muted">${shown(change.from)}</td>
			<td>${shown(change.to)}</td></tr>`
	);
	const table = rows.length
		? `<table class="table table-bordered table-sm"><thead><tr><th>${__("Field")}</th><th>${__("Now")}</th>
			<th>${__("Then")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`
		: "";
	const label = `<span class="indicator-pill ${OPERATIONS[record.operation]}">${__(record.operation)}</span>`;
	const more = escape(record.error_message);
	return `<details><summary>${label} ${escape(record.entity_id)} ${more}</summary>${table}</details>`;
}

function shown(value) {
	return escape(typeof value === "object" && value !== null ? JSON.stringify(value) : value);
}

hisabi_sync.runs.show = async (frm) => {
	const answer = await hisabi_sync.runs.call("progress", { run: frm.doc.name });
	if (!answer || answer.run.sync_id !== frm.doc.name) return;
	frm.fields_dict.progress.$wrapper.html(bar_html(answer.counts));
	frm.fields_dict.records_html.$wrapper.html(causes_html(frm.doc.name, answer));
	if (answer.run.status !== frm.doc.status && ENDED.includes(answer.run.status)) frm.reload_doc();
};

function bar_html(counts) {
	const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
	if (!total) return `<p class="text-muted">${__("No records yet")}</p>`;
	const states = Object.keys(COLOURS).filter((state) => counts[state]);
	const parts = states.map(
		(state) => `<div style="width:${(100 * counts[state]) / total}%;background:${COLOURS[state]}"
			title="${__(state)}: ${counts[state]}"></div>`
	);
	const words = states.map(
		(state) => `<span style="margin-inline-end:16px"><span style="color:${COLOURS[state]}">●</span>
			${__(state)} <b>${counts[state]}</b></span>`
	);
	return `<div style="display:flex;height:14px;border-radius:7px;overflow:hidden;margin-bottom:8px">${parts.join("")}</div>
		<div style="margin-bottom:12px">${words.join("")}</div>`;
}

function causes_html(run, { causes }) {
	const link = (text, code) =>
		`<a href="#" onclick="frappe.set_route('List', 'Sync Run Record', {run: '${run}'${code}}); return false">${text}</a>`;
	const rows = causes.map(
		(cause) => `<tr><td>${link(cause.records, `, error_code: '${escape(cause.error_code)}'`)}</td>
			<td>${escape(cause.error_code)}</td><td>${escape(cause.example)}</td></tr>`
	);
	const table = rows.length
		? `<table class="table table-bordered"><thead><tr><th>${__("Records")}</th><th>${__("Cause")}</th>
			<th>${__("Example")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`
		: "";
	return table + link(__("All records of this run"), "");
}
