"""The lab's MariaDB starts wherever the repository lies."""

from chaos.database import Database


def test_a_folder_that_is_too_long_for_a_socket(tmp_path, site, monkeypatch):
	folder = tmp_path / ("deep" * 30)
	folder.mkdir()
	database = Database(folder, {})
	monkeypatch.setattr(database, "_fill", lambda: None)
	try:
		assert database.create().rows("SELECT 1") == ((1,),)
	finally:
		database.stop()
