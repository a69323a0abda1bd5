import { escape } from "../conflict/api";

const HEADS = () => ({
	type: __("Type"),
	path: __("Path"),
	record: __("Record"),
	member: __("Membership"),
	rights: __("Frappe's permissions"),
	device: __("Device"),
});
const MARKS = { true: ["hs-see-yes", "✓"], false: ["hs-see-no", "✕"], null: ["hs-see-note", "i"] };

/** Whether a document reaches the devices, and each reason, as HTML. */
export function verdict(why) {
	const [tone, text] = why.seen
		? ["hs-see-yes", __("A pull brings this document to the user's devices.")]
		: ["hs-see-no", __("No pull brings this document to the user's devices.")];
	return `<p class="hs-see-verdict ${tone}" role="status">${text}</p>
		<ol class="hs-see-steps">${why.steps.map(step).join("")}</ol>`;
}

function step({ step, ok, text, detail }) {
	const [tone, mark] = MARKS[ok];
	const more = detail.length ? `<ul>${detail.map((line) => `<li>${escape(line)}</li>`).join("")}</ul>` : "";
	return `<li class="${tone}"><i aria-hidden="true">${mark}</i><div><b>${HEADS()[step]}</b><span>${escape(text)}</span>${more}</div></li>`;
}
