/* Map, layer switch and tables of an rfplan report. Every text goes in through textContent: names are untrusted. */
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("plan-data").textContent);
  var byId = function (id) { return document.getElementById(id); };

  function element(tag, attributes, children) {
    var node = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (key) {
      if (key === "text") { node.textContent = attributes[key]; } else { node.setAttribute(key, attributes[key]); }
    });
    (children || []).forEach(function (child) { node.appendChild(child); });
    return node;
  }
  function svg(tag, attributes, children) {
    var node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { node.appendChild(child); });
    return node;
  }
  function number(value, digits) {
    if (value === null || value === undefined || !isFinite(value)) { return "–"; }
    return value.toLocaleString("en", { minimumFractionDigits: digits || 0, maximumFractionDigits: digits || 0 }).replace("-", "−");
  }
  function rows(pairs) {
    return element("table", {}, pairs.filter(function (p) { return p[1] !== null && p[1] !== undefined && p[1] !== ""; }).map(function (p) {
      return element("tr", {}, [element("td", { text: p[0] }), element("td", { text: String(p[1]) })]);
    }));
  }
  function popup(tag, title, pairs) {
    return element("div", { "class": "popup" }, [element("span", { "class": "tag", text: tag }), element("h4", { text: title }), rows(pairs)]);
  }
  function position(lat, lon) {
    return Math.abs(lat).toFixed(4) + "° " + (lat < 0 ? "S" : "N") + ", " + Math.abs(lon).toFixed(4) + "° " + (lon < 0 ? "W" : "E");
  }

  /* ---- map ---------------------------------------------------------------------------------------------- */
  var map = L.map("map", { preferCanvas: true, zoomSnap: 0.25, zoomDelta: 0.5, minZoom: 5, maxZoom: 17, attributionControl: false });
  map.createPane("shade").style.zIndex = 200;
  map.createPane("theme").style.zIndex = 250;
  map.createPane("rest").style.zIndex = 300;
  map.createPane("borders").style.zIndex = 420;
  map.createPane("existing").style.zIndex = 440;
  map.createPane("planned").style.zIndex = 460;
  L.control.attribution({ prefix: false }).addAttribution(element("i", { text: data.attribution }).innerHTML).addTo(map);
  L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
  map.fitBounds(data.bounds);
  L.imageOverlay(data.shade.uri, data.shade.bounds, { pane: "shade", alt: "Relief", className: "shade" }).addTo(map);
  if (data.badge) {
    var Badge = L.Control.extend({ onAdd: function () { return element("div", { "class": "mapbadge", text: data.badge }); } });
    new Badge({ position: "topright" }).addTo(map);
  }
  var Cursor = L.Control.extend({ onAdd: function () { return element("div", { "class": "cursor" }); } });
  var cursor = new Cursor({ position: "bottomleft" }).addTo(map);
  map.on("mousemove", function (event) { cursor.getContainer().textContent = position(event.latlng.lat, event.latlng.lng); });

  /* ---- thematic layers: one at a time ------------------------------------------------------------------- */
  var opacity = Number(byId("opacity").value) / 100;
  var theme = null, shown = null;
  data.layers.forEach(function (layer) {
    layer.image = layer.uri ? L.imageOverlay(layer.uri, layer.bounds, { pane: "theme", opacity: opacity, alt: layer.label, className: "theme" }) : null;
  });
  function swatch(entry) {
    var shape = entry.mark === "dot" ? svg("circle", { cx: 11, cy: 7, r: 3, fill: entry.colour, stroke: "#fff" })
      : entry.mark === "ring" ? svg("circle", { cx: 11, cy: 7, r: 5.2, fill: entry.colour, stroke: "#111", "stroke-width": 1.6 })
      : entry.mark === "line" ? svg("line", { x1: 0, y1: 7, x2: 22, y2: 7, stroke: entry.colour, "stroke-width": 1.8 })
      : entry.mark === "dash" ? svg("line", { x1: 0, y1: 7, x2: 22, y2: 7, stroke: entry.colour, "stroke-width": 1.6, "stroke-dasharray": "4 3" })
      : entry.mark === "hatch" ? svg("path", { d: "M0 6L6 0M0 14L14 0M8 14L22 0M16 14L22 8", stroke: entry.colour, "stroke-width": 2.4, fill: "none" })
      : svg("rect", { x: 0.5, y: 0.5, width: 21, height: 13, fill: entry.colour, "fill-opacity": entry.hollow ? 0.25 : 0.9, stroke: entry.hollow ? entry.colour : "none" });
    return element("li", {}, [svg("svg", { viewBox: "0 0 22 14", "aria-hidden": "true" }, [shape]), element("span", { text: entry.label })]);
  }
  function drawLegend() {
    var box = byId("legend");
    box.replaceChildren(element("h3", { text: theme ? theme.title : "Legend" }));
    if (theme) {
      box.appendChild(element("ul", {}, theme.legend.map(swatch)));
      if (theme.note) { box.appendChild(element("p", { "class": "small hint", text: theme.note })); }
    }
    var beyond = data.communes.features.some(function (f) { return f.properties.off; });
    var marks = [];
    vectors.filter(function (v) { return v.on; }).forEach(function (v) { (v.legends || [v.legend]).forEach(function (entry) { marks.push(swatch(entry)); }); });
    if (beyond && vectors.some(function (v) { return v.id === "communes" && v.on; })) { marks.push(swatch({ mark: "dash", colour: "#8d99a5", label: "Commune beyond the terrain: not judged" })); }
    if (marks.length) { box.appendChild(element("ul", { "class": "marks" }, marks)); }
  }
  function choose(layer) {
    if (shown) { map.removeLayer(shown); shown = null; }
    theme = layer;
    if (layer && layer.image) { shown = layer.image.setOpacity(opacity).once("load", crispen).addTo(map); }
    styleCommunes();
    drawLegend();
  }
  function crispen() { // show pixels as they are once the screen has several for each
    var image = shown && shown.getElement();
    map.getContainer().classList.toggle("close", !!image && image.getBoundingClientRect().width >= 2 * image.naturalWidth);
  }
  byId("opacity").addEventListener("input", function () {
    opacity = Number(this.value) / 100;
    if (shown) { shown.setOpacity(opacity); }
    styleCommunes();
  });

  /* ---- communes ------------------------------------------------------------------------------------------ */
  var communes = null, selected = null;
  function shadeOf(properties) {
    var value = properties[theme.field];
    if (value === null || value === undefined) { return null; }
    for (var i = 0; i < theme.steps.length; i += 1) { if (value >= theme.steps[i]) { return theme.legend[i].colour; } }
    return null;
  }
  function styleCommunes() {
    if (!communes) { return; }
    communes.setStyle(function (feature) {
      var fill = theme && theme.field ? shadeOf(feature.properties) : null;
      var chosen = feature === selected;
      var off = feature.properties.off;
      return { color: chosen ? "#111" : off ? "#8d99a5" : "#2f3b47", weight: chosen ? 3 : off ? 0.6 : 0.9, dashArray: off ? "3 3" : null, opacity: chosen ? 1 : 0.75, fill: true, fillColor: fill || "#fff", fillOpacity: fill ? opacity : 0 };
    });
  }
  function inRing(ring, lon, lat) {
    var inside = false;
    for (var i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      if ((ring[i][1] > lat) !== (ring[j][1] > lat) && lon < (ring[j][0] - ring[i][0]) * (lat - ring[i][1]) / (ring[j][1] - ring[i][1]) + ring[i][0]) { inside = !inside; }
    }
    return inside;
  }
  function communeAt(lat, lon) {
    var found = null;
    ((data.communes && data.communes.features) || []).forEach(function (feature) {
      var shapes = feature.geometry.type === "Polygon" ? [feature.geometry.coordinates] : feature.geometry.coordinates;
      shapes.forEach(function (rings) {
        if (inRing(rings[0], lon, lat) && !rings.slice(1).some(function (hole) { return inRing(hole, lon, lat); })) { found = feature; }
      });
    });
    return found;
  }

  /* ---- sites --------------------------------------------------------------------------------------------- */
  var canvas = { existing: L.canvas({ pane: "existing", tolerance: 4 }), planned: L.canvas({ pane: "planned", tolerance: 4 }), borders: L.canvas({ pane: "borders" }) };
  var Numbered = L.CircleMarker.extend({
    _updatePath: function () {
      L.CircleMarker.prototype._updatePath.call(this);
      if (this.options.order && this.getRadius() >= 7 && !this._empty()) {
        var ctx = this._renderer._ctx;
        ctx.globalAlpha = 1;
        ctx.fillStyle = "#111";
        ctx.font = "600 " + (this.options.order > 99 ? 8.5 : 10) + "px sans-serif";
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        ctx.fillText(this.options.order, this._point.x, this._point.y + 0.5);
      }
    }
  });
  var existing = L.layerGroup(data.existing.map(function (site) {
    return L.circleMarker([site.lat, site.lon], { renderer: canvas.existing, pane: "existing", radius: 2.4, weight: 0.7, color: "#fff", fillColor: "#1d2731", fillOpacity: 0.95, bubblingMouseEvents: false })
      .bindPopup(function () {
        return popup("Existing site", site.name || site.id, site.facts.concat([["Position", position(site.lat, site.lon)]]));
      }, { minWidth: 250, maxWidth: 340 });
  }));
  var yearColour = {};
  data.years.forEach(function (entry) { yearColour[entry.year] = entry.colour; });
  var planned = data.planned.map(function (site) {
    var marker = new Numbered([site.lat, site.lon], { renderer: canvas.planned, pane: "planned", radius: 5, weight: 1.4, color: "#111", fillColor: yearColour[site.year] || "#ffb000", fillOpacity: 1, order: site.order, bubblingMouseEvents: false });
    marker.bindPopup(function () {
      return popup("New site, number " + site.order + " of " + data.planned.length, site.name || site.id, [
        ["Year", site.year], ["Work", site.work], ["Place", site.kind], ["Antenna height above ground", site.height === null ? null : number(site.height, 0) + " m"], ["Cost, " + data.costUnit, site.cost === null ? null : number(site.cost, 2)],
        ["People gained", site.people === null ? null : number(site.people, 0)], ["Area gained", site.km2 === null ? null : number(site.km2, 2) + " km²"],
        ["Population covered so far", site.peoplePercent === null ? null : number(site.peoplePercent, 2) + " %"], ["Area covered so far", site.areaPercent === null ? null : number(site.areaPercent, 2) + " %"],
        ["Position", position(site.lat, site.lon)]]);
    }, { minWidth: 270, maxWidth: 340 });
    return marker;
  });
  var plannedGroup = L.layerGroup(planned);
  function sizes() {
    var zoom = map.getZoom(), base = data.zoom0 === undefined ? (data.zoom0 = zoom) : data.zoom0, growth = Math.max(0, zoom - base);
    var small = Math.min(3.2, Math.max(1.5, 5 - 0.32 * Math.log2(data.existing.length + 1)));
    var large = Math.min(9.5, Math.max(3.4, 10.5 - 0.95 * Math.log2(planned.length + 1)));
    existing.eachLayer(function (m) { m.setRadius(Math.min(6, small + 0.8 * growth)); });
    planned.forEach(function (m) { m.setRadius(Math.min(9.5, large + 2.5 * growth)); });
  }
  map.on("zoomend", sizes);
  map.on("zoomend", crispen);

  var polygons = !data.uncoverableCount ? null : L.layerGroup([L.imageOverlay(data.rest.uri, data.rest.bounds, { pane: "rest", opacity: 0.9, alt: "Uncoverable rest" }), L.geoJSON(data.uncoverable, {
    pane: "borders", renderer: canvas.borders, bubblingMouseEvents: false,
    style: { color: "#3d2c4f", weight: 1, fillColor: "#3d2c4f", fillOpacity: 0.04 },
    onEachFeature: function (feature, layer) {
      var p = feature.properties;
      layer.bindPopup(function () { return popup("Uncoverable", "No candidate reaches this", [["People", number(p.people, 0)], ["Area", number(p.area_km2, 2) + " km²"], ["Reason", p.reason]]); });
    }
  })]);
  if (data.communes && data.communes.features.length) {
    communes = L.geoJSON(data.communes, { pane: "borders", renderer: canvas.borders, interactive: false });
  }
  var hops = !data.hops.length ? null : L.layerGroup(data.hops.map(function (hop) {
    return L.polyline(hop.line, { renderer: canvas.existing, pane: "existing", color: "#7a1fa2", weight: 2.2, opacity: 0.9, bubblingMouseEvents: false })
      .bindPopup(function () {
        return popup("Microwave hop", hop.from + " – " + hop.to, [["Length", number(hop.km, 2) + " km"], ["Clearance beyond the Fresnel share", number(hop.clearance, 1) + " m"], ["Availability", hop.availability]]);
      }, { minWidth: 250, maxWidth: 340 });
  }));
  var vectors = [
    { id: "existing", label: "Existing sites", layer: existing, count: data.existing.length, on: data.existing.length > 0, legend: { mark: "dot", colour: "#1d2731", label: "Existing site" } },
    { id: "planned", label: "New sites", layer: plannedGroup, count: planned.length, on: planned.length > 0, legends: data.years.length ? data.years.filter(function (y) { return y.sites; }).map(function (y) { return { mark: "ring", colour: y.colour, label: "New site of " + y.year + ": " + number(y.sites, 0) }; }) : [{ mark: "ring", colour: "#ffb000", label: "New site, numbered in build order" }] },
    { id: "hops", label: "Backhaul hops", layer: hops, count: data.hops.length, on: !!hops, legend: { mark: "line", colour: "#7a1fa2", label: "Microwave hop of a new site" } },
    { id: "communes", label: "Commune borders", layer: communes, count: communes ? data.communes.features.length : 0, on: !!communes, legend: { mark: "line", colour: "#2f3b47", label: "Commune border" } },
    { id: "uncoverable", label: "Uncoverable rest", layer: polygons, count: data.uncoverableCount, on: !!polygons, legend: { mark: "hatch", colour: "#3d2c4f", label: "Uncoverable: no candidate reaches it" } }
  ];
  vectors = vectors.filter(function (v) { return v.id !== "hops" || v.count; });
  vectors.forEach(function (v) {
    var box = element("input", { type: "checkbox", id: "show-" + v.id });
    box.checked = v.on;
    box.disabled = !v.layer || !v.count;
    box.addEventListener("change", function () {
      v.on = box.checked;
      if (v.on) { map.addLayer(v.layer); } else { map.removeLayer(v.layer); }
      if (v.id === "communes") { styleCommunes(); }
      drawLegend();
    });
    byId("shows").appendChild(element("label", { "class": "option" }, [box, element("span", { text: v.label }), element("span", { "class": "count", text: number(v.count, 0) })]));
    if (v.on) { map.addLayer(v.layer); }
  });
  data.layers.concat([{ id: "none", label: "Relief only", title: "Relief only", legend: [] }]).forEach(function (layer) {
    var radio = element("input", { type: "radio", name: "layer", value: layer.id, id: "layer-" + layer.id });
    radio.checked = layer.id === data.start;
    radio.addEventListener("change", function () { choose(layer); });
    byId("layers").appendChild(element("label", { "class": "option" }, [radio, element("span", { text: layer.label })]));
    if (radio.checked) { choose(layer); }
  });
  sizes();

  /* ---- build order --------------------------------------------------------------------------------------- */
  if (planned.length) {
    byId("stepper").hidden = false;
    var step = byId("step");
    step.max = planned.length;
    step.value = planned.length;
    var built = function () {
      var count = Number(step.value);
      planned.forEach(function (marker, i) {
        if (i < count) { plannedGroup.addLayer(marker); } else { plannedGroup.removeLayer(marker); }
      });
      var last = count ? data.planned[count - 1] : data.today;
      byId("step-text").textContent = number(count, 0) + " of " + number(planned.length, 0) + " new sites" + (last.year ? ", to " + last.year : "") + ": " + (last.peoplePercent === null ? "" : "population " + number(last.peoplePercent, 2) + " %, ") + "area " + number(last.areaPercent, 2) + " % covered";
    };
    step.addEventListener("input", built);
    built();
  }

  /* ---- reading levels at a point ------------------------------------------------------------------------- */
  function reader(layer) {
    var ready = null;
    return function (lat, lon, use) {
      if (!ready) {
        ready = new Promise(function (resolve) {
          var image = new Image();
          image.onload = function () {
            var area = document.createElement("canvas");
            area.width = image.naturalWidth;
            area.height = image.naturalHeight;
            var ctx = area.getContext("2d", { willReadFrequently: true });
            ctx.drawImage(image, 0, 0);
            resolve({ ctx: ctx, width: area.width, height: area.height });
          };
          image.src = layer.uri;
        });
      }
      ready.then(function (picture) {
        var project = function (ll) { return L.CRS.EPSG3857.project(L.latLng(ll)); };
        var low = project(layer.bounds[0]), high = project(layer.bounds[1]), here = project([lat, lon]);
        var column = Math.floor((here.x - low.x) / (high.x - low.x) * picture.width), row = Math.floor((high.y - here.y) / (high.y - low.y) * picture.height);
        if (column < 0 || row < 0 || column >= picture.width || row >= picture.height) { use(null); return; }
        var pixel = picture.ctx.getImageData(column, row, 1, 1).data;
        var index = pixel[3] < 128 ? -1 : layer.probe.colours.indexOf(pixel[0] * 65536 + pixel[1] * 256 + pixel[2]);
        use(index < 0 ? null : layer.probe.values[index]);
      });
    };
  }
  var probes = data.layers.filter(function (layer) { return layer.probe; }).map(function (layer) { return { layer: layer, read: reader(layer) }; });
  map.on("click", function (event) {
    var lat = event.latlng.lat, lon = event.latlng.lng, pending = probes.length, answers = [];
    var finish = function () {
      var commune = communeAt(lat, lon);
      var pairs = [["Commune", commune ? commune.properties.name : null]].concat(answers);
      L.popup({ minWidth: 250, maxWidth: 340 }).setLatLng(event.latlng).setContent(popup("Point", position(lat, lon), pairs)).openOn(map);
    };
    if (!pending) { finish(); }
    probes.forEach(function (probe, i) {
      probe.read(lat, lon, function (value) {
        answers[i] = [probe.layer.probe.label || probe.layer.label, value === null ? probe.layer.probe.nothing : typeof value === "number" ? number(value, 0) + " " + probe.layer.probe.unit : value];
        pending -= 1;
        if (!pending) { finish(); }
      });
    });
  });

  /* ---- tables -------------------------------------------------------------------------------------------- */
  function valueOf(row, column) {
    var cell = row.cells[column];
    return cell.hasAttribute("data-v") ? (cell.getAttribute("data-v") === "" ? null : Number(cell.getAttribute("data-v"))) : cell.textContent.trim();
  }
  var compare = new Intl.Collator("vi", { numeric: true, sensitivity: "base" }).compare;
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var button = element("button", { type: "button", text: head.textContent, title: "Sort by this column" });
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        var first = head.classList.contains("n") ? "descending" : "ascending", other = first === "descending" ? "ascending" : "descending";
        var order = head.getAttribute("aria-sort") === first ? other : first, sign = order === "ascending" ? 1 : -1;
        Array.prototype.forEach.call(table.tHead.rows[0].cells, function (h) { h.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", order);
        Array.prototype.slice.call(body.rows).map(function (row, i) { return { row: row, value: valueOf(row, column), i: i }; }).sort(function (a, b) {
          if (a.value === null || b.value === null) { return (a.value === null) - (b.value === null) || a.i - b.i; }
          return sign * (typeof a.value === "number" && typeof b.value === "number" ? a.value - b.value : compare(String(a.value), String(b.value))) || a.i - b.i;
        }).forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  });
  function fold(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/g, "d").replace(/Đ/g, "D").toLowerCase(); }
  document.querySelectorAll("[data-filter]").forEach(function (box) {
    var table = byId(box.getAttribute("data-filter")), below = box.parentNode.parentNode.querySelector("[data-below]"), count = box.parentNode.parentNode.querySelector(".shown");
    var apply = function () {
      var wanted = fold(box.value), seen = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        var fits = fold(row.textContent).indexOf(wanted) >= 0 && !(below && below.checked && row.getAttribute("data-short") !== "1");
        row.hidden = !fits;
        seen += fits ? 1 : 0;
      });
      if (count) { count.textContent = number(seen, 0) + " of " + number(table.tBodies[0].rows.length, 0) + " shown"; }
    };
    box.addEventListener("input", apply);
    if (below) { below.addEventListener("change", apply); }
    apply();
  });
  function go(row) {
    var target = row.getAttribute("data-goto").split(":"), index = Number(target[1]);
    byId("map-section").scrollIntoView();
    if (target[0] === "commune" && communes) {
      selected = data.communes.features.filter(function (f) { return f.properties.row === index; })[0];
      styleCommunes();
      if (selected) { map.fitBounds(L.geoJSON(selected).getBounds(), { maxZoom: 13, padding: [30, 30] }); }
    } else if (target[0] === "site") {
      var marker = planned[index];
      if (!plannedGroup.hasLayer(marker)) { plannedGroup.addLayer(marker); }
      map.setView(marker.getLatLng(), Math.max(map.getZoom(), data.zoom0 + 3));
      marker.openPopup();
    } else if (target[0] === "rest") {
      var box = data.restBounds[index];
      map.fitBounds(box, { maxZoom: 14, padding: [40, 40] });
    }
  }
  document.querySelectorAll("tr[data-goto]").forEach(function (row) { row.addEventListener("click", function () { go(row); }); });

  window.rfplanReport = { map: map, existing: existing, planned: planned, layers: data.layers, communeAt: communeAt };
}());
