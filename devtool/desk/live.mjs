// Live events: what Frappe publishes on Redis reaches the browsers whose users may know of it.
import { ask } from "./backend.mjs";
import { load } from "./packages.mjs";

const { Server } = load("socket.io");
const { createClient } = load("@redis/client");

const CHANNEL = "events";
const EVERYBODY = "website";
const DESK_USERS = "all";
const docRoom = (doctype, name) => `doc:${doctype}/${name}`;
const viewersRoom = (doctype, name) => `open_doc:${doctype}/${name}`;
const doctypeRoom = (doctype) => `doctype:${doctype}`;
const taskRoom = (id) => `task_progress:${id}`;

/** Serves /socket.io on the server, for one site of the Frappe behind `backend`. */
export async function live(server, { backend, site, redis }) {
	const sockets = new Server(server).of(`/${site}`);
	sockets.use((socket, next) => {
		identify(socket, backend, site).then(() => next(), next);
	});
	sockets.on("connection", (socket) => connect(sockets, socket));
	await listen(redis, site, sockets);
}

async function identify(socket, backend, site) {
	const { host, origin, cookie, authorization } = socket.request.headers;
	if (origin && new URL(origin).hostname !== new URL(`http://${host}`).hostname) throw new Error("Invalid origin");
	const session = /(?:^|;\s*)sid=([^;]*)/.exec(cookie ?? "")?.[1];
	if (!session && !authorization) throw new Error("No session");
	const credentials = authorization ? { authorization } : { cookie: `sid=${session}` };
	const headers = { ...credentials, "x-frappe-site-name": site };

	/** What a method of Frappe's module `realtime` says to this user; undefined when it refuses. */
	socket.data.realtime = async (method, values = {}) => {
		const path = `/api/method/frappe.realtime.${method}?${new URLSearchParams(values)}`;
		return (await ask(backend, path, headers))?.message;
	};
	const person = await socket.data.realtime("get_user_info");
	if (!person) throw new Error("Unauthorized");
	Object.assign(socket.data, { user: person.user, isDeskUser: person.user_type === "System User" });
	// Frappe 16 tells the apps as well, and has one method for both kinds of permission.
	socket.data.mayRead = person.installed_apps ? mayRead16 : mayRead15;
}

async function mayRead15({ realtime }, doctype, name) {
	return name === undefined
		? realtime("can_subscribe_doctype", { doctype })
		: realtime("can_subscribe_doc", { doctype, docname: name });
}

async function mayRead16({ realtime }, doctype, name = "") {
	return realtime("has_permission", { doctype, name });
}

function connect(sockets, socket) {
	const { data } = socket;
	socket.join([`user:${data.user}`, EVERYBODY, ...(data.isDeskUser ? [DESK_USERS] : [])]);

	const handlers = {
		ping: () => socket.emit("pong"),
		doctype_subscribe: (doctype) => joinIfAllowed(doctypeRoom(doctype), doctype),
		doctype_unsubscribe: (doctype) => socket.leave(doctypeRoom(doctype)),
		task_subscribe: (id) => socket.join(taskRoom(id)),
		task_unsubscribe: (id) => socket.leave(taskRoom(id)),
		progress_subscribe: (id) => socket.join(taskRoom(id)),
		doc_subscribe: (doctype, name) => joinIfAllowed(docRoom(doctype, name), doctype, name),
		doc_unsubscribe: (doctype, name) => socket.leave(docRoom(doctype, name)),
		doc_open: async (doctype, name) => {
			await joinIfAllowed(viewersRoom(doctype, name), doctype, name);
			tellViewers(sockets, doctype, name);
		},
		doc_close: async (doctype, name) => {
			await socket.leave(viewersRoom(doctype, name));
			tellViewers(sockets, doctype, name);
		},
	};
	for (const [event, handle] of Object.entries(handlers)) {
		socket.on(event, (...values) => Promise.resolve(handle(...values)).catch(report));
	}
	socket.on("disconnecting", () => (data.left = [...socket.rooms]));
	socket.on("disconnect", () => {
		for (const room of data.left ?? []) tellRoom(sockets, room);
	});

	async function joinIfAllowed(room, ...doctypeAndName) {
		if (doctypeAndName.every(Boolean) && (await data.mayRead(data, ...doctypeAndName))) socket.join(room);
	}
}

function tellViewers(sockets, doctype, name) {
	tellRoom(sockets, viewersRoom(doctype, name));
}

/** Tells those who look at a document who else does. */
async function tellRoom(sockets, room) {
	const [, doctype, name] = /^open_doc:([^/]*)\/(.*)$/s.exec(room) ?? [];
	if (doctype === undefined) return;
	const viewers = await sockets.in(room).fetchSockets();
	const users = [...new Set(viewers.map(({ data }) => data.user))];
	sockets.to(room).emit("doc_viewers", { doctype, docname: name, users });
}

async function listen(url, site, sockets) {
	const redis = createClient({ url });
	redis.on("error", report);
	await redis.connect();
	await redis.subscribe(CHANNEL, (text) => {
		const { namespace, room, event, message } = JSON.parse(text);
		// Redis has one channel for all sites; what has no room is meant for every one of them.
		if (!room) sockets.emit(event, message);
		else if (namespace === site) sockets.to(room).emit(event, message);
	});
}

function report(error) {
	console.error(error.message);
}
