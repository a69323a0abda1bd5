"""Who gets in: JWTs with the right key, algorithm, claims and times, of members, and nobody else."""

import json
import time

import frappe
import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hisabi_sync.demo import family as demo
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.hisabi_family import tokens as family_tokens
from tests.family.app import PATH, new_app, new_family, new_user, signed, task


@pytest.fixture(scope="module")
def key(site):
	return signed()


@pytest.fixture
def ask(server, site, family, parent):
	"""Call with a credential and return (status, code)."""

	def call(credential, **more):
		headers = {"X-Frappe-Site-Name": site, **({"Authorization": credential} if credential else {})}
		body = {"device_id": "d", "changes": [], **more}
		response = requests.post(f"{server.url}{PATH}", json=body, headers=headers, timeout=30)
		said = response.json()
		assert "Traceback" not in response.text
		if response.status_code != 200:
			assert said["retryable"] is False and said["message"]
		return response.status_code, said.get("error_code")

	return call


def claims(user, family, key, **changed):
	now = int(time.time())
	given = {
		"userId": user,
		"familyId": family,
		"exp": now + 600,
		"iss": key["issuer"],
		"aud": key["audience"],
	}
	return {name: value for name, value in {**given, **changed}.items() if value is not None}


def hs256(payload, secret):
	return "Bearer " + jwt.encode(payload, secret, algorithm="HS256")


NOW = int(time.time())
REFUSED = {
	# what is wrong: (claims that differ, code)
	"expired": ({"exp": NOW - 3600}, "token_expired"),
	"never expires": ({"exp": None}, "invalid_token"),
	"exp is a word": ({"exp": "later"}, "invalid_token"),
	"not valid yet": ({"nbf": NOW + 3600}, "token_not_valid_yet"),
	"another issuer": ({"iss": "https://evil.example"}, "invalid_token"),
	"no issuer": ({"iss": None}, "invalid_token"),
	"another audience": ({"aud": "somebody"}, "invalid_token"),
	"no audience": ({"aud": None}, "invalid_token"),
	"no user": ({"userId": None}, "invalid_token"),
	"no family": ({"familyId": None}, "invalid_token"),
	"user is a number": ({"userId": 7}, "invalid_token"),
	"family is a list": ({"familyId": ["demo-family"]}, "invalid_token"),
	"user is empty": ({"userId": ""}, "invalid_token"),
	"user is long": ({"userId": "x" * 141}, "invalid_token"),
	"user is half an emoji": ({"userId": "\ud83c"}, "invalid_token"),
	"family is half an emoji": ({"familyId": "a\udfffb"}, "invalid_token"),
	"lives for ever": ({"exp": 10**30}, "invalid_token"),
	"lives for ever as a float": ({"exp": 1e308}, "invalid_token"),
	"lives too long": ({"exp": NOW + (family_tokens.LONGEST_DAYS + 1) * 86400}, "invalid_token"),
}


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], "x", None])
def test_a_header_that_must_be_understood_is_not(ask, family, parent, key, crit):
	"""RFC 7515, 4.1.11: who does not know what `crit` names refuses the token; nothing is known here."""
	token = jwt.encode(
		claims(parent, family, key), key["secret"], "HS256", headers={"crit": crit, "b64": True}
	)
	assert ask(f"Bearer {token}") == (401, "invalid_token")


def test_how_long_a_token_may_live_is_a_setting(ask, family, parent, key):
	token = hs256(claims(parent, family, key, exp=int(time.time()) + 3 * 86400), key["secret"])
	for days, expected in ((2, (401, "invalid_token")), (0, (200, None))):
		_set(longest_token_days=days)
		assert ask(token) == expected


def test_a_good_token(ask, family, parent, key):
	assert ask(hs256(claims(parent, family, key), key["secret"])) == (200, None)


def test_clocks_may_differ_by_the_leeway(ask, family, parent, key):
	late = hs256(claims(parent, family, key, exp=int(time.time()) - 5), key["secret"])
	for seconds, expected in ((60, (200, None)), (0, (401, "token_expired"))):
		_set(leeway_seconds=seconds)
		assert ask(late) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_with_wrong_claims(ask, family, parent, key, name):
	changed, code = REFUSED[name]
	given = {**claims(parent, family, key), **changed}
	given = {claim: value for claim, value in given.items() if value is not None}
	payload = json.dumps(given).encode()  # PyJWT would not encode some of them
	token = jwt.PyJWS().encode(payload, key["secret"], algorithm="HS256")
	assert ask("Bearer " + token) == (401, code)


