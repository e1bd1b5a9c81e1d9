"""Errors raised by the composition root.

* OrchestrationError
  x SettingsError            a setting is unknown or has a value that cannot be used
  x UnknownAgentError        no agent file with this id
  x UnknownVersionError      no such version of an agent is kept, or none can go back to it
  x UnknownQuestionError     no agent has this criterion or field
  x PortInUseError           a server cannot listen where it was told to
  x RunFailedError           a Dagster run that a command started did not succeed
  x NoDataError              the folder holds no data of ours
  x LostStoreError           the store vanished, and what was exported from it did not
  x SoundFileError           a sound file, or what lies beside it, cannot be written
  x ForgettingError          there is nothing to forget by this name, or not now
"""


class OrchestrationError(Exception):
    """Base class, so that a caller can catch everything this package raises on purpose."""


class SettingsError(OrchestrationError):
    """A setting is unknown or has a value that cannot be used."""


class UnknownAgentError(OrchestrationError):
    """There is no agent with this id."""


class UnknownVersionError(OrchestrationError):
    """No such version of an agent is kept, or the agent cannot go back to it."""


class UnknownQuestionError(OrchestrationError):
    """No agent has this criterion or data collection field."""


class PortInUseError(OrchestrationError):
    """Another program listens on the port."""


class RunFailedError(OrchestrationError):
    """A Dagster run that a command started did not succeed."""


class SoundFileError(OrchestrationError):
    """A sound file, or the transcript beside it, cannot be written where it was to be."""


class ForgettingError(OrchestrationError):
    """There is nothing to forget by this name, or it cannot be forgotten now."""


class NoDataError(OrchestrationError):
    """The folder holds nothing that a command could work on."""


class LostStoreError(OrchestrationError):
    """The store is gone or empty, but days that were exported from it are there."""
