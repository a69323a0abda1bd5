// RxDB's own suite for replications, `runReplicationBaseTestSuite` of its test-utils, against a DocType of the site.
// Each collection of the suite is a device of its own. Prints a line of JSON for each test, {name} or {name, fails}.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(path.join(process.env.HISABI_CLIENTS, "package.json")));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const tests = [];
globalThis.describe = (_, work) => work();
globalThis.it = (name, work) => tests.push({ name, work });

const { addRxPlugin } = await load("rxdb");
const { RxDBDevModePlugin, disableWarnings } = await load("rxdb/plugins/dev-mode");
const { wrappedValidateAjvStorage } = await load("rxdb/plugins/validate-ajv");
const { RxDBLocalDocumentsPlugin } = await load("rxdb/plugins/local-documents");
const { getRxStorageMemory } = await load("rxdb/plugins/storage-memory");
const { replicateRxCollection } = await load("rxdb/plugins/replication");
const { runReplicationBaseTestSuite, setConfig } = await load("rxdb/plugins/test-utils");
disableWarnings();
addRxPlugin(RxDBDevModePlugin);
addRxPlugin(RxDBLocalDocumentsPlugin);
const getStorage = () => wrappedValidateAjvStorage({ storage: getRxStorageMemory() });
const storage = { name: "memory", getStorage, hasPersistence: false, hasMultiInstance: false };
setConfig({ storage });

const [url, site, name, clerk, ...tokens] = process.argv.slice(2);
const base = `${url}/rxdb/v1/site/${name}/0`;
const owners = new WeakMap();

async function call(token, address, options = {}) {
	const headers = { Authorization: `Bearer ${token}`, "X-Frappe-Site-Name": site, "Content-Type": "application/json" };
	const answer = await fetch(base + address, { headers, ...options });
	const body = await answer.json();
	if (!answer.ok) throw new Error(`${answer.status} ${body.error_code}`);
	return body;
}

const pull = (token, checkpoint, limit) =>
	call(token, `/pull?${new URLSearchParams({ id: "", lwt: 0, ...checkpoint, limit })}`);
const push = (token, rows) => call(token, "/push", { method: "POST", body: JSON.stringify(rows) });

// The suite's documents have names that a DocType cannot have.
const inward = ({ id, first_name = "", last_name = "", age = 0, _deleted }) =>
	({ passportId: id, firstName: first_name, lastName: last_name, age, _deleted });
const outward = (doc) =>
	doc && { id: doc.passportId, first_name: doc.firstName, last_name: doc.lastName, age: doc.age, _deleted: doc._deleted };

function replicate(collection, live) {
	if (!owners.has(collection)) owners.set(collection, tokens.shift());
	const token = owners.get(collection);
	return replicateRxCollection({
		collection,
		replicationIdentifier: `suite-${name}`,
		live,
		retryTime: 500,
		waitForLeadership: false,
		pull: {
			batchSize: 50,
			handler: async (checkpoint, limit) => {
				const page = await pull(token, checkpoint, limit);
				return { ...page, documents: page.documents.map(inward) };
			},
		},
		push: {
			batchSize: 50,
			handler: async (rows) => {
				const sent = rows.map((row) => ({
					newDocumentState: outward(row.newDocumentState),
					assumedMasterState: outward(row.assumedMasterState),
				}));
				return (await push(token, sent)).map(inward);
			},
		},
	});
}

async function all() {
	return (await pull(clerk, {}, 1000)).documents.filter((one) => !one._deleted);
}

runReplicationBaseTestSuite({
	startReplication: (collection) => replicate(collection, true),
	async syncOnce(collection) {
		const running = replicate(collection, false);
		await running.awaitInitialReplication();
		await running.cancel();
	},
	getAllServerDocs: async () => (await all()).map(inward),
	async cleanUpServer() {
		const rows = (await all()).map((one) => ({ newDocumentState: { ...one, _deleted: true }, assumedMasterState: one }));
		if (rows.length) await push(clerk, rows);
	},
	softDeletes: false,
	isDeleted: (doc) => doc._deleted,
	getPrimaryOfServerDoc: (doc) => doc.passportId,
	waitTime: 50,
});

for (const { name: test, work } of tests) {
	try {
		await work();
		say({ name: test });
	} catch (error) {
		say({ name: test, fails: `${error.stack || error}`.slice(0, 2000) });
	}
}

function say(line) {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}
process.exit(0);
