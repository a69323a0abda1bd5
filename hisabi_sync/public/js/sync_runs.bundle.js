// Runs in the Desk: the dialog that previews and starts one, and the progress in the form of one.
frappe.provide("hisabi_sync.runs");

const METHODS = "/api/method/hisabi_sync.api.runs_desk.";
const COLOURS = {
	completed: "var(--green-500)",
	skipped: "var(--gray-400)",
	processing: "var(--blue-500)",
	pending: "var(--gray-300)",
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

// Retry or dismiss, and say how many it was; whether it was done.
hisabi_sync.runs.act = async (method, values) => {
	const answer = await hisabi_sync.runs.call(method, values);
	if (!answer) return false;
	const said = {
		retry: __("{0} records are tried again", [answer.records_queued]),
		dismiss: __("{0} records are dismissed", [answer.dismissed]),
	};
	frappe.show_alert({ message: said[method], indicator: "blue" });
	return true;
};

hisabi_sync.runs.tell_pause = (frm, connection) => {
	const until = frappe.datetime.str_to_user(connection.paused_until);
	const reason = `<bdi>${escape(connection.paused_reason)}</bdi>`;
	frm.dashboard.set_headline_alert(`${__("The connection is paused until {0}", [until])}: ${reason}`, "orange");
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
				default: row_key(entities[0]),
				options: entities.map((row) => ({ value: row_key(row), label: row_title(row, entities) })),
			},
			{
				fieldname: "mode",
				fieldtype: "Select",
				label: __("Mode"),
				default: "incremental",
				options: [
					{ value: "incremental", label: __("What has changed") },
					{ value: "full", label: __("Everything") },
					{ value: "verify", label: __("What differs after a full comparison") },
				],
			},
			{ fieldname: "dry_run", fieldtype: "Check", label: __("Rehearse: change nothing") },
			{ fieldtype: "Column Break" },
			{ fieldname: "status", fieldtype: "Data", label: __("Status"), description: __("Several with commas between them") },
			{ fieldname: "ids", fieldtype: "Data", label: __("Only these records"), description: __("IDs with commas between them") },
			{ fieldname: "dates", fieldtype: "DateRange", label: __("Dates") },
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
	["entity", "mode", "status", "ids", "dates", "dry_run"].forEach((name) => (dialog.fields_dict[name].df.onchange = forget));
	dialog.show();
};

const row_key = (row) => `${row.entity} ${row.direction}`;
const is_same = (row, other) => row.entity === other.entity && row.direction !== other.direction;

// What an entity is called; with the direction where the connection has both.
const row_title = (row, rows) =>
	rows.some((other) => is_same(row, other)) ? `${__(row.entity)} (${__(row.direction)})` : __(row.entity);
hisabi_sync.runs.row_title = row_title;

const parts = (text) => (text || "").split(",").map((part) => part.trim()).filter(Boolean);

function wanted(dialog, connection) {
	const { mode, status, ids, dates, dry_run, ...given } = dialog.get_values(true);
	const [entity, direction] = given.entity.split(" ");
	const filters = {};
	if (parts(status).length) filters.status = parts(status);
	if (dates?.length) filters.date_range = { start: dates[0], end: dates[1] };
	return { connection: connection.name, entity, direction, mode, filters, ids: parts(ids), dry_run: Boolean(dry_run) };
}

async function preview(dialog, connection) {
	const values = wanted(dialog, connection);
	const { $wrapper } = dialog.fields_dict.preview;
	dialog.previewed = JSON.stringify(values);
	$wrapper.html(`<p class="text-muted">${__("Looking at both sides")}…</p>`);
	const answer = await hisabi_sync.runs.call("preview", values);
	if (dialog.previewed !== JSON.stringify(wanted(dialog, connection))) return;
	$wrapper.html(answer ? preview_html(answer) : "");
	if (!answer?.total) return;
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
	const shown = answer.records.length;
	const first = shown && shown !== answer.total ? ` <span class="text-muted">${__("The first {0} are shown", [shown])}</span>` : "";
	const records = answer.records.map(record_html).join("");
	return `<p><b>${__("{0} records", [total])}</b>${first}</p>${warnings.join("")}${records}`;
}

const OPERATIONS = { create: "green", update: "blue", skip: "gray", fail: "red" };

