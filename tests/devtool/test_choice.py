"""A clone goes on with the Frappe that FRAPPE_PATH named once, and says so."""

import pytest

from devtool import Problem, choice


@pytest.fixture
def checkout(tmp_path):
	folder = tmp_path / "some-frappe"
	(folder / "frappe").mkdir(parents=True)
	(folder / "frappe" / "__init__.py").touch()
	return folder


def made(tmp_path, **environ):
	return choice.made(environ, tmp_path / ".dev")


def test_a_later_command_uses_the_frappe_that_an_earlier_one_named(tmp_path, checkout, capsys):
	extra = tmp_path / "fork"
	extra.mkdir()
	first = made(tmp_path, FRAPPE_PATH=str(checkout), FRAPPE_EXTRA=str(extra))
	assert capsys.readouterr().err == ""
	assert made(tmp_path) == first and first.frappe_extra == (extra,)
	assert str(checkout) in capsys.readouterr().err


def test_an_empty_variable_goes_back_to_the_pinned_frappe(tmp_path, checkout):
	made(tmp_path, FRAPPE_PATH=str(checkout))
	assert made(tmp_path, FRAPPE_PATH="").frappe_path is None
	assert made(tmp_path).frappe_path is None


def test_a_wrong_path_is_not_remembered(tmp_path, checkout):
	made(tmp_path, FRAPPE_PATH=str(checkout))
	with pytest.raises(Problem):
		made(tmp_path, FRAPPE_PATH=str(tmp_path))
	assert made(tmp_path).frappe_path == checkout


def test_a_remembered_checkout_that_is_gone_is_said_to_be_remembered(tmp_path, checkout):
	made(tmp_path, FRAPPE_PATH=str(checkout))
	(checkout / "frappe" / "__init__.py").unlink()
	with pytest.raises(Problem, match="remembered from an earlier command"):
		made(tmp_path)
