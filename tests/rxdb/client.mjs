// One app with RxDB itself: collections of the site's own schema, and replication with the lines of docs/contracts/rxdb.md.
// It reads commands as lines of JSON, {"do", ...}, and answers each with a line, {"gives"} or {"fails"}.
import { pathToFileURL } from "node:url";
import path from "node:path";
import { TicketSource } from "../../examples/ticket-source.mjs";
import { obey } from "../clients/commands.mjs";

const { createRxDatabase, addRxPlugin } = await load("rxdb");
const { RxDBDevModePlugin, disableWarnings } = await load("rxdb/plugins/dev-mode");
const { getRxStorageMemory } = await load("rxdb/plugins/storage-memory");
const { wrappedValidateAjvStorage } = await load("rxdb/plugins/validate-ajv");
const { replicateRxCollection } = await load("rxdb/plugins/replication");
const { replicateServer } = await load("rxdb-server/plugins/replication-server");

// As a browser's: it sends no headers.
const { default: EventSource } = await load("eventsource");
globalThis.EventSource = class extends EventSource {
	constructor(address) {
		super(address, { headers: { "X-Frappe-Site-Name": site } });
	}
};

disableWarnings();
addRxPlugin(RxDBDevModePlugin);

const [url, site, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "X-Frappe-Site-Name": site, "Content-Type": "application/json" };
const PATIENCE = 40_000; // milliseconds
// What a phone keeps when its app is closed.
const storage = wrappedValidateAjvStorage({ storage: getRxStorageMemory() });
const state = { db: null, running: {}, errors: [], conflicts: [], offline: false, lose: 0, given: {}, said: new Set() };

/** The package as it is installed where the tests say, and not beside this file. */
async function load(name) {
	const { createRequire } = await import("node:module");
	const require = createRequire(pathToFileURL(path.join(process.env.HISABI_CLIENTS, "package.json")));
	return import(pathToFileURL(require.resolve(name)));
}

async function call(address, options) {
	if (state.offline) throw new Error("there is no network");
	const ask = () => fetch(url + address, { headers, ...options });
	// Once more, for the server may just have closed the connection that was kept.
	const answer = await ask().catch(ask);
	const body = await answer.json();
	if (!answer.ok) throw new Error(`${answer.status} ${body.error_code}`);
	return body;
}

const get = (address) => call(address, {});

async function post(address, body) {
	const answer = await call(address, { method: "POST", body: JSON.stringify(body) });
	if (state.lose > 0) {
		state.lose -= 1;
		throw new Error("the answer was lost");
	}
	return answer;
}

const commands = {
	/** Open the database and replicate `collections`; `at` is the address before the collection. With `server`, by `replicateServer`. */
	async open({ collections, at = "/rxdb/v1/site", version = 0, retryTime = 300, server = false, tickets = false }) {
		state.given = { collections, at, version, retryTime, server, tickets };
		const { schema } = await get("/api/offline/v1/schema?for=rxdb");
		state.db = await createRxDatabase({ name: "app", storage, multiInstance: false });
		const wanted = Object.fromEntries(collections.map((name) => [name, { ...schema[name], conflictHandler }]));
		await state.db.addCollections(wanted);
		for (const name of collections) (server ? replicateLive : replicate)(name);
		return Object.keys(schema);
	},
	async insert({ collection, values }) {
		return (await state.db[collection].insert(values)).toJSON();
	},
	async bulk({ collection, docs }) {
		return (await state.db[collection].bulkInsert(docs)).success.length;
	},
	async patch({ collection, id, values }) {
		return (await (await found(collection, id)).incrementalPatch(values)).toJSON();
	},
	async remove({ collection, id }) {
		await (await found(collection, id)).incrementalRemove();
		return id;
	},
	async docs({ collection }) {
		return (await state.db[collection].find().exec()).map((one) => one.toJSON());
	},
	/** Everything goes out and comes in; what went wrong on the way. */
	async sync() {
		for (const running of Object.values(state.running)) running.reSync();
		const all = Promise.all(Object.values(state.running).map((running) => running.awaitInSync()));
		await Promise.race([all, new Promise((_, fail) => setTimeout(() => fail(new Error(late())), PATIENCE).unref())]);
		const said = state.errors;
		state.errors = [];
		return said;
	},
	/** Errors so far, without waiting for anything. */
	async errors() {
		const said = state.errors;
		state.errors = [];
		return said;
	},
	/** What `replicateServer` told the app: outdatedClient$, unauthorized$, forbidden$. */
	async said() {
		return [...state.said];
	},
	async set(values) {
		Object.assign(state, values);
		return true;
	},
	/** The app is closed and opened again: only the library's own store is left. */
	async restart() {
		await close();
		return commands.open(state.given);
	},
	async close() {
		await close();
		return true;
	},
};

async function found(collection, id) {
	return state.db[collection].findOne(id).exec(true);
}

async function close() {
	for (const running of Object.values(state.running)) await running.cancel();
	state.running = {};
	await state.db.close();
}

/** The server's document wins, as without a handler of one's own; `keep` names fields in which the app's value is kept. */
const conflictHandler = {
	isEqual: (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)),
	async resolve({ realMasterState, newDocumentState }) {
		const kept = (state.keep || []).filter((name) => name in newDocumentState);
		return { ...realMasterState, ...Object.fromEntries(kept.map((name) => [name, newDocumentState[name]])) };
	},
};

const sorted = (value) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

function replicate(name) {
	const { at, version, retryTime } = state.given;
	const base = `${at}/${name}/${version}`;
	const running = replicateRxCollection({
		collection: state.db[name],
		replicationIdentifier: `hisabi-${base}`,
		live: true,
		retryTime,
		pull: { batchSize: 500, handler: (c, limit) => get(`${base}/pull?${new URLSearchParams({ id: "", lwt: 0, ...c, limit })}`) },
		push: { batchSize: 100, handler: (rows) => post(`${base}/push`, rows) },
	});
	keep(name, running);
}

/** RxDB's own client of its own server: these lines, and nothing else. */
function replicateLive(name) {
	const running = replicateServer({
		collection: state.db[name],
		replicationIdentifier: `hisabi-live-${name}`,
		url: `${url}${state.given.at}/${name}/${state.given.version}`,
		headers: { Authorization: headers.Authorization, "X-Frappe-Site-Name": site },
		live: true,
		retryTime: state.given.retryTime,
		waitForLeadership: false,
		...(state.given.tickets ? { eventSource: TicketSource } : {}),
		pull: {},
		push: {},
	});
	for (const event of ["outdatedClient$", "unauthorized$", "forbidden$"]) running[event].subscribe(() => state.said.add(event));
	keep(name, running);
}

function keep(name, running) {
	running.error$.subscribe((error) => state.errors.push(...causes(error)));
	state.running[name] = running;
}

const late = () => `nothing was in step after ${PATIENCE} ms: ${JSON.stringify(state.errors.slice(-5))}`;
const causes = (error) => (error.parameters?.errors || [error]).map((one) => one.message || String(one));

await obey(commands);
