"""Backhaul of a plan: which candidates could be joined to the fibre at all, and how the chosen sites are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rfplan.errors import ParameterError, ScenarioError
from rfplan.optimize.backhaul import fibre_distance_m, plan_backhaul
from rfplan.optimize.candidates import Candidates
from rfplan.optimize.hops import BackhaulRules, Masts, hops_to_fibre
from rfplan.propagation.p530 import first_fresnel_radius_m
from rfplan.propagation.sight import line_of_sight

if TYPE_CHECKING:
    from rfplan.network import Network
    from rfplan.scenario import Scenario
    from rfplan.terrain import Terrain

#: Most masts offered as relays where a site has no hop of its own: those nearest to such sites.
MAX_RELAYS = 300


@dataclass(frozen=True, eq=False)
class SiteBackhaul:
    """How the chosen sites are joined to the fibre.

    Attributes
    ----------
    sites
        A row a chosen site: ``site_id, medium`` (``fibre on site``, ``fibre``, ``microwave`` or ``none``), ``fibre_m``,
        ``hops, next_id, distance_m`` of all hops to the fibre, their least ``clearance_m`` beyond the wanted share of
        the Fresnel zone, ``availability_percent`` of the whole chain, ``cost`` of the site's own hop or fibre, and the
        ``reason`` where there is none. In a roll-out also ``year`` and ``joined_year``: the year in which the last new
        site on its chain is built.
    links
        A row a hop: those of ``BackhaulPlan.links`` with positions, ``checked_clearance_m`` by the link tool's profile
        and ``verified``.
    relays
        Masts to be equipped or built for relaying only: ``node_id, lon_deg, lat_deg, height_agl_m, cost``.
    cost
        Of all hops, fibre and relays.
    verified
        Every hop clears its profile, and every chosen site is joined.
    without
        Candidates that no chain of hops joins to the fibre.
    basis
        What has fibre, in words.
    """

    sites: pd.DataFrame
    links: pd.DataFrame
    relays: pd.DataFrame
    cost: float
    verified: bool
    without: int
    basis: str


def with_backhaul(
    scenario: Scenario, terrain: Terrain, network: Network, candidates: Candidates
) -> tuple[Candidates, int]:
    """Drop, or price, the candidates that cannot be joined to the fibre; also their number.

    Chains may run over existing sites and other candidates.

    Raises
    ------
    ParameterError
        If no candidate is left.
    """
    section = scenario.backhaul
    if section is None:
        return candidates, 0
    rules = scenario.make_backhaul_rules()
    existing, connected = _existing(scenario, network)
    table = candidates.table
    masts = Masts.on(
        terrain,
        [*existing["lon_deg"], *table["lon_deg"]],
        [*existing["lat_deg"], *table["lat_deg"]],
        [*existing["height_agl_m"], *table["tx_height_agl_m"]],
    )
    on_fibre = table["site_id"].isin(existing.loc[connected, "node_id"]).to_numpy()
    root = np.concatenate([connected, on_fibre]) & np.isfinite(masts.ground_amsl_m)
    root |= fibre_distance_m(terrain, masts, _fibre(scenario)) <= rules.fibre_reach_m
    hops = hops_to_fibre(terrain, masts, root, rules)[len(existing) :]
    lost = hops < 0
    table = table.assign(backhaul_hops=hops)
    if section.unreachable == "price":
        table["cost"] = table["cost"] + np.where(lost, section.unreachable_cost, 0.0)
    else:
        if lost.all():
            raise ParameterError(
                f"no candidate can be joined to the fibre within {rules.max_hops} hops of {rules.max_hop_m:g} m; "
                "relax backhaul.hops or add fibre"
            )
        table = table[~lost].reset_index(drop=True)
    counts = {**candidates.excluded, "no backhaul": int(lost.sum())}
    return replace(candidates, table=table, excluded=counts), int(lost.sum())


def site_backhaul(
    scenario: Scenario, terrain: Terrain, network: Network, candidates: Candidates, sites: pd.DataFrame, without: int
) -> SiteBackhaul | None:
    """Join the chosen sites to the fibre and check every hop on its profile; None where the scenario does not ask."""
    section = scenario.backhaul
    if section is None or not len(sites):
        return None
    rules = scenario.make_backhaul_rules()
    existing, connected = _existing(scenario, network)
    masts = Masts.on(terrain, existing["lon_deg"], existing["lat_deg"], existing["height_agl_m"])
    on_terrain = np.isfinite(masts.ground_amsl_m)
    rooted = existing[connected & on_terrain]
    served = sites["upgrades"].isin(rooted["node_id"]).to_numpy()
    wanted = _as_nodes(sites[~served])
    fibre = _fibre(scenario)
    plan, relays = None, _as_nodes(sites[:0])
    if len(wanted):
        plan = plan_backhaul(terrain, wanted, fibre=fibre, connected=rooted, rules=rules)
        if len(plan.unconnected):
            relays = _relays(terrain, existing[~connected & on_terrain], candidates, sites, plan.unconnected, rules)
            plan = plan_backhaul(terrain, wanted, fibre=fibre, connected=rooted, relays=relays, rules=rules)
    every = pd.concat([rooted, wanted, relays], ignore_index=True).drop_duplicates("node_id").set_index("node_id")
    links = _checked(terrain, pd.DataFrame(columns=["from_id", "to_id"]) if plan is None else plan.links, every, rules)
    table = _site_table(sites, served, plan, links, rules)
    used = set() if plan is None else set(plan.nodes.loc[plan.nodes["role"] == "relay", "node_id"])
    return SiteBackhaul(
        sites=table,
        links=links,
        relays=relays[relays["node_id"].isin(used)].reset_index(drop=True),
        cost=0.0 if plan is None else plan.cost,
        verified=bool(links["verified"].all() and (table["medium"] != "none").all()),
        without=without,
        basis=_basis(scenario, int(connected.sum())),
    )


def _existing(scenario: Scenario, network: Network) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Existing sites as nodes, and which of them have fibre."""
    section = scenario.backhaul
    assert section is not None
    highest = network.sectors.groupby("site_id")["tx_height_agl_m"].max()
    nodes = pd.DataFrame(
        {
            "node_id": network.sites["site_id"].astype(str),
            "lon_deg": network.sites["lon_deg"],
            "lat_deg": network.sites["lat_deg"],
            "height_agl_m": network.sites["site_id"].map(highest).astype(np.float64),
        }
    )
    unknown = sorted(set(section.fibre_sites) - set(nodes["node_id"]))
    if unknown:
        raise ScenarioError(
            f"{scenario.source}: backhaul.fibre_sites: {unknown[0]!r} is no site_id of the network "
            f"({len(unknown)} unknown); name existing sites"
        )
    if section.fibre_sites:
        return nodes, nodes["node_id"].isin(section.fibre_sites).to_numpy()
    return nodes, np.full(len(nodes), section.existing_have_fibre)


