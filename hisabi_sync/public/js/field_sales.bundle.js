import { call, escape, refuse } from "./conflict/api";

frappe.provide("hisabi_sync");

const STATES = () => ({
	new: ["blue", __("Will be made")],
	exists: ["gray", __("There already")],
	missing: ["orange", __("Skipped")],
	made: ["green", __("Made just now")],
	refused: ["red", __("Refused")],
});

/** Shows what the preset would make on this site, makes it, and shows what was made. */
hisabi_sync.set_up_field_sales = async (done) => {
	const answer = await call("field_sales.plan", {});
	if (!answer.ok) return refuse(answer, __("Set up field sales"));
	const plan = answer.body;
	const dialog = new frappe.ui.Dialog({
		title: __("Set up field sales"),
		size: "large",
		fields: fields(plan),
		primary_action_label: __("Set up"),
		primary_action: () => make(dialog, done),
	});
	dialog.$wrapper.addClass("hs-field-sales");
	if (!plan.parts.some((part) => part.state === "new") && !plan.grantable.length) dialog.get_primary_btn().hide();
	dialog.fields_dict.plan.$wrapper.html(overview(plan));
	dialog.show();
};

function fields(plan) {
	const named = plan.grantable.map((name) => __(name)).join(", ");
	return [
		{ fieldname: "plan", fieldtype: "HTML" },
		{
			fieldname: "grant_reading",
			fieldtype: "Check",
			label: __("Let the role {0} read {1}", [__(plan.role), named]),
			description: __("Phones get only the selling prices of their price lists. In the Desk, the role can then read all prices."),
			hidden: !plan.grantable.length,
		},
	];
}

async function make(dialog, done) {
	dialog.disable_primary_action();
	const answer = await call("field_sales.make", { grant_reading: dialog.get_value("grant_reading") });
	if (!answer.ok) {
		dialog.enable_primary_action();
		return refuse(answer, __("Set up field sales"));
	}
	dialog.set_df_property("grant_reading", "hidden", 1);
	dialog.fields_dict.plan.$wrapper.html(overview(answer.body));
	dialog.get_primary_btn().hide();
	done();
}

function overview(plan) {
	const of = (kind) => plan.parts.filter((part) => part.kind === kind);
	return `<p class="hs-field-sales-head">${head(plan)}</p>
		${table(__("Who shares what"), of("Sync Space Type"))}
		${table(__("What is on phones"), of("Sync Entity"))}
		${rights(plan)}`;
}

function head({ parts }) {
	const count = (state) => parts.filter((part) => part.state === state).length;
	if (count("made") || count("refused")) return __("{0} made, {1} refused. Next: give people their territories, then look at See as.", [count("made"), count("refused")]);
	if (count("new")) return __("{0} will be made. What is there already stays as it is.", [count("new")]);
	if (count("exists")) return __("There is nothing left to make.");
	return __("This site has none of the document types of ERPNext.");
}

function table(title, parts) {
	return `<h5>${title}</h5><table><tbody>${parts.map(row).join("")}</tbody></table>`;
}

function row(part) {
	const [colour, text] = STATES()[part.state];
	const name = escape(__(part.title));
	const link = part.name ? `<a href="${frappe.utils.get_form_link(part.kind, part.name)}">${name}</a>` : name;
	const space = part.kind === "Sync Entity" ? `<small>${__("in {0}", [`<code>${escape(part.space_type)}</code>`])}</small>` : `<small><code>${escape(part.space_type)}</code></small>`;
	return `<tr><td>${link} ${space}${note(part)}</td><td><span class="indicator-pill ${colour}">${text}</span></td></tr>`;
}

function note(part) {
	if (part.reason) return `<p class="text-danger">${escape(part.reason)}</p>`;
	if (!part.lacks.length) return "";
	const names = part.lacks.map((name) => escape(__(name))).join(", ");
	return `<p>${part.state === "missing" ? __("The site does not have {0}", [names]) : __("Without what needs {0}, which the site does not have", [names])}</p>`;
}

function rights({ role, unreadable }) {
	if (!unreadable.length) return "";
	const names = unreadable.map((name) => escape(__(name))).join(", ");
	return `<p class="hs-field-sales-rights">${__("The role {0} may not read: {1}. Only people who have another role that lets them read these get them on their phones.", [`<b>${escape(__(role))}</b>`, names])}</p>`;
}
