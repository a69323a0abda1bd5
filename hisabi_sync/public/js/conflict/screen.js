import { call, escape, refuse } from "./api";
import { actionLabel, headline } from "./headline";
import { listen } from "./keys";
import { preview } from "./preview";
import { resultValue, sideValue, table } from "./table";
import { askValue } from "./typed";
import { same } from "./values";

/** The three-way table in a form of Sync Conflict. */
export class Screen {
	constructor(frm) {
		this.frm = frm;
		this.wrapper = $('<div class="hs-centre"></div>').prependTo(frm.layout.wrapper);
		$(frm.page.wrapper).addClass("hs-page");
		this.wrapper.on("click", ".hs-pick", (event) => this.pickFrom(event));
		// A handler that gives false back swallows the key.
		this.wrapper.on("keydown", ".hs-pick", (event) => {
			if (event.key === " ") this.pickFrom(event);
		});
		this.wrapper.on("click", ".hs-all", (event) => this.keepAll(event.currentTarget.dataset.all));
		this.wrapper.on("click", ".hs-type", (event) => this.typeInto(event));
		this.wrapper.on("change", ".hs-switch input", (event) => this.set({ all: event.target.checked }));
		this.wrapper.on("click", ".hs-preview-button", () => this.togglePreview());
		this.wrapper.on("click", ".hs-details-button", () => this.toggleDetails());
		this.wrapper.on("input", ".hs-why", (event) => (this.state.reason = event.target.value));
		listen(this);
	}

	/** Ask the server and draw. A conflict that another person settled meanwhile comes here by a reload of the form. */
	async show() {
		const name = this.frm.doc.name;
		const answer = await call("conflicts.form", { conflict_id: name });
		if (name !== this.frm.doc.name) return;
		if (!answer.ok) return this.wrapper.html(`<p class="hs-note">${escape(answer.body.message)}</p>`);
		this.view = answer.body;
		const known = this.state?.name === name ? this.state : { name, all: false, reason: "" };
		this.state = { ...known, choices: this.begin(), preview: "", readOnly: this.isReadOnly() };
		this.draw();
	}

	isReadOnly() {
		return !this.view.may_settle || this.view.status !== "Open";
	}

	/** What does not clash is the device's to begin with; what does is for a person to say. */
	begin() {
		const clear = this.view.rows.filter((row) => row.asked && this.view.proposed[row.name] === "client");
		return Object.fromEntries(clear.map((row) => [row.name, { side: "client" }]));
	}

	set(values) {
		Object.assign(this.state, values);
		this.draw();
	}

	draw() {
		const focused = this.focused();
		this.wrapper.html(`${headline(this.view)}
			<div class="hs-frame">${table(this.view, this.tableState())}</div>
			${this.state.preview}${this.footer()}`);
		this.frm.layout.wrapper.find(".form-page").toggle(Boolean(this.state.details));
		this.buttons();
		if (focused) this.wrapper.find(`tr[data-field="${focused.field}"] [data-side="${focused.side}"]`).trigger("focus");
	}

	/** What was changed since a device asked for an action is shown; there is nothing to choose in it. */
	tableState() {
		return this.view.action ? { ...this.state, readOnly: true } : this.state;
	}

	focused() {
		const cell = document.activeElement?.closest?.(".hs-pick");
		return cell && { field: cell.closest("tr").dataset.field, side: cell.dataset.side };
	}

	footer() {
		const reason = this.state.readOnly
			? ""
			: `<input class="hs-why form-control input-sm" value="${escape(this.state.reason)}"
				placeholder="${__("Reason (kept with the decision)")}" aria-label="${__("Reason")}">`;
		const preview = this.tableState().readOnly ? "" : text("hs-preview-button", this.state.preview ? __("Hide preview") : __("Preview"));
		const keys = [["J", __("next")], ["K", __("previous")], ...(this.tableState().readOnly ? [] : [["S", __("server")], ["D", __("device")]])];
		return `<footer class="hs-footer">
			<label class="hs-switch"><input type="checkbox" ${this.state.all ? "checked" : ""}> ${__("All fields")}</label>
			${preview}${text("hs-details-button", this.state.details ? __("Hide details") : __("Details"))}
			<span class="hs-keys">${keys.map(([key, what]) => `<kbd>${key}</kbd> ${what}`).join(" ")}</span>${reason}
		</footer>`;
	}