def _fibre(scenario: Scenario) -> Any:
    if scenario.backhaul is None or scenario.backhaul.fibre is None:
        return None
    from rfplan.io.vector import read_vector

    lines = read_vector(scenario.path(scenario.backhaul.fibre))
    strange = lines[~lines.geometry.geom_type.isin(["LineString", "MultiLineString"])]
    if len(strange):
        raise ScenarioError(
            f"{scenario.source}: backhaul.fibre: {scenario.backhaul.fibre} holds {strange.geometry.geom_type.iloc[0]} "
            "features; give lines (LineString or MultiLineString)"
        )
    return lines


def _as_nodes(sites: pd.DataFrame) -> pd.DataFrame:
    columns = {"site_id": "node_id", "tx_height_agl_m": "height_agl_m"}
    return sites.rename(columns=columns)[["node_id", "lon_deg", "lat_deg", "height_agl_m"]].reset_index(drop=True)


def _relays(
    terrain: Terrain,
    masts: pd.DataFrame,
    candidates: Candidates,
    sites: pd.DataFrame,
    lonely: pd.DataFrame,
    rules: BackhaulRules,
) -> pd.DataFrame:
    """Existing masts without fibre, and candidates not chosen at the price of a mast there, near the lonely sites."""
    from scipy.spatial import cKDTree

    spare = candidates.table[~candidates.table["candidate_id"].isin(sites["site_id"])]
    spare = spare[spare["site_id"] == ""].rename(columns={"candidate_id": "node_id", "tx_height_agl_m": "height_agl_m"})
    columns = ["node_id", "lon_deg", "lat_deg", "height_agl_m", "cost"]
    pool = pd.concat([masts.assign(cost=rules.relay_cost), spare[columns]], ignore_index=True)
    at = sites[sites["site_id"].isin(lonely["node_id"])]
    x, y = terrain.xy(pool["lon_deg"].to_numpy(np.float64), pool["lat_deg"].to_numpy(np.float64))
    tree = cKDTree(np.column_stack(terrain.xy(at["lon_deg"].to_numpy(np.float64), at["lat_deg"].to_numpy(np.float64))))
    distance, _ = tree.query(np.column_stack([x, y]))
    near = np.argsort(distance, kind="stable")[:MAX_RELAYS]
    picked: pd.DataFrame = pool.iloc[near[distance[near] <= rules.max_hop_m * rules.max_hops]].reset_index(drop=True)
    return picked


