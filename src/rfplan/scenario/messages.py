"""What is wrong with a scenario, in words that name the key, what was given and what is allowed."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, scenario: type[BaseModel]) -> list[str]:
    """Turn pydantic's complaints into lines that name key, value and what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        parts = [part for part in item["loc"] if not (isinstance(part, str) and "[" in part)]
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".") or "scenario"
        if item["type"] == "extra_forbidden":
            lines.append(f"{key}: {unknown(str(parts[-1]), _siblings(scenario, parts[:-1]))}")
            continue
        allowed = _description(scenario, parts)
        text = item["msg"].removeprefix("Value error, ")
        text = text[:1].lower() + text[1:]
        tail = f" (allowed: {allowed})" if allowed else ""
        if item["type"] == "missing":
            lines.append(f"{key}: missing{tail}")
        elif isinstance(item["input"], (dict, BaseModel)):
            lines.append(f"{key}: {text}{tail}")
        else:
            lines.append(f"{key}: got {item['input']!r}; {text}{tail}")
    return lines


def _model_at(scenario: type[BaseModel], parts: list[int | str]) -> type[BaseModel] | None:
    """Return the section that a place in the file belongs to."""
    here = scenario
    for part in parts:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part)
        inner = _section_of(field.annotation) if field is not None else None
        if inner is None:
            return None
        here = inner
    return here


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Find the section type inside an annotation such as ``SynthesizeSection | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_of(arg) for arg in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


def _siblings(scenario: type[BaseModel], parts: list[int | str]) -> list[str]:
    section = _model_at(scenario, parts)
    return list(section.model_fields) if section else []


def _description(scenario: type[BaseModel], parts: list[int | str]) -> str:
    names = [part for part in parts if isinstance(part, str)]
    section = _model_at(scenario, list(names[:-1])) if names else None
    field = section.model_fields.get(names[-1]) if section else None
    return (field.description or "") if field is not None else ""


def unknown(key: str, allowed: list[str]) -> str:
    """Say that a key is not known, which one is close to it and which there are."""
    close = difflib.get_close_matches(key, allowed, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown key{hint} (allowed: {', '.join(allowed)})" if allowed else "unknown key"
