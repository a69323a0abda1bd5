const KEYS = {
	j: (screen) => screen.go("next"),
	k: (screen) => screen.go("previous"),
	s: (screen) => screen.keep("server"),
	d: (screen) => screen.keep("client"),
};

/** Plain keys while the conflict is on the page and nobody is typing; one listener a form. */
export function listen(screen) {
	document.addEventListener("keydown", (event) => {
		const action = KEYS[event.key.toLowerCase()];
		if (!action || !screen.isShown() || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
		event.preventDefault();
		event.stopPropagation();
		action(screen);
	});
}

const isTyping = (event) =>
	event.target.closest("input, textarea, select, [contenteditable=true], .ace_editor, .modal") !== null;
