"""Finds out whether a text of a page runs: at once, or when a mouse or a key comes near."""

STIR = """() => {
	for (const one of document.querySelectorAll('*'))
		for (const kind of ['mouseover', 'mouseenter', 'focus'])
			one.dispatchEvent(new Event(kind));
	const handles = at => /^on[a-z]+$/.test(at.name) && at.value.includes('pwned');
	const found = Array.from(document.querySelectorAll('*')).filter(one => Array.from(one.attributes).some(handles));
	return found.map(one => one.cloneNode().outerHTML);
}"""


def stir(page):
	"""Elements with handlers that a text brought, after each had a chance to run, and whether a script did run."""
	handlers = page.evaluate(STIR)
	return handlers or (["a script"] if page.evaluate("window.pwned") else [])
