"""JWTs by which the phones of families sign in: issued elsewhere, checked here.

The key decides the algorithm, never the token: the secret is for HS256, an RSA key of the JWKS for RS256, a P-256 key for
ES256.
"""

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import frappe
import jwt
from frappe.model.document import Document
from frappe.utils.password import get_decrypted_password

from hisabi_sync.engine.model.errors import RequestError

SETTINGS = "Family Settings"
SYMMETRIC = "HS256"
# (key type, curve) of a JSON Web Key -> the only algorithm that it is used with.
ALGORITHMS: dict[tuple[Any, Any], str] = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
CLAIMS = ("userId", "familyId")
MAX_TOKEN = 8192
MAX_CLAIM = 140
LONGEST_DAYS = 90
# Exception of PyJWT -> code; everything else that it raises is an invalid token.
CODES = {
	jwt.ExpiredSignatureError: "token_expired",
	jwt.ImmatureSignatureError: "token_not_valid_yet",
}


def looks_like(text: str) -> bool:
	"""Whether a credential has the form of a signed JWT."""
	return text.count(".") == 2 and text.startswith("ey")


def verify(token: str) -> tuple[str, str]:
	"""(userId, familyId) of a token. Raises RequestError invalid_token, token_expired or token_not_valid_yet."""
	try:
		return _claims(_decode(token))
	except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
		raise RequestError(CODES.get(type(error), "invalid_token")) from None


def _decode(token: str) -> dict[str, Any]:
	if len(token) > MAX_TOKEN:
		raise jwt.InvalidTokenError
	settings = frappe.get_cached_doc(SETTINGS)
	header = jwt.get_unverified_header(token)
	if "crit" in header:  # an extension that has to be understood, and none is
		raise jwt.InvalidTokenError
	algorithm, key = _key_for(header, settings)
	payload = jwt.decode(
		token,
		key,
		algorithms=[algorithm],
		issuer=settings.issuer or None,
		audience=settings.audience or None,
		leeway=settings.leeway_seconds or 0,
		options={"require": ["exp"], "verify_aud": bool(settings.audience)},
	)
	if int(payload["exp"]) > time.time() + (settings.longest_token_days or LONGEST_DAYS) * 86400:
		raise jwt.InvalidTokenError
	return payload


def _key_for(header: Mapping[str, Any], settings: Document) -> tuple[str, Any]:
	"""(algorithm, key) for a token's header. The header must name the algorithm of the key."""
	named = header.get("alg")
	if named == SYMMETRIC:
		secret = get_decrypted_password(SETTINGS, SETTINGS, "jwt_secret", raise_exception=False)
		if secret:
			return SYMMETRIC, secret
	for kid, algorithm, key in public_keys(settings.jwks or ""):
		if algorithm == named and header.get("kid") in (None, kid):
			return algorithm, key
	raise jwt.InvalidTokenError


@lru_cache(maxsize=16)
def public_keys(text: str) -> list[tuple[str | None, str, Any]]:
	"""[(kid, algorithm, key)] of a JWKS; keys of other kinds, and those for encryption, are left out."""
	try:
		keys = json.loads(text or "{}").get("keys", [])
	except (ValueError, AttributeError):
		return []
	return [found for found in map(_public_key, keys) if found]


def _public_key(jwk: Any) -> tuple[str | None, str, Any] | None:
	algorithm = ALGORITHMS.get((jwk.get("kty"), jwk.get("crv"))) if isinstance(jwk, dict) else None
	if algorithm is None or jwk.get("alg") not in (None, algorithm) or jwk.get("use") not in (None, "sig"):
		return None
	if "d" in jwk:
		return None  # a private key is nothing to keep here
	try:
		return jwk.get("kid"), algorithm, jwt.PyJWK(jwk, algorithm).key
	except (jwt.PyJWTError, ValueError):
		return None


def _claims(payload: Mapping[str, Any]) -> tuple[str, str]:
	values: list[Any] = [payload.get(name) for name in CLAIMS]
	if not all(isinstance(value, str) and 0 < len(value) <= MAX_CLAIM for value in values):
		raise jwt.InvalidTokenError
	"".join(values).encode()  # half a character is a ValueError
	return tuple(values)
