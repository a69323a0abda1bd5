frappe.provide("hisabi_sync");

const VIEW = "/api/method/hisabi_sync.api.media.view?key=";
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const PDF = "application/pdf";
const LARGEST = 25 * 1024 * 1024; // bytes that a form loads to show them

/** Files `{name, file_name, content_type, size, state}` of Sync Media as cards. Names come from devices: text, never HTML. */
hisabi_sync.show_media = ($wrapper, files) => {
	$wrapper.empty();
	const cards = files.map((file) => card(file));
	if (cards.length) $("<div class='hs-media'>").append(cards).appendTo($wrapper);
	else $("<p class='text-muted'>").text(__("No files")).appendTo($wrapper);
};

/** The files that a submission names. */
hisabi_sync.media_of = async (submission) => {
	const links = await frappe.db.get_list("Field Submission Media", { filters: { submission }, fields: ["media"], limit: 100 });
	const names = links.map(({ media }) => media);
	const fields = ["name", "file_name", "content_type", "size", "state"];
	return names.length ? frappe.db.get_list("Sync Media", { filters: { name: ["in", names] }, fields, limit: 100 }) : [];
};

function card(file) {
	const ready = ["Uploaded", "Used"].includes(file.state);
	const shown = ready && file.size <= LARGEST && (IMAGES.has(file.content_type) || file.content_type === PDF);
	const $card = $("<figure class='hs-file'>").attr("data-key", file.name);
	$card.append(shown && IMAGES.has(file.content_type) ? picture(file) : symbol(file));
	const $caption = $("<figcaption>").appendTo($card);
	$("<a class='hs-file-name'>").attr("href", frappe.utils.get_form_link("Sync Media", file.name)).append($("<bdi>").text(file.file_name)).appendTo($caption);
	$("<span class='text-muted'>").text(facts(file)).appendTo($caption);
	if (ready) $caption.append(buttons(file, shown));
	return $card;
}

function facts(file) {
	const size = file.size < 1024 ? __("{0} bytes", [file.size]) : frappe.form.formatters.FileSize(file.size);
	return [file.content_type, size, ["Uploaded", "Used"].includes(file.state) ? "" : __(file.state)].filter(Boolean).join(" · ");
}

function picture(file) {
	const $button = $("<button type='button' class='hs-thumb'>").attr("aria-label", __("Show {0}", [file.file_name]));
	$("<img loading='lazy' alt=''>").attr("src", VIEW + file.name).appendTo($button);
	return $button.on("click", () => open(file));
}

const symbol = (file) =>
	$("<div class='hs-thumb hs-symbol' aria-hidden='true'>").text((file.file_name.split(".").pop() || "").slice(0, 4).toUpperCase());

function buttons(file, shown) {
	const $save = $("<a>").attr("href", `${VIEW}${file.name}&download=1`).text(__("Download"));
	const $show = $("<button type='button' class='btn-link'>").text(__("Show")).on("click", () => open(file));
	return $("<span class='hs-file-actions'>").append(shown ? $show : "", $save);
}

/** Large, in a dialog. A PDF is given to the browser's own viewer as nothing but a PDF. */
async function open(file) {
	const dialog = new frappe.ui.Dialog({ title: frappe.utils.escape_html(file.file_name), size: "extra-large" });
	dialog.show();
	dialog.$body.addClass("hs-large");
	if (IMAGES.has(file.content_type)) return $("<img>").attr({ src: VIEW + file.name, alt: file.file_name }).appendTo(dialog.$body);
	const url = await blob(file).catch(() => null);
	if (!url) return $("<p class='text-muted'>").text(__("This file cannot be shown here; download it")).appendTo(dialog.$body);
	$("<iframe>").attr({ src: url, title: file.file_name }).appendTo(dialog.$body);
	dialog.onhide = () => URL.revokeObjectURL(url);
}

async function blob(file) {
	const answer = await fetch(VIEW + file.name);
	if (!answer.ok) throw new Error(answer.statusText);
	return URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: PDF }));
}
