"""The README's pictures, from the demo site: `./dev start`, then `.dev/env/bin/python -m tests.desk.pictures`.

More households make fuller charts: `./dev frappe hisabi-demo --wallets 8 --transactions 2000 --seed 1`.
"""

import io
import json
import shutil
import subprocess
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images"
SIZE = {"width": 1400, "height": 900}
WIDTH, COLOURS = 1100, 256
# Name of the picture -> path in the Desk, and what is there when the page is complete.
PAGES = {
	"workspace": ("/app/hisabi-sync", ".dashboard-widget-box .frappe-chart"),
	"conflict-list": ("/app/sync-conflict?status=Open", ".list-row .indicator-pill"),
	"conflict": ("/app/sync-conflict/{conflict}", ".hs-table"),
	"sync-health": ("/app/query-report/Sync Health", ".dt-row .dt-cell__content"),
}


def main():
	told = json.loads(subprocess.check_output([ROOT / "dev", "info", "--json"], text=True))
	person = next(user for user in told["users"] if "Sync Manager" in user["roles"])
	FOLDER.mkdir(parents=True, exist_ok=True)
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
		page = browser.new_context(viewport=SIZE, base_url=told["url"], locale="en-GB").new_page()
		page.request.post("/api/method/login", form={"usr": person["user"], "pwd": person["password"]})
		conflict = _newest_conflict(page)
		for name, (path, ready) in PAGES.items():
			page.goto(path.format(conflict=conflict))
			page.wait_for_selector(ready)
			page.wait_for_timeout(2500)
			_save(page.screenshot(), FOLDER / f"{name}.png")
		browser.close()


def _newest_conflict(page):
	asked = "/api/method/hisabi_sync.api.conflicts.list_conflicts?status=Open&limit=1"
	return page.request.get(asked).json()["message"]["conflicts"][0]["conflict_id"]


def _save(picture, path):
	"""Small enough for a repository: fewer pixels, and a palette."""
	image = Image.open(io.BytesIO(picture)).convert("RGB")
	image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
	image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE).save(
		path, optimize=True
	)
	print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
	main()
