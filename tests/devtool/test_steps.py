"""A set-up that was interrupted goes on where it stopped, and one that is done is not done again."""

from types import SimpleNamespace

import pytest

from devtool import steps


@pytest.fixture
def done(tmp_path):
	"""Do a step with these inputs unless that was done before; `fails` breaks it off. Returns whether it was done."""
	places = SimpleNamespace(logs=tmp_path / "logs", stamps=tmp_path / "stamps")

	def do(inputs, fails=None):
		def action(current):
			current.log.write_text("under way")
			if fails:
				raise fails

		return steps.once(places, "A step", "a-step", inputs, action)

	return do


def test_a_step_that_is_done_is_not_done_again(done):
	assert [done("pins"), done("pins")] == [True, False]


def test_a_step_is_done_again_when_what_it_is_made_from_changes(done):
	assert [done("pins"), done("other pins"), done("other pins")] == [True, True, False]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError("No space left on device")])
def test_a_step_that_was_broken_off_is_done_the_next_time(done, fault):
	with pytest.raises(type(fault) if isinstance(fault, OSError) else fault):
		done("pins", fails=fault)
	assert [done("pins"), done("pins")] == [True, False]


def test_a_step_that_was_done_and_is_broken_off_when_done_anew_does_not_count_as_done(done):
	done("pins")
	with pytest.raises(KeyboardInterrupt):
		done("other pins", fails=KeyboardInterrupt)
	assert done("pins")
