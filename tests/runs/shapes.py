"""Answers fit the models that describe them, to the letter: nothing missing, nothing more, the right types."""

from hisabi_sync.api.runs import models as runs_models


def assert_shape(model, answer):
	getattr(runs_models, model).model_validate(answer, strict=True)
