// An EventSource for browsers, which opens each stream with a ticket because it cannot send a token. See docs/live.md.
// RxDB: `replicateServer({ ..., headers, eventSource: TicketSource })`. Elsewhere: `new TicketSource(url, { headers })`.

const AGAIN = 2000; // milliseconds between two tries, and as many more by chance

export class TicketSource {
	/** `url` is the stream's; `headers` have the token, for the call that gives the ticket. */
	constructor(url, { headers, since = "" }) {
		Object.assign(this, { url, headers, since });
		this.open();
	}

	async open() {
		const answer = await fetch(`${this.url}/ticket`, { method: "POST", headers: this.#headers(), body: "{}" }).catch(() => null);
		if (this.closed) return;
		if (!answer?.ok) {
			this.onerror?.({ status: answer?.status });
			if (answer?.status !== 401) this.#again();
			return;
		}
		const { ticket } = await answer.json();
		if (!this.closed) this.#listen(ticket);
	}

	#listen(ticket) {
		const asked = new URLSearchParams({ ticket, ...(this.since ? { since: this.since } : {}) });
		const source = (this.source = new globalThis.EventSource(`${this.url}?${asked}`));
		source.onopen = (event) => this.onopen?.(event);
		source.onmessage = (event) => {
			this.since = event.lastEventId;
			this.onmessage?.(event);
		};
		for (const name of ["purge", "schema", "revoked", "refused"]) source.addEventListener(name, (event) => this[`on${name}`]?.(event));
		// A ticket is good once: the browser must not try again with the same.
		source.onerror = (event) => {
			source.close();
			this.onerror?.(event);
			this.#again();
		};
	}

	#again() {
		if (!this.closed) this.timer = setTimeout(() => this.open(), AGAIN * (1 + Math.random()));
	}

	#headers() {
		return { "Content-Type": "application/json", ...this.headers };
	}

	close() {
		this.closed = true;
		clearTimeout(this.timer);
		this.source?.close();
	}
}