def _checked(terrain: Terrain, links: pd.DataFrame, nodes: pd.DataFrame, rules: BackhaulRules) -> pd.DataFrame:
    """The hops with their ends' positions and the clearance over the profile that the link tool cuts."""
    clearance, clear = [], []
    for link in links.to_dict("records"):
        a, b = nodes.loc[link["from_id"]], nodes.loc[link["to_id"]]
        profile = terrain.profile((a["lon_deg"], a["lat_deg"]), (b["lon_deg"], b["lat_deg"]))
        paths = profile.paths(
            frequency_mhz=rules.frequency_mhz, tx_height_agl_m=a["height_agl_m"], rx_height_agl_m=b["height_agl_m"]
        )
        sight = line_of_sight(paths, effective_earth_radius_factor=rules.effective_earth_radius_factor)
        clear.append(bool(sight[0]))
        clearance.append(_profile_clearance_m(profile, float(a["height_agl_m"]), float(b["height_agl_m"]), rules))
    out = links.reset_index(drop=True)
    for end in ("from", "to"):
        for name in ("lon_deg", "lat_deg"):
            out[f"{end}_{name}"] = out[f"{end}_id"].map(nodes[name]).astype(np.float64)
    out["checked_clearance_m"] = np.array(clearance, np.float64)
    out["verified"] = np.array(clear, np.bool_) & (out["checked_clearance_m"].to_numpy() >= -0.01)
    return out


def _profile_clearance_m(profile: Any, tx_height_agl_m: float, rx_height_agl_m: float, rules: BackhaulRules) -> float:
    along, length = profile.distance_m, float(profile.distance_m[-1])
    start, stop = profile.elevation_amsl_m[0] + tx_height_agl_m, profile.elevation_amsl_m[-1] + rx_height_agl_m
    inner = slice(1, -1)
    near, far = along[inner], length - along[inner]
    bulge = near * far / (2.0 * 6_371_000.0 * rules.effective_earth_radius_factor)
    zone = rules.clearance_share * first_fresnel_radius_m(near, far, rules.frequency_mhz)
    ray = start + (stop - start) * near / length
    free = ray - bulge - profile.elevation_amsl_m[inner] - profile.clutter_height_m[inner] - zone
    return float(free.min())


def _site_table(
    sites: pd.DataFrame, served: npt.NDArray[np.bool_], plan: Any, links: pd.DataFrame, rules: BackhaulRules
) -> pd.DataFrame:
    parent = {} if plan is None else {row["from_id"]: row for row in links.to_dict("records")}
    spur = {} if plan is None else dict(zip(plan.nodes["node_id"], plan.nodes["fibre_m"], strict=True))
    why = {} if plan is None else dict(zip(plan.unconnected["node_id"], plan.unconnected["reason"], strict=True))
    rows = []
    for site, has_fibre in zip(sites["site_id"].astype(str), served.tolist(), strict=True):
        row: dict[str, Any] = {"site_id": site, "medium": "none", "reason": why.get(site, "")}
        if has_fibre:
            row |= {"medium": "fibre on site", "fibre_m": 0.0, "hops": 0, "cost": 0.0}
        elif np.isfinite(spur.get(site, np.nan)):
            cost = rules.fibre_cost_per_km * spur[site] / 1000.0
            row |= {"medium": "fibre", "fibre_m": spur[site], "hops": 0, "cost": cost}
        elif site in parent:
            chain, at = [], site
            while at in parent:
                chain.append(parent[at])
                at = parent[at]["to_id"]
            row |= {
                "medium": "microwave",
                "hops": len(chain),
                "next_id": chain[0]["to_id"],
                "distance_m": sum(link["distance_m"] for link in chain),
                "clearance_m": min(link["clearance_m"] for link in chain),
                "availability_percent": 100.0 * float(np.prod([link["availability_percent"] / 100 for link in chain])),
                "cost": chain[0]["cost"],
            }
        rows.append(row)
    columns = ["site_id", "medium", "fibre_m", "hops", "next_id", "distance_m", "clearance_m", "availability_percent"]
    table = pd.DataFrame(rows, columns=[*columns, "cost", "reason"])
    return table if "year" not in sites.columns else _with_years(table, sites, parent)


def _with_years(table: pd.DataFrame, sites: pd.DataFrame, parent: Mapping[Any, Any]) -> pd.DataFrame:
    """When each site is built, and when the last of the new sites that its chain runs over is."""
    built = dict(zip(sites["site_id"].astype(str), sites["year"].astype(int), strict=True))
    joined = []
    for site in table["site_id"]:
        latest, at = built[site], site
        while at in parent:
            at = parent[at]["to_id"]
            latest = max(latest, built.get(at, latest))
        joined.append(latest)
    return table.assign(year=table["site_id"].map(built), joined_year=joined)


def _basis(scenario: Scenario, connected: int) -> str:
    section = scenario.backhaul
    assert section is not None
    parts = []
    if section.fibre is not None:
        parts.append(f"fibre routes of {section.fibre}")
    if section.fibre_sites:
        parts.append(f"the {connected:,} existing sites named as having fibre")
    elif section.existing_have_fibre:
        parts.append(f"all {connected:,} existing sites, taken to have fibre: an assumption of the scenario")
    return " and ".join(parts)
