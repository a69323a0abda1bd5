"""The double of ERPNext served as Frappe serves it: documents under /api/resource, some methods, and files."""

import json
import threading
from email.parser import BytesParser
from hashlib import md5
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from devtool.erp import Handler as JsonHandler
from tests.runs.erpnext_site import Refused, Site

KEY, SECRET = "key", "a secret that nobody may see"


class Handler(JsonHandler):
	def _serve(self):
		self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
		self.server.seen.append((self.command, unquote(self.path)))
		if self.server.interfere(self):
			return
		if self.headers.get("Authorization") != f"token {KEY}:{SECRET}":
			return self.answer(401, {"exc_type": "AuthenticationError"})
		try:
			with self.server.site.lock:
				self.handle_well()
		except Refused as refused:
			self.answer(refused.status, refused.body())

	do_GET = do_POST = do_PUT = do_DELETE = _serve

	def handle_well(self):
		parts = urlsplit(self.path)
		way = [unquote(part) for part in parts.path.strip("/").split("/")]
		query = dict(parse_qsl(parts.query))
		if way[:2] == ["api", "method"]:
			return self.method(way[2], query)
		if way[0] in ("files", "private"):
			return self.content(parts.path)
		self.answer(200, {"data": self.resource(way[2], way[3] if len(way) > 3 else None, query)})

	def resource(self, kind, name, query):
		site = self.server.site
		if self.command == "GET" and name is None:
			filters = json.loads(query.get("filters", "[]"))
			return site.list(kind, json.loads(query["fields"]), filters, int(query["limit_page_length"]))
		if self.command == "GET":
			return site.get(kind, name)
		if self.command == "DELETE":
			return site.delete(kind, name) or "ok"
		return site.save(kind, json.loads(self.body), name)

	def method(self, name, query):
		site = self.server.site
		if name == "upload_file":
			return self.answer(200, {"message": self.upload()})
		if name == "frappe.desk.form.load.getdoctype":
			return self.answer(200, {"docs": site.meta(query["doctype"])})
		if name == "frappe.client.has_permission":
			allowed = (query["doctype"], query["perm_type"]) not in site.denied
			return self.answer(200, {"message": {"has_permission": allowed}})
		self.answer(404, {"exc_type": "DoesNotExistError"})

	def upload(self):
		head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
		parts = {}
		for part in BytesParser().parsebytes(head + self.body).get_payload():
			parts[part.get_param("name", header="content-disposition")] = part.get_payload(decode=True)
		text = {name: value.decode() for name, value in parts.items() if name != "file"}
		url = f"/private/files/{next(self.server.site.numbers)}-{text['file_name']}"
		self.server.site.contents[url] = parts["file"]
		given = {"attached_to_doctype": text["doctype"], "attached_to_name": text["docname"], "file_url": url}
		kept = {"content_hash": md5(parts["file"], usedforsecurity=False).hexdigest()}
		kept |= {"file_size": len(parts["file"]), "is_private": int(text["is_private"])}
		return self.server.site.make("File", **given, **kept, file_name=text["file_name"])

	def content(self, path):
		raw = self.server.site.contents[unquote(path)]
		self.send_response(200)
		self.send_header("Content-Length", str(len(raw)))
		self.end_headers()
		self.wfile.write(raw)


class Service(ThreadingHTTPServer):
	daemon_threads = True

	def __init__(self):
		super().__init__(("127.0.0.1", 0), Handler)
		self.site, self.seen = Site(), []
		self.interfere = lambda handler: False
		threading.Thread(target=self.serve_forever, daemon=True).start()

	@property
	def url(self):
		return f"http://127.0.0.1:{self.server_address[1]}"

	def stop(self):
		self.shutdown()
		self.server_close()
