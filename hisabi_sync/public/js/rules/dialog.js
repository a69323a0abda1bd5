import { call, escape, refuse } from "../conflict/api";
import { table } from "./table";

const choices = () => [
	{ value: "client", label: __("The device's value always wins") },
	{ value: "server", label: __("The server's value always wins") },
	{ value: "ask", label: __("A person decides, as the policy says") },
];

/** Opens the dialog for a conflict; `preferred` maps fields to the side that the person has chosen in the form. */
export async function propose(conflict, preferred = {}) {
	const answer = await call("rules.options", { conflict_id: conflict });
	if (!answer.ok) return refuse(answer, __("Rule"));
	if (!answer.body.fields.length) return frappe.show_alert(__("This conflict has no field that a rule could decide"));
	return new RuleDialog(conflict, answer.body, preferred).show();
}

class RuleDialog {
	constructor(conflict, options, preferred) {
		Object.assign(this, { conflict, options, preferred });
		this.dialog = new frappe.ui.Dialog({
			title: __("Always decide like this: {0}", [escape(__(options.entity_type))]),
			size: "large",
			fields: this.fields(),
			primary_action_label: __("Save rule"),
			primary_action: () => this.save(),
		});
		this.dialog.$wrapper.addClass("hs-rules");
	}

	fields() {
		const fields = this.options.fields.map((field) => ({ value: field.name, label: field.label }));
		const first = fields.find((field) => ["client", "server"].includes(this.preferred[field.value])) || fields[0];
		const changed = () => this.preview();
		return [
			{ fieldname: "field", label: __("Field"), fieldtype: "Select", options: fields, default: first.value, reqd: 1, onchange: changed },
			{ fieldtype: "Column Break" },
			{ fieldname: "rule", label: __("From now on"), fieldtype: "Select", options: choices(), default: this.start(first.value), reqd: 1, onchange: changed },
			{ fieldtype: "Section Break" },
			{ fieldname: "preview", fieldtype: "HTML" },
			{ fieldtype: "Section Break", hide_border: 1 },
			{ fieldname: "reason", label: __("Reason"), fieldtype: "Data", hidden: !this.options.may_save },
		];
	}

	start(field) {
		const side = this.preferred[field];
		if (["client", "server"].includes(side)) return side;
		const standing = this.options.fields.find((each) => each.name === field).rule;
		return standing === "ask" ? "client" : standing;
	}

	show() {
		this.dialog.show();
		return this.preview();
	}

	given() {
		return { conflict_id: this.conflict, field: this.dialog.get_value("field"), rule: this.dialog.get_value("rule") };
	}

	/** Ask what the rule would have decided; of two answers under way only the last is shown. */
	async preview() {
		const given = this.given();
		const asked = JSON.stringify(given);
		if (!given.field || !given.rule || asked === this.asked) return;
		this.asked = asked;
		const answer = await call("rules.preview", given);
		if (asked !== this.asked) return;
		if (!answer.ok) return refuse(answer, __("Rule"));
		this.dialog.fields_dict.preview.$wrapper.html(table(answer.body, this.standing(given)));
		const primary = this.dialog.get_primary_btn();
		primary.toggle(this.options.may_save).prop("disabled", this.stands(given));
	}

	standing(given) {
		const rule = this.options.fields.find((field) => field.name === given.field).rule;
		return choices().find((choice) => choice.value === rule).label;
	}

	stands(given) {
		return this.options.fields.find((field) => field.name === given.field).rule === given.rule;
	}

	async save() {
		const answer = await call("rules.save", { ...this.given(), reason: this.dialog.get_value("reason") });
		if (!answer.ok) return refuse(answer, __("Rule"));
		this.dialog.hide();
		frappe.show_alert({ message: __("The rule is saved and holds for every change from now on"), indicator: "green" });
	}
}
