"""Errors and warnings that rfplan raises at its public edge."""

from __future__ import annotations


class RfplanError(ValueError):
    """Base of every error rfplan raises on purpose: it names what was given, what is allowed and the remedy."""


class InputFileError(RfplanError):
    """A file cannot be used: it is missing, damaged, too large or not what it claims to be."""


class ParameterError(RfplanError):
    """A parameter is outside what its model or function can take."""


class ScenarioError(RfplanError):
    """A scenario file has a missing, unknown or impossible key."""


class OutputError(RfplanError):
    """A result cannot be written where it was asked for."""


class RfplanWarning(UserWarning):
    """Base of every warning rfplan issues."""


class ValidityWarning(RfplanWarning):
    """A model was used outside the range its source states; the result is returned unclipped."""


class DataWarning(RfplanWarning):
    """Input data was incomplete or doubtful and a stated default or repair was used."""