def test_a_token_that_is_none_or_not_ours(ask, family, parent, key):
	good = hs256(claims(parent, family, key), key["secret"])
	head, body, tag = good.split(".")
	assert ask(None) == (401, "not_authenticated")
	assert ask(hs256(claims(parent, family, key), "x" * 40)) == (401, "invalid_token")
	assert ask(f"{head}.{body}.{tag[:-4]}AAAA") == (401, "invalid_token")
	assert ask(f"{head}.{body}.") == (401, "invalid_token")
	unsigned = jwt.encode(claims(parent, family, key), None, algorithm="none")
	assert ask("Bearer " + unsigned) == (401, "invalid_token")
	hs512 = jwt.encode(claims(parent, family, key), key["secret"], algorithm="HS512")
	assert ask("Bearer " + hs512) == (401, "invalid_token")
	for junk in ("Bearer x", "Bearer eyJ.e.x", "Bearer ey..", f"Bearer ey{'A' * 7000}.a.b", "Basic eDp5"):
		assert ask(junk)[0] == 401, junk[:20]


@pytest.fixture
def public_keys(key):
	"""Private keys whose public halves the settings hold meanwhile."""
	private = {
		"rsa": rsa.generate_private_key(65537, 2048),
		"ec": ec.generate_private_key(ec.SECP256R1()),
		"enc": rsa.generate_private_key(65537, 2048),
	}
	dumped = [
		{**json.loads(RSAAlgorithm.to_jwk(private["rsa"].public_key())), "kid": "r1"},
		{**json.loads(ECAlgorithm(ECAlgorithm.SHA256).to_jwk(private["ec"].public_key())), "kid": "e1"}
		if hasattr(ECAlgorithm, "to_jwk")
		else _ec_jwk(private["ec"]),
		{**json.loads(RSAAlgorithm.to_jwk(private["enc"].public_key())), "kid": "x1", "use": "enc"},
	]
	_set(jwks=json.dumps({"keys": [*dumped, {"kty": "oct", "k": "AAAA", "kid": "o1"}, "junk"]}))
	yield private
	_set(jwks="")


def _ec_jwk(private):
	import base64

	numbers = private.public_key().public_numbers()

	def text(number):
		return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

	return {"kty": "EC", "crv": "P-256", "x": text(numbers.x), "y": text(numbers.y), "kid": "e1"}


def _set(**values):
	frappe.db.rollback()
	doc = frappe.get_single("Family Settings")
	doc.update(values)
	doc.save()
	frappe.db.commit()


def test_public_keys_pin_the_algorithm(ask, family, parent, key, public_keys):
	given = claims(parent, family, key)

	def sign(name, algorithm, kid):
		return "Bearer " + jwt.encode(given, public_keys[name], algorithm=algorithm, headers={"kid": kid})

	assert ask(sign("rsa", "RS256", "r1")) == (200, None)
	assert ask(sign("ec", "ES256", "e1")) == (200, None)
	assert ask(hs256(given, key["secret"])) == (200, None)
	assert ask(sign("rsa", "RS256", "e1")) == (401, "invalid_token")
	assert ask(sign("rsa", "RS512", "r1")) == (401, "invalid_token")
	assert ask(sign("rsa", "PS256", "r1")) == (401, "invalid_token")
	assert ask(sign("rsa", "RS256", "unknown")) == (401, "invalid_token")
	assert ask(sign("enc", "RS256", "x1")) == (401, "invalid_token")
	public = public_keys["rsa"].public_key()
	pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
	for secret in (pem, json.dumps(json.loads(RSAAlgorithm.to_jwk(public))).encode(), b"\0"):
		forged = jwt.PyJWS().encode(json.dumps(given).encode(), "x", algorithm="HS256").rsplit(".", 1)[0]
		tag = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(forged.encode(), secret)
		assert ask(f"Bearer {forged}.{jwt.utils.base64url_encode(tag).decode()}") == (401, "invalid_token")


# --- members


def test_the_claim_is_not_enough(ask, family, parent, key):
	stranger, other_family = new_user(), new_family(parent)
	denied = (403, "space_access_denied")
	for user, named in (
		(stranger, family),
		("nobody", family),
		(parent, "no-such-family"),
		("Administrator", family),
	):
		assert ask(hs256(claims(user, named, key), key["secret"])) == denied, (user, named)
	assert ask(hs256(claims(parent, family, key), key["secret"]), family_id=other_family) == denied
	assert ask(hs256(claims(parent.upper(), family, key), key["secret"])) == denied
	assert ask(hs256(claims(parent, family.upper(), key), key["secret"])) == denied


