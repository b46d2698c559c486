"""How a test says that a server must refuse: which code, and which words."""

import contextlib

import pytest
from mlflow.exceptions import MlflowException


@contextlib.contextmanager
def refused(code, words=""):
    """Expects a refusal with this error code and these words in its message."""
    with pytest.raises(MlflowException) as caught:
        yield
    assert caught.value.error_code == code, caught.value
    assert words in str(caught.value), caught.value