	buttons() {
		const page = this.frm.page;
		page.clear_primary_action();
		page.clear_menu();
		this.frm.page.clear_inner_toolbar();
		if (!this.view.may_settle) return;
		if (this.view.status === "Open") this.openButtons(page);
		else page.add_menu_item(__("Reopen"), () => this.reopen());
		if (this.view.kind === "update") page.add_menu_item(__("Always decide like this"), () => this.proposeRule());
	}

	/** From this conflict to a rule for one of its fields. */
	async proposeRule() {
		const sides = Object.entries(this.state.choices).map(([name, choice]) => [name, choice.side]);
		await frappe.require(["rules.bundle.js", "rules.bundle.css"]);
		return hisabi_sync.propose_rule(this.view.conflict_id, Object.fromEntries(sides));
	}

	openButtons(page) {
		if (this.view.action) return this.actionButtons(page);
		page.set_primary_action(__("Apply"), () => this.apply());
		page.btn_primary.prop("disabled", !this.isDecided()).attr("title", this.missing());
		page.add_menu_item(__("Keep the server's side"), () => this.settle({ resolution: "accept_server" }));
		if (!this.view.current.is_deleted) {
			page.add_menu_item(__("Keep the device's side"), () => this.settle({ resolution: "accept_client" }));
		}
		page.add_menu_item(__("Dismiss"), () => this.dismiss());
	}

	actionButtons(page) {
		if (!this.view.current.is_deleted) {
			const label = __("Take the action: {0}", [actionLabel(this.view.action)]);
			page.set_primary_action(label, () => this.settle({ resolution: "accept_client" }));
		}
		page.add_inner_button(__("Leave as it is"), () => this.settle({ resolution: "accept_server" }));
		page.add_menu_item(__("Dismiss"), () => this.dismiss());
	}

	undecided() {
		return this.asked().filter((row) => !this.state.choices[row.name]);
	}

	isDecided() {
		if (this.view.current.is_deleted) return false;
		if (this.view.kind === "delete" && !this.whole() && !this.hasTyped()) return false;
		return this.undecided().length === 0;
	}

	missing() {
		return this.isDecided() ? "" : __("Choose a side for every field first");
	}

	/** The side that is kept in every field, or nothing. */
	whole() {
		const sides = new Set(this.asked().map((row) => this.state.choices[row.name]?.side));
		return sides.size === 1 && !this.hasTyped() ? [...sides][0] : undefined;
	}

	asked() {
		return this.view.rows.filter((row) => row.asked && row.writable);
	}

	hasTyped() {
		return Object.values(this.state.choices).some((choice) => "value" in choice);
	}

	pickFrom(event) {
		event.preventDefault();
		const cell = event.currentTarget;
		if (event.target.closest("a")) return;
		this.pick(cell.closest("tr").dataset.field, cell.dataset.side);
	}

	pick(field, side) {
		this.choose(field, { side });
	}

	/** A delete is kept or refused as a whole: with one value of the record the others stay too. */
	choose(field, choice) {
		const others = this.view.kind === "delete" ? this.othersOfDelete(choice) : this.state.choices;
		this.set({ choices: { ...others, [field]: choice }, preview: "" });
	}

	othersOfDelete(choice) {
		if (choice.side === "client") return this.allOf("client");
		const typed = Object.entries(this.state.choices).filter(([, other]) => "value" in other);
		return { ...this.allOf("server"), ...Object.fromEntries(typed) };
	}

	allOf(side) {
		return Object.fromEntries(this.asked().map((row) => [row.name, { side }]));
	}

	keepAll(side) {
		if (!this.tableState().readOnly) this.set({ choices: this.allOf(side), preview: "" });
	}