def test_who_left_is_out_at_once(server, site, key):
	owner, leaving = new_user(), new_user()
	family = new_family(owner, leaving)
	phone = new_app(server, site, family, leaving)
	phone.sync(task())
	doc = frappe.get_doc("Family", family)
	doc.members = [row for row in doc.members if row.user != leaving]
	doc.save()
	frappe.db.commit()
	refused = phone.send(task())
	assert (refused.status_code, refused.json()["error_code"]) == (403, "space_access_denied")
	doc.append("members", {"user": leaving, "role": "viewer"})
	doc.save()
	frappe.db.commit()
	assert phone.send().status_code == 200 and phone.send(task()).status_code == 403


def test_a_disabled_account_is_out(server, site, key):
	user = new_user()
	phone = new_app(server, site, new_family(user), user)
	phone.sync()
	frappe.db.set_value("User", user, "enabled", 0)
	frappe.db.commit()
	assert phone.send().status_code == 403


def test_ids_of_another_service_stand_for_members(server, site, key, ask):
	user, second = new_user(), new_user()
	family = new_family(user)
	doc = frappe.get_doc("Family", family)
	doc.members[0].user_id = "u-1001"
	doc.append("members", {"user": second, "role": "member", "user_id": "u-1002"})
	doc.save()
	frappe.db.commit()
	assert ask(hs256(claims("u-1001", family, key), key["secret"])) == (200, None)
	for wrong in (user, "U-1001", "u-1003"):
		assert ask(hs256(claims(wrong, family, key), key["secret"]))[0] == 403
	phone = new_app(server, site, family, "u-1002")
	phone.sync(task("mine", status="done", points=4))
	(line,), (row,) = phone.all("points_ledger"), phone.all("user_streak")
	assert line["userId"] == row["userId"] == phone.held["task", "mine"]["completedBy"] == "u-1002"


def test_a_token_opens_nothing_else(server, site, family, parent, key):
	headers = {"Authorization": hs256(claims(parent, family, key), key["secret"]), "X-Frappe-Site-Name": site}
	for path in ("/api/resource/User", "/api/method/hisabi.wallet_list", "/api/v1/mobile/sync/pull"):
		response = requests.post(f"{server.url}{path}", json={}, headers=headers, timeout=30)
		assert response.status_code in (401, 403), (path, response.status_code)


def test_a_revoked_device_is_out(app):
	app.sync()
	frappe.db.set_value("Sync Device", {"device_id": app.device_id}, "status", "Revoked")
	frappe.db.commit()
	refused = app.send()
	assert (refused.status_code, refused.json()["error_code"]) == (401, "device_revoked")


def test_other_credentials_work_too(server, site, family, parent):
	from tests.family.app import App

	_, token = device_tokens.register(parent, "with-token", "ios", "Phone", ("family",))
	frappe.db.commit()
	phone = App(server.url, site, token, parent, family, "with-token")
	assert phone.sync(task(), family_id=family)["applied_count"] == 1
	phone.device_id = "another"
	assert phone.send(family_id=family).json()["error_code"] == "device_mismatch"


def test_a_token_and_another_persons_device_token_do_not_mix(server, site, app, child):
	from hisabi_sync.engine.model import ids

	_, token = device_tokens.register(child, "childs", "ios", "Phone", ("family",))
	frappe.db.commit()
	app.session.headers["X-Device-Token"] = token
	app.device_id = "childs"
	app.sync(task())
	frappe.db.rollback()
	(device,) = frappe.get_all("Sync Batch", {"space": app.space}, pluck="device")
	assert device == ids.device(app.user, "childs")


def test_settings_refuse_a_weak_secret_and_keep_it_hidden(key):
	doc = frappe.get_single("Family Settings")
	doc.jwt_secret = "short"
	with pytest.raises(frappe.ValidationError):
		doc.save()
	frappe.db.rollback()
	stored = frappe.db.get_singles_dict("Family Settings")
	assert key["secret"] not in json.dumps(stored, default=str)
	doc = frappe.get_single("Family Settings")
	doc.jwks = '{"keys": []}'
	with pytest.raises(frappe.ValidationError):
		doc.save()


def test_demo_tokens_are_short_lived(key):
	payload = jwt.decode(demo.token("u", "f", key), options={"verify_signature": False})
	assert payload["exp"] - payload["iat"] == 30 * 86400
