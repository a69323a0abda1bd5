const REVIEW =
	"hisabi_sync.hisabi_field.doctype.field_submission.field_submission.review";

frappe.ui.form.on("Field Submission", {
	refresh(frm) {
		show_answers(frm);
		show_files(frm);
		if (frm.is_new() || !frm.perm[0]?.write || frm.doc.is_deleted) {
			return;
		}
		if (frm.doc.status !== "approved") {
			frm.add_custom_button(__("Approve"), () => review(frm, "approved")).addClass("btn-primary");
		}
		if (frm.doc.status !== "rejected") {
			frm.add_custom_button(__("Reject"), () => ask_why(frm), __("Actions"));
		}
	},
	form_id: show_answers,
});

function ask_why(frm) {
	const field = { fieldname: "comment", fieldtype: "Small Text", label: __("Why?"), reqd: 1 };
	frappe.prompt(field, ({ comment }) => review(frm, "rejected", comment), __("Reject"));
}

async function review(frm, decision, comment) {
	const { message } = await frappe.call({
		method: REVIEW,
		args: { names: [frm.doc.name], decision, comment },
		freeze: true,
	});
	if (message.failed.length) {
		frappe.msgprint(frappe.utils.escape_html(message.failed[0].message));
	}
	frm.reload_doc();
}

// What was photographed or attached; answers name files by their keys.
async function show_files(frm) {
	if (frm.is_new()) {
		return;
	}
	await frappe.require(["media_preview.bundle.js", "media_preview.bundle.css"]);
	const files = await hisabi_sync.media_of(frm.doc.name);
	hisabi_sync.show_media(frm.fields_dict.files.$wrapper, files);
	frm.toggle_display("files_section", files.length > 0);
	for (const { name, file_name } of files) {
		frm.fields_dict.answers.$wrapper.find("td").filter((_i, cell) => cell.textContent === name).text(file_name);
	}
}

// Answers under the questions of the version of the form that they were given to.
async function show_answers(frm) {
	const wrapper = frm.fields_dict.answers.$wrapper.empty();
	const data = parsed(frm.doc.data);
	if (!frm.doc.form_id || !data) {
		wrapper.append($("<p class='text-muted'>").text(__("No answers yet")));
		return;
	}
	const form = await frappe.db.get_doc("Field Form", frm.doc.form_id);
	const version = form.versions.find((row) => row.version === frm.doc.form_version);
	wrapper.empty().append(table_of(parsed(version?.definition) || [], data));
}

function parsed(value) {
	try {
		return typeof value === "string" ? JSON.parse(value) : value;
	} catch {
		return null;
	}
}

// Values come from devices: everything is set as text, never as HTML.
function table_of(questions, data) {
	const table = $("<table class='table table-bordered'>");
	const known = questions.map(({ name }) => name);
	const others = Object.keys(data).filter((name) => !known.includes(name));
	for (const question of [...questions, ...others.map((name) => ({ name, label: name }))]) {
		const value = data[question.name];
		const row = $("<tr>").appendTo(table);
		$("<th style='width: 35%'>").text(question.label).appendTo(row);
		const cell = $("<td>").appendTo(row);
		if (question.fields && Array.isArray(value)) {
			value.forEach((part) => cell.append(table_of(question.fields, part)));
		} else {
			cell.text(shown(value));
		}
	}
	return table;
}

function shown(value) {
	if (value === undefined || value === null) {
		return "–";
	}
	if (typeof value === "boolean") {
		return value ? __("Yes") : __("No");
	}
	if (Array.isArray(value)) {
		return value.join(", ");
	}
	return typeof value === "object"
		? Object.entries(value)
				.map(([key, part]) => `${key}: ${part}`)
				.join(", ")
		: String(value);
}
