"""Generators of TypeScript make code of docs/openapi.json that compiles: openapi-typescript, hey-api and orval."""

import json
import os
import subprocess
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
CLIENTS = os.environ.get("HISABI_CLIENTS", "")
HEY_API = "@hey-api/typescript @hey-api/sdk @hey-api/client-fetch"
# Name -> the program, its arguments; {document} and {out} are filled in.
GENERATORS = {
	"openapi-typescript": ("openapi-typescript", "{document} -o {out}/schema.ts"),
	"hey-api": ("openapi-ts", f"-i {{document}} -o {{out}} -p {HEY_API}"),
	"orval": ("orval", "--input {document} --output {out}/api.ts --client fetch"),
}
OPTIONS = {"strict": True, "noEmit": True, "skipLibCheck": True, "target": "ES2022", "module": "ESNext"}
OPTIONS |= {"moduleResolution": "Bundler", "lib": ["ES2022", "DOM", "DOM.Iterable"], "types": []}

pytestmark = pytest.mark.skipif(
	not CLIENTS, reason="the clients' libraries are not installed; run ./dev test"
)


def run(program, *words, folder):
	command = [str(Path(CLIENTS) / "node_modules" / ".bin" / program), *words]
	return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", GENERATORS)
def test_what_a_generator_makes_compiles(name, tmp_path):
	program, words = GENERATORS[name]
	out = tmp_path / "out"
	out.mkdir()
	(tmp_path / "node_modules").symlink_to(Path(CLIENTS) / "node_modules")
	given = [word.format(document=DOCUMENT, out=out) for word in words.split()]
	made = run(program, *given, folder=tmp_path)
	assert made.returncode == 0, made.stdout + made.stderr
	assert any(path.stat().st_size > 100_000 for path in out.rglob("*.ts")), made.stdout
	(tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "include": ["out"]}))
	checked = run("tsc", "-p", ".", folder=tmp_path)
	assert checked.returncode == 0, checked.stdout[:3000]
