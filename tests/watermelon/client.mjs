// One app with WatermelonDB itself, on LokiJS: the site's own schema, and `synchronize` with the lines of docs/contracts/watermelon.md.
// It reads commands as lines of JSON, {"do", ...}, and answers each with a line, {"gives"} or {"fails"}.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { obey } from "../clients/commands.mjs";

const require = createRequire(pathToFileURL(path.join(process.env.HISABI_CLIENTS, "package.json")));
const { Database, Model, appSchema, tableSchema } = require("@nozbe/watermelondb");
const { schemaMigrations, addColumns } = require("@nozbe/watermelondb/Schema/migrations");
const LokiJSAdapter = require("@nozbe/watermelondb/adapters/lokijs").default;
const { synchronize } = require("@nozbe/watermelondb/sync");
const { logger } = require("@nozbe/watermelondb/utils/common");

logger.silence();
const [url, site, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "X-Frappe-Site-Name": site, "Content-Type": "application/json" };
const state = { db: null, offline: false, lose: 0, given: {}, rejected: [], pulls: [], hold: null };

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
	state.rejected.push(...answer.rejected);
	return answer;
}

/** The lines of docs/contracts/watermelon.md. */
async function sync() {
	const { base, version } = state.given;
	let more = true;
	while (more) {
		await synchronize({
			database: state.db,
			sendCreatedAsUpdated: true,
			migrationsEnabledAtVersion: 1,
			pullChanges: async ({ lastPulledAt, schemaVersion, migration }) => {
				const asked = { last_pulled_at: lastPulledAt, schema_version: schemaVersion, migration: JSON.stringify(migration) };
				const answer = await get(`${base}/sync?${new URLSearchParams({ ...asked, ...state.given.more })}`);
				state.pulls.push({ strategy: answer.experimentalStrategy ?? null, timestamp: answer.timestamp, migration });
				more = answer.has_more;
				if (state.hold) await state.hold();
				return answer;
			},
			pushChanges: ({ changes, lastPulledAt }) => post(`${base}/sync?last_pulled_at=${lastPulledAt}`, changes),
		});
	}
	return version;
}

function opened(tables, version, from) {
	const schema = appSchema({ version, tables: tables.map((one) => tableSchema(one)) });
	const migrations = schemaMigrations({ migrations: [] });
	const options = { schema, migrations, dbName: "app", useWebWorker: false, useIncrementalIndexedDB: false };
	const adapter = from ?? new LokiJSAdapter(options);
	const modelClasses = tables.map(({ name }) => class extends Model { static table = name; });
	return new Database({ adapter, modelClasses });
}

const commands = {
	/** Open a database with tables of the site's schema; `without` are columns that the app does not have yet. */
	async open({ tables, base = "/watermelon/v1/site", version = 1, without = [], more = {} }) {
		const { schema } = await get("/api/offline/v1/schema?for=watermelon");
		const wanted = schema.tables.filter(({ name }) => tables.includes(name));
		const kept = wanted.map((one) => ({ ...one, columns: one.columns.filter(({ name }) => !without.includes(name)) }));
		state.given = { base, version, without, more, wanted, kept };
		state.db = opened(kept, version);
		return schema.tables.map(({ name }) => name);
	},
	async insert({ table, values }) {
		const { id, ...columns } = values;
		const made = await state.db.write(() =>
			state.db.get(table).create((record) => {
				if (id) record._raw.id = id;
				for (const [name, value] of Object.entries(columns)) record._setRaw(name, value);
			}),
		);
		return made.id;
	},
	async bulk({ table, rows }) {
		await state.db.write(() =>
			state.db.batch(
				rows.map(({ id, ...columns }) =>
					state.db.get(table).prepareCreate((record) => {
						record._raw.id = id;
						for (const [name, value] of Object.entries(columns)) record._setRaw(name, value);
					}),
				),
			),
		);
		return rows.length;
	},
	async patch({ table, id, values }) {
		const record = await state.db.get(table).find(id);
		await state.db.write(() =>
			record.update(() => {
				for (const [name, value] of Object.entries(values)) record._setRaw(name, value);
			}),
		);
		return id;
	},
	async remove({ table, id }) {
		const record = await state.db.get(table).find(id);
		await state.db.write(() => record.markAsDeleted());
		return id;
	},
	async docs({ table }) {
		return (await state.db.get(table).query().fetch()).map(({ _raw }) => _raw);
	},
	/** Everything comes in and goes out; what the server rejected on the way. */
	async sync() {
		state.rejected = [];
		await sync();
		return state.rejected;
	},
	/** A synchronisation whose push waits until `release` after its pull. */
	async begin() {
		state.rejected = [];
		let pulled;
		const isPulled = new Promise((done) => (pulled = done));
		const released = new Promise((done) => (state.release = done));
		state.hold = () => (pulled(), released);
		state.going = sync();
		await isPulled;
		return true;
	},
	async release() {
		state.hold = null;
		state.release();
		await state.going;
		return state.rejected;
	},
	async pulls() {
		return state.pulls.splice(0);
	},
	async set(values) {
		Object.assign(state, values);
		return true;
	},
	/** The app is closed and opened again: only the library's own store is left. */
	async restart() {
		const adapter = await state.db.adapter.underlyingAdapter.testClone();
		state.db = opened(state.given.kept, state.given.version, adapter);
		return true;
	},
	/** The next version of the app: it has the columns that it was opened without. */
	async migrate() {
		const { wanted, without, version } = state.given;
		const steps = wanted
			.map(({ name, columns }) => ({ table: name, columns: columns.filter((one) => without.includes(one.name)) }))
			.filter(({ columns }) => columns.length)
			.map(addColumns);
		const next = version + 1;
		const schema = appSchema({ version: next, tables: wanted.map((one) => tableSchema(one)) });
		const migrations = schemaMigrations({ migrations: [{ toVersion: next, steps }] });
		const adapter = await state.db.adapter.underlyingAdapter.testClone({ schema, migrations });
		Object.assign(state.given, { version: next, kept: wanted });
		state.db = opened(wanted, next, adapter);
		return next;
	},
};

await obey(commands);
