import { call, refuse } from "./conflict/api";
import { overview } from "./see_as/overview";
import { verdict } from "./see_as/verdict";

frappe.provide("hisabi_sync");

/** The page See as: for a user or a device its spaces, and for one document why it is there or is not. */
hisabi_sync.SeeAs = class {
	constructor(page) {
		this.page = page;
		this.asked = 0;
		this.fields = this.make_fields();
		this.$body = $(`<div class="hs-see">
			<div class="hs-see-empty">${__("Choose a user or a device to see what reaches it, and why.")}</div>
		</div>`).appendTo(page.main);
	}

	make_fields() {
		const changed = (mine, other) => () => this.chose(mine, other);
		const link = (fieldname, options, label, other) =>
			this.page.add_field({ fieldtype: "Link", fieldname, options, label, change: changed(fieldname, other) });
		return {
			user: link("user", "User", __("User"), "device"),
			device: link("device", "Sync Device", __("Device"), "user"),
		};
	}

	/** Of user and device one is chosen; a link to the page may name it. */
	take_route() {
		const { user, device } = { ...frappe.utils.get_query_params(), ...frappe.route_options };
		frappe.route_options = null;
		const value = device ? ["device", device] : user ? ["user", user] : null;
		if (value && this.fields[value[0]].get_value() !== value[1]) this.fields[value[0]].set_value(value[1]);
	}

	chose(mine, other) {
		const value = this.fields[mine].get_value();
		if (value === this[mine]) return;
		this[mine] = value;
		if (!value) return;
		this[other] = "";
		this.fields[other].set_value("");
		this.show();
	}

	whom() {
		return this.device ? { device: this.device } : { user: this.user };
	}

	async show() {
		const asked = ++this.asked;
		const answer = await call("see_as.spaces", this.whom());
		if (asked !== this.asked) return; // somebody else was chosen meanwhile
		if (!answer.ok) return refuse(answer, __("See as"));
		this.question = null;
		this.$body.html(overview(answer.body));
		this.make_question(answer.body.types);
	}

	/** The question about one document; only DocTypes that are synced are offered. */
	make_question(types) {
		const parent = this.$body.find(".hs-see-ask");
		const make = (df) => frappe.ui.form.make_control({ df, parent, render_input: true });
		const options = types.map((type) => ({ value: type.doctype, label: __(type.doctype) }));
		this.doctype = make({
			fieldtype: "Autocomplete",
			fieldname: "doctype",
			label: __("Document type"),
			options,
			change: () => this.document.set_value(""),
		});
		this.document = make({
			fieldtype: "Dynamic Link",
			fieldname: "document",
			label: __("Document"),
			get_options: () => this.doctype.get_value(),
			change: () => this.ask(),
		});
	}

	async ask() {
		const [doctype, name] = [this.doctype.get_value(), this.document.get_value()];
		const question = doctype && name ? { ...this.whom(), document_type: doctype, document: name } : null;
		if (JSON.stringify(question) === this.question) return; // leaving the field says that it changed
		this.question = JSON.stringify(question);
		const $answer = this.$body.find(".hs-see-answer").empty();
		if (!question) return;
		const answer = await call("see_as.why", question);
		if (JSON.stringify(question) !== this.question) return;
		answer.ok ? $answer.html(verdict(answer.body)) : refuse(answer, __("See as"));
	}
};
