"""What can go wrong with a model, by name."""


class ModelError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelUnavailable(ModelError):
    """No version can answer: none is registered, or the champion cannot be read."""


class ArtifactRejected(ModelError):
    """A version's folder is not what its manifest says; nothing of it was loaded."""
