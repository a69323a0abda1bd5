frappe.ui.form.on("Field Observation", {
	refresh(frm) {
		frm.fields_dict.chain.$wrapper.empty();
		if (frm.is_new()) {
			return;
		}
		show_chain(frm);
		if (!frm.perm[0]?.write || frm.doc.is_deleted) {
			return;
		}
		if (frm.doc.status === "draft") {
			frm.add_custom_button(__("Confirm"), () => confirm_it(frm)).addClass("btn-primary");
		} else if (!frm.doc.superseded_by && !frm.doc.correct_because) {
			frm.add_custom_button(__("Correct"), () => ask_why(frm));
		}
	},
});

async function confirm_it(frm) {
	await frm.set_value("status", "confirmed");
	frm.save();
}

// A correction begins with its reason; then the fields can be edited, and saving keeps both.
function ask_why(frm) {
	const field = {
		fieldname: "reason",
		fieldtype: "Small Text",
		label: __("Why is this corrected?"),
		reqd: 1,
	};
	frappe.prompt(
		field,
		async ({ reason }) => {
			await frm.set_value("correct_because", reason);
			frm.refresh();
			frappe.show_alert({ message: __("Correct the fields, then save"), indicator: "blue" });
		},
		__("Correct")
	);
}

// What was corrected, by whom and why. Texts come from devices: they are set as text, never as HTML.
async function show_chain(frm) {
	const rows = await frappe.db.get_list("Field Observation Correction", {
		filters: { observation: frm.doc.name },
		fields: ["number", "reason", "corrected_by", "corrected_at", "changes", "replaced_by"],
		order_by: "number asc",
		limit: 50,
	});
	const wrapper = frm.fields_dict.chain.$wrapper.empty();
	rows.forEach((row) => wrapper.append(link_of(frm, row)));
}

function link_of(frm, row) {
	const box = $("<div style='margin-bottom: 10px'>");
	const who = frappe.user.full_name(row.corrected_by);
	$("<b>").text(`${row.number}. ${row.reason || ""} `).appendTo(box);
	$("<span class='text-muted small'>")
		.text(`${who} · ${frappe.datetime.str_to_user(row.corrected_at)}`)
		.appendTo(box);
	const changes = typeof row.changes === "string" ? JSON.parse(row.changes || "{}") : row.changes || {};
	Object.entries(changes).forEach(([name, [before, after]]) => {
		const line = $("<div class='small'>").appendTo(box);
		const label = frappe.meta.get_label(frm.doctype, name);
		$("<span class='text-muted'>").text(`${__(label)}: `).appendTo(line);
		$("<del class='text-danger'>").text(shown(before)).appendTo(line);
		line.append(" → ");
		$("<ins class='text-success' style='text-decoration: none'>").text(shown(after)).appendTo(line);
	});
	return box;
}

function shown(value) {
	if (value === null || value === undefined || value === "") {
		return "–";
	}
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}
