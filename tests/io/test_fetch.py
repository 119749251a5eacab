"""Downloads against a server on 127.0.0.1 that imitates the providers' layouts and their failures."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from rfplan.errors import ParameterError
from rfplan.io import sources
from rfplan.io.fetch import FetchError, fetch, list_files

HANOI = (105.2, 21.1, 105.8, 21.4)
DEM = "/Copernicus_DSM_COG_10_N21_00_E105_00_DEM/Copernicus_DSM_COG_10_N21_00_E105_00_DEM.tif"
PBF = "/asia/vietnam-latest.osm.pbf"
BODY = bytes(range(256)) * 4096  # 1 MiB


class Provider(BaseHTTPRequestHandler):
    """Serves `files`; `faults` holds, per path, what goes wrong in the next requests, first come first."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    faults: ClassVar[dict[str, list[str]]] = {}
    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Range")))
        fault = self.faults.get(self.path, [])
        wrong = fault.pop(0) if fault else ""
        body = self.files.get(self.path)
        if body is None or wrong.isdigit():
            self.send_response(int(wrong) if wrong else 404)
            self.send_header("Content-Length", "0")
            if wrong == "429":
                self.send_header("Retry-After", "0")
            self.end_headers()
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        start = 0
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if wrong == "slow":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            time.sleep(0.5)
            return
        if wrong == "truncated":
            self.wfile.write(body[start : start + (len(body) - start) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(body[start:])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def base() -> Iterator[str]:
    Provider.files, Provider.faults, Provider.seen = {}, {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(base: str, folder: Path, what: str, bbox: tuple[float, float, float, float] = HANOI, **options: object):
    return fetch(bbox, [what], folder=folder, base_urls={what: base}, **options)


def test_downloads_and_then_answers_from_the_cache(base: str, tmp_path: Path) -> None:
    Provider.files[DEM] = BODY
    (first,) = run(base, tmp_path, "glo30")
    assert first.path is not None
    assert first.path.read_bytes() == BODY
    assert (first.from_cache, first.size_bytes) == (False, len(BODY))
    receipt = json.loads(first.path.with_name(first.path.name + ".receipt.json").read_text())
    assert receipt["sha256"] == hashlib.sha256(BODY).hexdigest() == first.sha256
    asked = len(Provider.seen)
    (second,) = run(base, tmp_path, "glo30")
    assert second.from_cache
    assert second.sha256 == first.sha256
    assert len(Provider.seen) == asked


def test_a_body_that_breaks_off_is_resumed_where_it_stopped(base: str, tmp_path: Path) -> None:
    Provider.files[DEM] = BODY
    Provider.faults[DEM] = ["truncated"]
    (got,) = run(base, tmp_path, "glo30")
    assert got.path is not None
    assert got.path.read_bytes() == BODY
    ranges = [asked for _, asked in Provider.seen]
    assert ranges[0] is None
    assert ranges[1] == f"bytes={len(BODY) // 2}-"


def test_a_later_run_resumes_what_an_earlier_one_left(base: str, tmp_path: Path) -> None:
    Provider.files[DEM] = BODY
    Provider.faults[DEM] = ["truncated"] * 4
    with pytest.raises(FetchError, match="by hand and put it at"):
        run(base, tmp_path, "glo30")
    Provider.seen.clear()
    (got,) = run(base, tmp_path, "glo30")
    assert got.path is not None
    assert got.path.read_bytes() == BODY
    assert Provider.seen[0][1] is not None


def test_a_server_that_stalls_is_given_up_and_asked_again(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rfplan.io.fetch.READ_TIMEOUT_S", 0.2)
    Provider.files[DEM] = BODY
    Provider.faults[DEM] = ["slow"]
    (got,) = run(base, tmp_path, "glo30")
    assert got.path is not None
    assert got.path.read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_not_stitched_together(base: str, tmp_path: Path) -> None:
    Provider.files[DEM] = BODY
    Provider.faults[DEM] = ["truncated"] * 4
    with pytest.raises(FetchError):
        run(base, tmp_path, "glo30")
    Provider.files[DEM] = BODY[::-1]
    (got,) = run(base, tmp_path, "glo30")
    assert got.path is not None
    assert got.path.read_bytes() == BODY[::-1]


def test_open_sea_is_absent_and_a_missing_country_is_an_error(base: str, tmp_path: Path) -> None:
    (sea,) = run(base, tmp_path, "glo30", bbox=(110.2, 15.2, 110.4, 15.4))
    assert sea.path is None
    with pytest.raises(FetchError, match="404"):
        run(base, tmp_path, "worldpop", country="XXX")


@pytest.mark.parametrize("status", ["429", "503"])
def test_a_busy_server_is_asked_again(base: str, tmp_path: Path, status: str) -> None:
    Provider.files[DEM] = BODY
    Provider.faults[DEM] = [status]
    (got,) = run(base, tmp_path, "glo30")
    assert got.size_bytes == len(BODY)
    assert len(Provider.seen) == 2


def test_a_wrong_checksum_is_never_accepted(base: str, tmp_path: Path) -> None:
    Provider.files[PBF] = BODY
    Provider.files[PBF + ".md5"] = b"0" * 32 + b"  vietnam-latest.osm.pbf\n"
    with pytest.raises(FetchError, match="wrong checksum"):
        run(base, tmp_path, "osm")
    assert not list(tmp_path.rglob("*.pbf"))
    Provider.files[PBF + ".md5"] = hashlib.md5(BODY).hexdigest().encode()
    (got,) = run(base, tmp_path, "osm")
    assert got.size_bytes == len(BODY)


def test_a_cached_file_of_another_size_is_fetched_again(base: str, tmp_path: Path) -> None:
    Provider.files[DEM] = BODY
    (got,) = run(base, tmp_path, "glo30")
    assert got.path is not None
    got.path.write_bytes(BODY[:100])
    (again,) = run(base, tmp_path, "glo30")
    assert not again.from_cache
    assert again.size_bytes == len(BODY)


def test_a_file_put_there_by_hand_is_used(base: str, tmp_path: Path) -> None:
    (remote,) = list_files(HANOI, ["glo30"])
    place = tmp_path / remote.name
    place.parent.mkdir(parents=True)
    place.write_bytes(b"by hand")
    (got,) = run(base, tmp_path, "glo30")
    assert got.from_cache
    assert Provider.seen == []


def test_nobody_answering_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.Retry.sleep", lambda *_: None)
    with pytest.raises(FetchError, match=r"put it at .*glo30"):
        run("http://127.0.0.1:9", tmp_path, "glo30")


def test_the_users_key_is_neither_stored_nor_printed(base: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        run(base, tmp_path, "opencellid", opencellid_key="s3cret")
    assert "s3cret" not in str(caught.value)
    Provider.files["/ocid/downloads?token=s3cret&type=mcc&file=452.csv.gz"] = BODY
    run(base, tmp_path, "opencellid", opencellid_key="s3cret")
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes()


def test_layouts() -> None:
    def names(what: str, bbox: tuple[float, float, float, float] = HANOI) -> list[str]:
        return [remote.url for remote in list_files(bbox, [what])]

    province = (104.812, 20.307, 105.855, 21.721)
    assert len(names("glo30", province)) == 4
    assert names("glo30", (-0.5, -0.5, 0.5, 0.5))[0].endswith("S01_00_W001_00_DEM.tif")
    assert names("worldcover", province)[0].endswith("/v200/2021/map/ESA_WorldCover_10m_2021_v200_N18E102_Map.tif")
    assert len(names("worldcover", province)) == 4
    assert names("ghs-pop")[0].endswith("GHS_POP_E2025_GLOBE_R2023A_4326_3ss_V1_0_R7_C29.zip")
    assert names("worldpop")[0].endswith("/2020/VNM/vnm_ppp_2020_1km_Aggregated.tif")


@pytest.mark.parametrize(
    "bbox", [(105.0, 21.0, 104.0, 22.0), (105.0, 21.0, 106.0, 21.0), (0.0, -91.0, 1.0, 0.0), (float("nan"), 0, 1, 1)]
)
def test_an_impossible_area_is_refused(bbox: tuple[float, float, float, float]) -> None:
    with pytest.raises(ParameterError, match="bbox"):
        list_files(bbox)


def test_unknown_sources_and_missing_keys_are_refused() -> None:
    with pytest.raises(ParameterError, match="choose from"):
        list_files(HANOI, ["aster"])
    with pytest.raises(ParameterError, match="your own key"):
        list_files(HANOI, ["opencellid"])
    assert set(sources.LICENCES) == set(sources.BASE_URLS)
