'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const within = (t, c) => ((t % c) + c) % c;
function widest(c, starts, greens, travel) {
  let open = [[0, c]], whole = true, shift = 0;
  for (let i = 0; i < starts.length; i++) {
    if (i > 0) shift += travel[i - 1];
    if (greens[i] >= c) continue;
    whole = false;
    const from = within(starts[i] - shift, c), to = from + greens[i];
    const windows = to <= c ? [[from, to]] : [[from, c], [0, to - c]];
    open = open.flatMap(o => windows.map(w => [Math.max(o[0], w[0]), Math.min(o[1], w[1])])).filter(p => p[1] > p[0]).sort((a, b) => a[0] - b[0]);
  }
  if (whole) return { from: 0, width: c };
  if (!open.length) return { from: 0, width: 0 };
  let best = open.reduce((a, b) => b[1] - b[0] > a[1] - a[0] ? b : a), first = open[0], last = open[open.length - 1];
  let result = { from: best[0], width: best[1] - best[0] };
  if (open.length > 1 && first[0] < 1e-9 && last[1] > c - 1e-9) {
    const joined = first[1] - first[0] + last[1] - last[0];
    if (joined > result.width) result = { from: last[0], width: joined };
  }
  return result;
}
function profiles(c, starts, greens, travel, perHour) {
  const n = Math.max(1, roundEven(c)), mean = perHour / 3600, saturation = data.saturationVehiclesPerHour / 3600, rounds = 3;
  if (mean <= 0) return { delay: 0, stops: 0 };
  let arrivals = new Float64Array(n).fill(mean), leaving = new Float64Array(n), delay = 0, stops = 0;
  for (let i = 0; i < starts.length; i++) {
    const measured = n * (rounds - 1);
    let queue = 0, waited = 0, stopped = 0, come = 0, gone = 0, next = measured;
    for (let t = 0; t < n * (rounds + 1); t++) {
      const s = t % n, green = greens[i] >= c || within(s - starts[i], c) < greens[i], there = queue + arrivals[s], left = green ? Math.min(there, saturation) : 0;
      gone += left;
      if (t >= measured && t < measured + n) { waited += there - left; leaving[s] = left; }
      for (; next <= t && next < measured + n && gone >= come + arrivals[next % n] - 1e-9; next++) { come += arrivals[next % n]; stopped += arrivals[next % n] * Math.min(1, (t - next) / 8); }
      if (t === measured - 1) { come = there - left; gone = 0; }
      queue = there - left;
    }
    for (; next < measured + n; next++) stopped += arrivals[next % n];
    delay += waited / (mean * n); stops += stopped / (mean * n);
    if (i < travel.length) {
      const f = 1 / (1 + 0.35 * 0.8 * travel[i]), shift = roundEven(0.8 * travel[i]);
      let arriving = mean;
      const next = new Float64Array(n);
      for (let t = 0; t < n * rounds; t++) { arriving = f * leaving[t % n] + (1 - f) * arriving; next[(t + shift) % n] = arriving; }
      arrivals = next;
    }
  }
  return { delay, stops };
}
function roundEven(x) { const r = Math.round(x); return Math.abs(x % 1) === 0.5 && r % 2 ? r - 1 : r; }
function work(plan, moved) {
  const c = plan.cycleSeconds, s = plan.signals, back = a => [...a].reverse();
  const outStart = s.map((x, i) => within(x.outStartSeconds + moved[i], c)), inStart = s.map((x, i) => within(x.inStartSeconds + moved[i], c));
  const outGreen = s.map(x => x.outGreenSeconds), inGreen = s.map(x => x.inGreenSeconds);
  const out = widest(c, outStart, outGreen, plan.outTravelSeconds), inn = widest(c, back(inStart), back(inGreen), back(plan.inTravelSeconds));
  const a = profiles(c, outStart, outGreen, plan.outTravelSeconds, data.outVehiclesPerHour), b = profiles(c, back(inStart), back(inGreen), back(plan.inTravelSeconds), data.inVehiclesPerHour);
  const all = data.outVehiclesPerHour + data.inVehiclesPerHour || 1, mix = k => (a[k] * data.outVehiclesPerHour + b[k] * data.inVehiclesPerHour) / all;
  return { out, inn, delay: mix('delay'), stops: mix('stops'), outStart };
}
document.querySelectorAll('section').forEach(section => {
  const plan = data.plans[+section.dataset.plan], svg = section.querySelector('svg'), n = plan.signals.length, moved = new Array(n).fill(0);
  const left = +svg.dataset.left, across = +svg.dataset.across, top = +svg.dataset.top, up = +svg.dataset.up, height = +svg.dataset.height;
  const x = t => left + t * across, y = m => top + height - m * up, before = work(plan, moved);
  const points = (band, k, inbound) => {
    if (band.width <= 0 || band.width >= plan.cycleSeconds) return '';
    let at = band.from + k * plan.cycleSeconds; const one = [], two = [];
    for (let step = 0; step < n; step++) {
      const i = inbound ? n - 1 - step : step;
      if (step > 0) at += inbound ? plan.inTravelSeconds[i] : plan.outTravelSeconds[i - 1];
      one.push(x(at) + ',' + y(plan.signals[i].metres)); two.unshift(x(at + band.width) + ',' + y(plan.signals[i].metres));
    }
    return one.concat(two).join(' ');
  };
  const offset = i => within(plan.signals[i].offsetSeconds + moved[i], plan.cycleSeconds);
  const show = () => {
    const now = work(plan, moved), isMoved = moved.some(m => m !== 0);
    svg.querySelectorAll('polygon.band').forEach(p => p.setAttribute('points', points(p.classList.contains('in') ? now.inn : now.out, +p.dataset.k, p.classList.contains('in'))));
    svg.querySelectorAll('g.signal').forEach(g => { const i = +g.dataset.i; let d = within(moved[i], plan.cycleSeconds); if (d > plan.cycleSeconds / 2) d -= plan.cycleSeconds; g.setAttribute('transform', `translate(${d * across} 0)`); g.setAttribute('aria-valuenow', offset(i)); });
    const spans = svg.querySelectorAll('text.label tspan');
    spans[0].textContent = spans[0].textContent.replace(/band [\d.]+ s/, `band ${now.out.width.toFixed(1)} s`); spans[1].textContent = spans[1].textContent.replace(/band [\d.]+ s/, `band ${now.inn.width.toFixed(1)} s`);
    const change = (v, w, digits) => isMoved ? ` <span class="${v > w + 1e-9 ? 'worse' : 'better'}">(${v - w >= 0 ? '+' : '−'}${Math.abs(v - w).toFixed(digits)})</span>` : '';
    section.querySelector('.figures').innerHTML = `cycle ${plan.cycleSeconds} s; bands out ${now.out.width.toFixed(1)} s, in ${now.inn.width.toFixed(1)} s; predicted for the whole street: ${now.delay.toFixed(1)} s of delay${change(now.delay, before.delay, 1)}, ${now.stops.toFixed(2)} stops${change(now.stops, before.stops, 2)}`;
    section.querySelectorAll('tbody tr').forEach((row, i) => {
      row.cells[2].textContent = +offset(i).toFixed(2); row.cells[3].textContent = +now.outStart[i].toFixed(2);
      if (i) row.cells[4].textContent = +within(now.outStart[i] - now.outStart[i - 1], plan.cycleSeconds).toFixed(2);
    });
    section.dataset.out = now.out.width; section.dataset.in = now.inn.width; section.dataset.delay = now.delay; section.dataset.stops = now.stops;
  };
  let dragged = null;
  svg.addEventListener('pointerdown', e => { const g = e.target.closest('g.signal'); if (!g) return; dragged = { i: +g.dataset.i, x: e.clientX, from: moved[+g.dataset.i] }; g.focus(); svg.setPointerCapture(e.pointerId); e.preventDefault(); });
  svg.addEventListener('pointermove', e => { if (!dragged) return; const scale = svg.viewBox.baseVal.width / svg.getBoundingClientRect().width; moved[dragged.i] = Math.round(dragged.from + (e.clientX - dragged.x) * scale / across); show(); });
  svg.addEventListener('pointerup', () => { dragged = null; });
  svg.addEventListener('keydown', e => { const g = e.target.closest('g.signal'), by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -5, PageUp: 5 }[e.key]; if (!g || !by) return; moved[+g.dataset.i] += by; show(); e.preventDefault(); });
  section.querySelector('.reset').addEventListener('click', () => { moved.fill(0); show(); });
  section.querySelector('.save').addEventListener('click', () => {
    const escape = t => t.replace(/[&<>"]/g, ch => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[ch]));
    const text = '<additional>\n' + plan.signals.map((s, i) => `  <tlLogic id="${escape(s.name)}" type="static" programID="dragged" offset="${+offset(i).toFixed(2)}">\n` + s.phases.map(p => `    <phase duration="${p.durationSeconds}" state="${escape(p.state)}"/>\n`).join('') + '  </tlLogic>\n').join('') + '</additional>\n';
    const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob([text], { type: 'application/xml' })); a.download = 'dragged.add.xml'; a.click(); URL.revokeObjectURL(a.href);
  });
  section.move = (i, by) => { moved[i] += by; show(); };
  show();
});