function record_html(record) {
	const label = `<span class="indicator-pill align-middle ${OPERATIONS[record.operation]}">${__(record.operation)}</span>`;
	const line = `${label} <bdi class="align-middle">${escape(record.entity_id)}</bdi> <bdi class="text-muted">${escape(record.error_message)}</bdi>`;
	if (!record.changes.length) return `<div class="mb-2" style="margin-inline-start:14px">${line}</div>`;
	const table = hisabi_sync.runs.changes_html(record.changes);
	return `<details class="mb-2"><summary>${line}</summary>${table}</details>`;
}

// A table of `[{field, from, to}]`, or nothing.
hisabi_sync.runs.changes_html = (changes) => {
	const rows = changes.map(
		(change) => `<tr><td>${escape(change.field)}</td><td class="text-muted" dir="auto">${shown(change.from)}</td>
			<td dir="auto">${shown(change.to)}</td></tr>`
	);
	if (!rows.length) return "";
	return `<table class="table table-bordered table-sm mt-2"><thead><tr><th>${__("Field")}</th><th>${__("Now")}</th>
		<th>${__("Then")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
};

function shown(value) {
	if (Array.isArray(value)) return value.map((row) => `<div>${shown(row)}</div>`).join("");
	if (typeof value !== "object" || value === null) return escape(value);
	const held = Object.entries(value).filter(([, part]) => part !== null && part !== "");
	return held.map(([name, part]) => `<span class="text-muted">${escape(name)}</span> ${shown(part)}`).join(", ");
}

// The run's progress into its form; the answer of the server.
hisabi_sync.runs.show = async (frm) => {
	const answer = await hisabi_sync.runs.call("progress", { run: frm.doc.name });
	if (!answer || answer.run.sync_id !== frm.doc.name) return;
	const { progress, records_html } = frm.fields_dict;
	progress.$wrapper.html(bar_html(answer.counts));
	records_html.$wrapper.html(causes_html(answer));
	for (const part of [progress, records_html]) {
		part.$wrapper.find("[data-records]").on("click", (event) => {
			event.preventDefault();
			frappe.set_route("List", "Sync Run Record", { run: frm.doc.name, ...$(event.currentTarget).data("records") });
		});
	}
	if (answer.run.status !== frm.doc.status) frm.reload_doc();
	return answer;
};

// A link to those of the run's records that have these values.
function records_link(filters, html) {
	return `<a href="#" style="text-decoration:underline" data-records="${escape(JSON.stringify(filters))}">${html}</a>`;
}

function bar_html(counts) {
	const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
	if (!total) return `<p class="text-muted">${__("No records yet")}</p>`;
	const states = Object.keys(COLOURS).filter((state) => counts[state]);
	const parts = states.map(
		(state) => `<div style="width:${(100 * counts[state]) / total}%;background:${COLOURS[state]}"
			title="${__(state)}: ${counts[state]}"></div>`
	);
	const words = states.map(
		(state) => `<span class="text-nowrap" style="margin-inline-end:16px"><span style="color:${COLOURS[state]}">●</span>
			${records_link({ status: state }, `${__(state)} <b>${counts[state]}</b>`)}</span>`
	);
	return `<div style="display:flex;height:14px;border-radius:7px;overflow:hidden;margin-bottom:8px">${parts.join("")}</div>
		<div style="margin-bottom:12px">${words.join("")}</div>`;
}

function causes_html({ causes, counts }) {
	const rows = causes.map(
		(cause) => `<tr><td>${records_link({ error_code: cause.error_code, ...(cause.example && { error_message: cause.example }) }, cause.records)}</td>
			<td>${cause.waiting || ""}</td><td dir="auto">${escape(cause.example)}</td><td>${escape(cause.error_code)}</td></tr>`
	);
	const rest = (counts.failed || 0) + (counts.dead || 0) - causes.reduce((sum, cause) => sum + cause.records, 0);
	const more = rest > 0 ? `<p class="text-muted">${__("{0} more for other reasons", [rest])}</p>` : "";
	const heads = [__("Records"), __("Tried again by themselves"), __("Cause"), __("Error code")];
	const head = heads.map((text) => `<th>${text}</th>`).join("");
	const table = `<table class="table table-bordered"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
	return (rows.length ? table + more : "") + records_link({}, __("All records of this run"));
}
