import { escape } from "./api";

const KINDS = {
	update: () => __("changed"),
	delete: () => __("deleted"),
	create: () => __("created once more"),
	unique: () => __("gave a value that is taken to"),
};
const ACTIONS = { submit: () => __("Submit"), cancel: () => __("Cancel"), amend: () => __("Amend") };

/** What people call an action: `workflow:Approve` is Approve. */
export function actionLabel(action) {
	const name = action.slice(action.indexOf(":") + 1);
	return ACTIONS[action]?.() || __(name);
}

const whatHappened = (view) =>
	view.action ? __("asked for {0} of", [`<strong>${escape(actionLabel(view.action))}</strong>`]) : KINDS[view.kind]();

const RESOLUTIONS = {
	accept_server: () => __("kept the server's side"),
	accept_client: () => __("kept the device's side"),
	manual_merge: () => __("merged both sides"),
};
const ENDINGS = {
	Dismissed: () => __("dismissed this conflict"),
	Superseded: () => __("A newer change of the same device took its place"),
	Decided: () => __("The policy settled it and kept what lost"),
};

const link = (doctype, name, label) =>
	name ? `<a href="${escape(frappe.utils.get_form_link(doctype, name))}">${escape(label)}</a>` : "";
const ago = (iso) => (iso ? `<span title="${escape(local(iso))}">${escape(comment_when_plain(iso))}</span>` : "");
const local = (iso) => moment(iso).format("YYYY-MM-DD HH:mm:ss");
const comment_when_plain = (iso) => moment(iso).fromNow();

/** Who, which record, which device, how long ago, and what became of it. */
export function headline(view) {
	const record = link(view.document_type, view.document_name, titleOf(view));
	const device = link("Sync Device", view.device.name, view.device.device_name || __("a device"));
	const who = `<strong>${escape(view.user_name || view.user)}</strong>`;
	const kind = __(view.entity_type);
	return `<header class="hs-headline">
		<div class="hs-avatar">${frappe.avatar(view.user, "avatar-medium")}</div>
		<div class="hs-who">
			<h2>${who} ${whatHappened(view)} <span class="hs-kind">${escape(kind)}</span> ${record}
				${__("on")} ${device}</h2>
			<p>${facts(view).join('<span class="hs-sep">·</span>')}</p>
		</div>
		<nav class="hs-links">${links(view)}</nav>
	</header>${note(view)}`;
}

function titleOf(view) {
	return view.title || view.document_name || view.client_id;
}

function facts(view) {
	const found = [ago(view.opened_at), escape(view.space.title || view.space.space_key)];
	if (view.client_time) found.push(`${__("changed")} ${ago(view.client_time)}${skew(view.clock_skew_ms)}`);
	if (view.server_time) found.push(`${__("server's value from")} ${ago(view.server_time)}`);
	found.push(`${__("policy")} <code>${escape(view.policy)}</code>`);
	return found;
}

/** How wrong the device's clock was, when it matters. */
function skew(ms) {
	if (!ms || Math.abs(ms) < 60000) return "";
	const off = moment.duration(Math.abs(ms)).humanize();
	const words = ms > 0 ? __("its clock was {0} fast", [off]) : __("its clock was {0} slow", [off]);
	return ` <span class="hs-skew">(${escape(words)})</span>`;
}

function links(view) {
	return [
		link("Sync Record", view.record, __("Record")),
		link("Sync Batch", view.batch, __("Batch")),
		link("Sync Item", view.item, __("Item")),
		link("Sync Device", view.device.name, __("Device")),
	].join("");
}

function note(view) {
	if (view.status !== "Open") return `<div class="hs-note hs-settled">${ending(view)}</div>`;
	if (view.current.is_deleted) {
		return `<div class="hs-note hs-moved">${__("The record was deleted since. Only the server's side can be kept.")}</div>`;
	}
	if (view.action) {
		return `<div class="hs-note hs-moved">${__("The person looked at an older version. See what was changed since, then have the action taken or leave the record as it is.")}</div>`;
	}
	if (!view.has_moved_on) return "";
	const words = __("The record was changed since this conflict was opened. The server's column shows what it holds now.");
	return `<div class="hs-note hs-moved">${words}</div>`;
}

function resolved(view) {
	if (!view.action) return RESOLUTIONS[view.resolution]();
	return view.resolution === "accept_client" ? __("had the action taken") : __("left the record as it is");
}

function ending(view) {
	const person = view.resolved_by ? `<strong>${escape(view.resolved_by_name || view.resolved_by)}</strong> ` : "";
	const what = view.resolution ? resolved(view) : ENDINGS[view.status]();
	const reason = view.reason ? `<span class="hs-reason">“${escape(view.reason)}”</span>` : "";
	return `${person}${what} ${ago(view.resolved_at)} ${reason}`;
}
