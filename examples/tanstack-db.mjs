// A TanStack DB collection on the calls of docs/contracts/rxdb.md: what the server changed comes in, mutations go out at once.
// It has no outbox: what is not answered when the app ends is gone. An app that is to work offline takes RxDB.

/**
 * `{options, pull}`: `options` are for `createCollection`, and `pull()` brings what changed. Call it when an event comes, or every few
 * seconds. `get(address)` and `post(address, body)` add the token and throw unless the answer is 200; `base` is the collection's
 * address, such as `/rxdb/v1/site/task/0`.
 */
export function hisabiCollection({ id, base, get, post }) {
	const known = new Set(); // ids that the server has told; the collection itself also shows what was only written here
	let checkpoint = { id: "", lwt: 0 };
	let target;

	// One after the other: a late answer must not put what is old over what is new.
	let last = Promise.resolve();
	const pull = () => (last = last.catch(() => {}).then(pullAll));

	async function pullAll() {
		let page;
		do {
			page = await get(`${base}/pull?${new URLSearchParams({ ...checkpoint, limit: 500 })}`);
			apply(page.documents);
			checkpoint = page.checkpoint;
		} while (page.documents.length >= 500);
	}

	function apply(documents) {
		target.begin();
		for (const { _deleted, ...value } of documents) {
			if (_deleted && known.delete(value.id)) target.write({ type: "delete", value });
			if (!_deleted) target.write({ type: known.has(value.id) ? "update" : "insert", value });
			if (!_deleted) known.add(value.id);
		}
		target.commit();
	}

	async function push({ transaction }) {
		const rows = transaction.mutations.map(({ type, original, modified }) => ({
			newDocumentState: { ...(type === "delete" ? original : modified), _deleted: type === "delete" },
			...(type === "insert" ? {} : { assumedMasterState: { ...original, _deleted: false } }),
		}));
		const refused = await post(`${base}/push`, rows);
		await pull(); // what was applied comes back, with what the server computed
		if (refused.length) throw new Error(`not applied: ${refused.map((one) => one.id).join(", ")}`); // TanStack takes it back
	}

	const sync = (given) => {
		target = given;
		pull().then(given.markReady, given.markError);
	};
	return {
		options: { id, getKey: (one) => one.id, sync: { sync }, onInsert: push, onUpdate: push, onDelete: push },
		pull,
	};
}
