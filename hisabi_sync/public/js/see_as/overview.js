import { escape } from "../conflict/api";

const ROLES = () => ({ viewer: __("viewer"), member: __("member"), admin: __("admin"), owner: __("owner") });

/** Who it is, and their spaces, as HTML. */
export function overview(seen) {
	const active = seen.spaces.filter((space) => space.status === "active");
	const others = seen.spaces.filter((space) => space.status !== "active");
	return `${who(seen, active)}
		<section class="hs-see-card">
			<h3>${__("Why is a document there, or not?")}</h3>
			<div class="hs-see-ask"></div>
			<div class="hs-see-answer"></div>
		</section>
		<section class="hs-see-card">
			<h3>${__("Spaces")}</h3>
			${active.length ? table(active, seen.device) : `<p class="text-muted">${__("The user is a member of no space.")}</p>`}
			${seen.more ? `<p class="text-muted small">${__("The user is in more spaces than are shown here.")}</p>` : ""}
		</section>
		${others.length ? left(others) : ""}`;
}

function who({ person, device }, active) {
	const name = escape(person.full_name || person.user);
	const avatar = frappe.get_avatar("avatar-large", person.full_name || person.user);
	const records = active.flatMap((space) => space.counts).reduce((sum, count) => sum + count.seen, 0);
	const states = [
		person.enabled ? "" : pill("red", __("Disabled")),
		device ? pill(device.status === "Active" ? "green" : "gray", `${escape(device.title)} · ${__(device.status)}`) : "",
	];
	return `<section class="hs-see-card hs-see-who">
		${avatar}
		<div class="hs-see-name"><h2>${name}</h2>
			<p>${escape(person.user)} ${states.join(" ")}</p>
			<p class="hs-see-roles">${person.roles.map((role) => `<span>${escape(__(role))}</span>`).join("")}</p></div>
		<dl><div><dd>${active.length}</dd><dt>${__("spaces")}</dt></div><div><dd>${records}</dd><dt>${__("records")}</dt></div></dl>
	</section>`;
}

const pill = (colour, text) => `<span class="indicator-pill ${colour}">${text}</span>`;

function table(spaces, device) {
	const heads = [__("Space"), __("Role"), __("Why"), __("Records that the user may read"), device ? __("Confirmed") : ""];
	return `<div class="hs-see-frame"><table class="hs-see-table"><thead><tr>${heads.filter(Boolean).map((head) => `<th>${head}</th>`).join("")}</tr></thead>
		<tbody>${spaces.map((space) => line(space, device)).join("")}</tbody></table></div>`;
}

function line(space, device) {
	const archived = space.space_status === "Active" ? "" : ` ${pill("gray", __(space.space_status))}`;
	const cells = [
		`<a href="${frappe.utils.get_form_link("Sync Space", space.name)}">${escape(space.title || space.space_key)}</a>${archived}
			<small>${kind_of(space)}</small>`,
		pill(space.role === "viewer" ? "gray" : "blue", ROLES()[space.role]),
		space.rule ? escape(space.rule) : `<span class="text-muted">${__("by hand")}</span>`,
		counts(space.counts),
	];
	if (device) cells.push(space.confirmed === null ? "–" : __("{0} of {1}", [space.confirmed, space.position]));
	return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** The kind of a space; a joint space is called so. */
function kind_of(space) {
	const kind = escape(space.space_type);
	return space.space_key.startsWith("joint:") ? `${__("Joint space")} · ${kind}` : kind;
}

/** What Frappe hides from the user stands out. */
function counts(list) {
	const chip = ({ entity_type, records, seen }) => {
		const number = seen === records ? seen : __("{0} of {1}", [seen, records]);
		return `<span class="hs-see-chip${seen === records ? "" : " hs-see-some"}">${escape(entity_type)} <b>${number}</b></span>`;
	};
	return list.length ? list.map(chip).join("") : `<span class="text-muted">–</span>`;
}

function left(spaces) {
	const said = { removed: __("Left"), pending: __("Invited") };
	const row = (space) => `<tr><td>${escape(space.title || space.space_key)} <small>${kind_of(space)}</small></td>
		<td>${pill(space.status === "removed" ? "gray" : "orange", said[space.status])}</td>
		<td>${space.rule ? escape(space.rule) : `<span class="text-muted">${__("by hand")}</span>`}</td>
		<td>${space.since ? when_of(space.since) : ""}</td></tr>`;
	return `<details class="hs-see-card"><summary>${__("Spaces that the user is not in now")} (${spaces.length})</summary>
		<table class="hs-see-table"><tbody>${spaces.map(row).join("")}</tbody></table></details>`;
}

/** A moment of the wire in the person's zone and format. */
function when_of(text) {
	return escape(moment(text).format(`${frappe.datetime.get_user_date_fmt().toUpperCase()} HH:mm`));
}
