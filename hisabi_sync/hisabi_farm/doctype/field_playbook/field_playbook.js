frappe.ui.form.on("Field Playbook", {
	refresh(frm) {
		frm.fields_dict.history.$wrapper.empty();
		if (!frm.is_new()) {
			show_history(frm);
		}
	},
});

// Who changed which rule, version by version, the newest first.
async function show_history(frm) {
	const { message } = await frappe.call({
		method: "hisabi_sync.hisabi_farm.doctype.field_playbook.field_playbook.history_of",
		args: { name: frm.doc.name },
	});
	const wrapper = frm.fields_dict.history.$wrapper.empty();
	message.versions.forEach((version) => wrapper.append(card_of(version, message.labels)));
	if (message.more) {
		const all = $("<a>").text(__("All versions"));
		all.on("click", () =>
			frappe.set_route("List", "Field Playbook Patch", { playbook: frm.doc.name })
		);
		wrapper.append($("<p class='text-muted'>").append(all));
	}
}

// Names and texts come from devices: everything is set as text, never as HTML.
function card_of(version, labels) {
	const card = $("<div class='frappe-card' style='padding: 12px 16px; margin-bottom: 12px'>");
	const head = $("<div class='flex justify-between'>").appendTo(card);
	const link = frappe.utils.get_form_link("Field Playbook Patch", version.name);
	$("<a class='bold'>").attr("href", link).text(__("Version {0}", [version.version])).appendTo(head);
	const where = version.device_name || __(version.source);
	const when = frappe.datetime.comment_when(version.made_at);
	$("<span class='text-muted small'>")
		.text(`${frappe.user.full_name(version.author)} · ${where} · `)
		.append($(when))
		.appendTo(head);
	if (version.reason) {
		$("<div class='text-muted'>").text(version.reason).appendTo(card);
	}
	version.operations.forEach((row) => card.append(line_of(row, labels)));
	if (!version.operations.length) {
		$("<div class='small'>").text(__("Title or crop only")).appendTo(card);
	}
	return card;
}

const COLOURS = { add: "green", change: "blue", remove: "red" };

function line_of(row, labels) {
	const line = $("<div style='margin-top: 8px'>");
	const pill = $("<span class='indicator-pill no-indicator-dot'>").text(__(row.operation));
	pill.addClass(COLOURS[row.operation] || "gray").appendTo(line);
	$("<b style='margin-inline: 8px'>").text(row.rule_title).appendTo(line);
	Object.entries(JSON.parse(row.changes || "{}")).forEach(([name, sides]) => {
		const change = $("<div class='small' style='margin-inline-start: 12px'>").appendTo(line);
		$("<span class='text-muted'>").text(`${__(labels[name] || name)}: `).appendTo(change);
		if (row.operation !== "add") {
			$("<del class='text-danger'>").text(shown(sides[0])).appendTo(change);
		}
		if (row.operation === "change") {
			change.append(" → ");
		}
		if (row.operation !== "remove") {
			$("<ins class='text-success' style='text-decoration: none'>").text(shown(sides[1])).appendTo(change);
		}
	});
	return line;
}

function shown(value) {
	if (value === null || value === undefined || value === "") {
		return "–";
	}
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}