	/** Keep a side of the row that has the focus, or of all rows. */
	keep(side) {
		const focused = this.focused();
		focused ? this.pick(focused.field, side) : this.keepAll(side);
	}

	async typeInto(event) {
		const field = event.currentTarget.closest("tr").dataset.field;
		const row = this.view.rows.find((each) => each.name === field);
		const value = await askValue(row, resultValue(row, this.view, this.state.choices[field]));
		this.choose(field, { value });
	}

	/** The decision as the server takes it: one side in every field is that side, and no merge. */
	decision() {
		const version = this.view.has_moved_on ? { version: this.view.current.doc_version } : {};
		const base = { conflict_id: this.view.conflict_id, reason: this.state.reason, ...version };
		const resolution = WHOLE[this.whole()];
		if (resolution) return { ...base, resolution };
		return { ...base, resolution: "manual_merge", keep: this.kept(), values: this.typed() };
	}

	kept() {
		const chosen = Object.entries(this.state.choices).filter(([, choice]) => choice.side && choice.side !== "server");
		return Object.fromEntries([...chosen.map(([name, choice]) => [name, choice.side]), ...this.broughtBack()]);
	}

	/** The server's side of a reopened conflict may differ from what the record holds now. */
	broughtBack() {
		const back = this.view.rows.filter((row) => {
			const value = sideValue(row, "server", this.view);
			return row.asked && this.state.choices[row.name]?.side === "server" && !same(value, row.current);
		});
		return back.map((row) => [row.name, "server"]);
	}

	typed() {
		const typed = Object.entries(this.state.choices).filter(([, choice]) => "value" in choice);
		return Object.fromEntries(typed.map(([name, choice]) => [name, choice.value]));
	}

	apply() {
		return this.isDecided() && this.settle(this.decision());
	}

	async settle(values) {
		const version = this.view.has_moved_on ? { version: this.view.current.doc_version } : {};
		const given = { conflict_id: this.view.conflict_id, reason: this.state.reason, ...version, ...values };
		const answer = await call("conflicts.resolve", given);
		if (!answer.ok) return this.refused(answer);
		frappe.show_alert({ message: __("Applied as version {0}", [answer.body.doc_version]), indicator: "green" });
		await this.frm.reload_doc();
	}

	async refused(answer) {
		if (answer.body.error_code === "record_changed" || answer.body.error_code === "already_settled") {
			frappe.show_alert({ message: escape(answer.body.message), indicator: "orange" }, 8);
			return this.frm.reload_doc();
		}
		refuse(answer);
	}

	async togglePreview() {
		if (this.state.preview) return this.set({ preview: "" });
		const answer = await call("conflicts.resolve", { ...this.decision(), dry_run: true });
		if (!answer.ok) return this.refused(answer);
		this.set({ preview: preview(this.view, this.state, answer.body) });
	}

	toggleDetails() {
		this.set({ details: !this.state.details });
	}

	dismiss() {
		const field = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 };
		frappe.prompt(field, (given) => this.end("conflicts.dismiss", given), __("Dismiss this conflict"), __("Dismiss"));
	}

	reopen() {
		const field = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason") };
		frappe.prompt(field, (given) => this.end("conflicts.reopen", given), __("Reopen this conflict"), __("Reopen"));
	}

	async end(method, given) {
		const answer = await call(method, { conflict_id: this.view.conflict_id, reason: given.reason });
		answer.ok ? await this.frm.reload_doc() : await this.refused(answer);
	}

	go(direction) {
		const name = this.view[direction];
		if (name) frappe.set_route("Form", "Sync Conflict", name);
		else frappe.show_alert({ message: __("There are no more open conflicts in this direction"), indicator: "blue" });
	}

	isShown() {
		return this.view && frappe.get_route_str() === `Form/Sync Conflict/${this.frm.doc.name}`;
	}
}

const WHOLE = { server: "accept_server", client: "accept_client" };

const text = (name, label) => `<button type="button" class="hs-text ${name}">${label}</button>`;
