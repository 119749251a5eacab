"""The page: the template filled, scripts and styles inlined and named by hash in the content security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from rfplan.report import sections
from rfplan.report.baseline import baseline_layers, baseline_section
from rfplan.report.extras import extra_sections
from rfplan.report.facts import Facts
from rfplan.report.markup import number, percent, text
from rfplan.report.payload import BADGES, json_for_html, map_payload
from rfplan.report.years import rollout_section

LEAFLET_SHA256 = {
    "leaflet/leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet/leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
    "leaflet/LICENSE": "53e8dc25862014e4324741ca18fbe3611e11d42ef69f59f86ea8c5389647d4cb",
}
"""Leaflet 1.9.4 as published on the npm registry (BSD-2-Clause); the files are inlined as they are."""


def asset(name: str) -> str:
    """Text of an asset, Unix line ends (so that a hash of it is the browser's)."""
    raw = files("rfplan.report").joinpath("assets").joinpath(*name.split("/")).read_bytes()
    return raw.decode("utf-8").replace("\r\n", "\n")


def _script(name: str) -> str:
    """A script that can be inlined: no reference to a source map, nothing that ends the element early."""
    source = re.sub(r"\n//# sourceMappingURL=.*", "\n", asset(name))
    if re.search(r"</script|<!--", source, re.IGNORECASE):
        raise AssertionError(f"asset {name} holds </script or <!-- and cannot be inlined")
    return source


def policy(scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Content security policy that lets exactly these inline scripts and styles run, and no request leave."""

    def hashes(sources: tuple[str, ...]) -> str:
        digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in sources]
        return " ".join(f"'sha256-{d}'" for d in digests)

    return (
        f"default-src 'none'; img-src data:; script-src {hashes(scripts)}; style-src {hashes(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )


def render(facts: Facts, manifest: Mapping[str, Any]) -> str:
    """The whole page as one self-contained HTML document."""
    scripts = (_script("leaflet/leaflet.js"), _script("page.js"))
    styles = (asset("leaflet/leaflet.css"), asset("page.css"))
    parts = [
        ("results", "Results", sections.results(facts)),
        ("baseline", "Today by technology", baseline_section(facts)),
        ("published", "Published figures", sections.published(facts)),
        ("rollout", "Roll-out", rollout_section(facts)),
        ("build", "Sites to build", sections.build_table(facts)),
        *extra_sections(facts),
        ("communes", "Communes", sections.commune_table(facts)),
        ("rest", "Uncoverable rest", sections.rest_table(facts)),
        ("provenance", "Method and provenance", sections.provenance(facts, manifest)),
    ]
    links = [("figures", "Key figures"), ("map-section", "Map"), *((i, n) for i, n, body in parts if body)]
    context = facts.context
    badge = BADGES[context.synthetic_extent]
    return Template(asset("page.html")).substitute(
        csp=policy(scripts, styles),
        generator=text(f"rfplan {manifest['versions']['rfplan']}"),
        title=text(context.title),
        eyebrow=text(" · ".join(v for v in (context.area_name, context.scenario) if v) or "Radio network plan"),
        lead=text(_lead(facts)),
        badge=f'<div class="badge">{text(badge)}</div>' if badge else "",
        synthetic_note=_synthetic_note(facts),
        contents="<ul>" + "".join(f'<li><a href="#{i}">{text(n)}</a></li>' for i, n in links) + "</ul>",
        cards=sections.cards(facts),
        sections="\n".join(body for _, _, body in parts),
        footer=text(
            f"Written by rfplan {manifest['versions']['rfplan']}; when, and how long it took, is in run.json. "
            "Map library: Leaflet 1.9.4, © Volodymyr Agafonkin, CloudMade (BSD-2-Clause). "
            "Predicted coverage, not measured; check sites on the ground before building."
        ),
        data=json_for_html(map_payload(facts, baseline_layers)),
        leaflet_css=styles[0],
        page_css=styles[1],
        leaflet_js=scripts[0],
        page_js=scripts[1],
    )


def _lead(facts: Facts) -> str:
    """One line: what was planned, how, for whom."""
    after = facts.after
    technology = str(getattr(after, "technology", "") or "")
    service = str(getattr(after.service, "name", "") or "")
    level = f"{facts.level_name} ≥ {number(facts.required_rsrp_dbm, 1).removesuffix('.0')} dBm"
    model, joint = type(after.model).__name__, facts.joint_probability
    height = getattr(after.receiver, "height_agl_m", None)
    words = [
        f"{technology} {service}".strip(),
        level
        + " and uplink closed"
        + (f", by some site with probability ≥ {percent(100 * joint, 1)}" if joint is not None else ""),
        f"model {model}",
        f"receiver {number(height, 1)} m above ground" if height is not None else "",
        f"{number(facts.terrain.resolution_m, 0)} m pixels",
    ]
    return " · ".join(w for w in words if w)


def _synthetic_note(facts: Facts) -> str:
    badge = BADGES[facts.context.synthetic_extent]
    if not badge:
        return ""
    note = facts.context.synthetic_note or "Terrain, people or sites of this report are made up; do not build from it."
    words = note.strip().removeprefix("Synthetic:").strip()
    return f'<div class="callout" role="note"><p><strong>{text(badge)}:</strong> {text(words)}</p></div>'
