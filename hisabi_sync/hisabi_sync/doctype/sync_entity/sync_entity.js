frappe.ui.form.on("Sync Entity", {
	setup(frm) {
		frm.set_query("print_format", () => ({ filters: { doc_type: frm.doc.document_type } }));
		frappe.realtime.on("hisabi_sync_headway", ({ entity_type, headway }) => {
			if (entity_type !== frm.doc.name || !frm.doc.__onload) return;
			frm.doc.__onload.headway = headway;
			frm.trigger("show_headway");
		});
	},

	refresh(frm) {
		frm.trigger("show_headway");
		frm.trigger("show_slow");
		if (frm.doc.__onload?.numbering) frm.events.explain_numbering(frm, frm.doc.__onload.numbering);
		if (frm.doc.document_type && frm.perm[0]?.write) {
			frm.add_custom_button(__("Propose fields"), () => frm.trigger("ask_to_propose"));
		}
	},

	// A list that nobody has changed follows the DocType. One after the other: each answer brings the form as it was sent.
	async document_type(frm) {
		if (!frm.is_new() || !frm.doc.document_type) return;
		if (!is_changed(frm)) await frm.trigger("propose_fields");
		await frm.trigger("propose_numbering");
		if (!frm.doc.actions?.length || frm.proposed_actions === actions_of(frm)) await frm.trigger("propose_actions");
	},

	space_type(frm) {
		if (frm.is_new() && frm.doc.document_type) frm.trigger("propose_numbering");
	},

	async propose_numbering(frm) {
		const { message } = await frm.call("propose_numbering");
		frm.events.explain_numbering(frm, message);
		await frm.set_value("numbering", message?.numbering || "In the same transaction");
	},

	explain_numbering(frm, proposed) {
		const usual = __(frappe.meta.get_docfield("Sync Entity", "numbering").description);
		frm.set_df_property("numbering", "description", proposed ? frappe.utils.escape_html(proposed.why) : usual);
	},

	async propose_actions(frm) {
		const { message } = await frm.call("propose_actions");
		frm.clear_table("actions");
		for (const row of message || []) frm.add_child("actions", row);
		frm.proposed_actions = actions_of(frm);
		frm.refresh_field("actions");
	},

	ask_to_propose(frm) {
		const propose = () => frm.trigger("propose_fields");
		if (!is_changed(frm)) return propose();
		frappe.confirm(__("Replace the list of fields with the proposal?"), propose);
	},

	async propose_fields(frm) {
		const { message } = await frm.call("propose_fields");
		frm.clear_table("fields");
		for (const row of message || []) frm.add_child("fields", row);
		frm.proposed = listed(frm);
		frm.refresh_field("fields");
		frm.dirty();
	},

	// Below the choice of the write mode: what the engine does, and why.
	show_slow(frm) {
		const reasons = frm.doc.__onload?.slow;
		if (!reasons) return;
		const said = reasons.length
			? __("A push saves these documents one by one: {0}", [frappe.utils.escape_html(reasons.join("; "))])
			: __("A push writes these documents in bulk.");
		frm.set_df_property("write_mode", "description", said);
	},

	show_headway(frm) {
		if (frm.doc.problem) {
			const reason = frappe.utils.escape_html(frm.doc.problem);
			return frm.set_intro(__("Devices cannot use this entity type: {0}", [reason]), "red");
		}
		const said = under_way(frm.doc.__onload?.headway) || to_number(frm.doc.__onload?.numbered);
		frm.set_intro("");
		const unserved = frm.doc.__onload?.unserved;
		if (unserved) frm.set_intro(frappe.utils.escape_html(unserved), "orange");
		if (said) frm.set_intro(said, "blue");
		const left = frm.doc.__onload?.waiting;
		if (left) frm.set_intro(to_bring(left), "blue");
	},
});

const listed = (frm) => JSON.stringify((frm.doc.fields || []).map((row) => [row.fieldname, row.access, row.aliases, row.required]));

const actions_of = (frm) => JSON.stringify((frm.doc.actions || []).map((row) => [row.action, row.on_newer, row.if_refused]));

function is_changed(frm) {
	return Boolean(frm.doc.fields?.length) && listed(frm) !== frm.proposed;
}

function under_way(headway) {
	if (!headway) return "";
	if (headway.waiting) return __("A worker is going to compare the documents with the records that devices have.");
	return __("{0} of {1} documents are compared with the records that devices have.", [headway.compared, headway.documents]);
}

function to_bring({ waiting, since }) {
	const when = frappe.datetime.str_to_user(since);
	return __("{0} changes wait for a worker that brings them to devices, the oldest since {1}.", [waiting, when]);
}

function to_number(numbered) {
	if (!numbered || numbered.records >= numbered.documents) return "";
	return __("{0} of {1} documents are numbered for devices; a worker goes on with those that belong to a space.", [
		numbered.records,
		numbered.documents,
	]);
}
