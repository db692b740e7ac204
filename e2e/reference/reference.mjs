// A second reading of what the server's figures mean, to hold the first one
// against: written from the contract alone, by somebody who did not look at the
// Go code. Each line on stdin is a case; each line on stdout is what the
// structured result must hold for it, not rounded:
//
//   {"portraits": [{"kolId", "data"}], "older": data, "target": targetAudience, "language": "en" or "zh"}
//   {"portraits": [{"kolId", "summary", "fit"}], "change", "comparison": {"portraits", "similarity", "ties"}}
//
// data is as the vendor sends it, target as a caller gives it; older, of the
// first portrait's KOL, and target may be missing. What is not known is absent.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// ---- Tables ----------------------------------------------------------------

// table reads one of the data files into objects by the names of its header.
function table(name) {
  const text = readFileSync(new URL(`../../audience/data/${name}.csv`, import.meta.url), 'utf8');
  const [header, ...lines] = text.split('\n').filter((line) => line && !line.startsWith('#')).map(cells);
  return lines.map((line) => Object.fromEntries(header.map((column, i) => [column, line[i] ?? ''])));
}

function cells(line) {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1].replace(/^"|"$/g, '').replaceAll('""', '"'));
}

const DIMENSIONS = ['gender', 'ageGroups', 'provinces', 'cities', 'interests', 'devices'];
const TARGET_DIMENSIONS = ['gender', 'ageGroups', 'places', 'interests', 'devices'];
const SHOULD_BE_WHOLE = ['gender', 'ageGroups', 'provinces'];

const AGES = [
  { key: '<18', from: 0, to: 17 },
  { key: '18-24', from: 18, to: 24 },
  { key: '25-34', from: 25, to: 34 },
  { key: '35-44', from: 35, to: 44 },
  { key: '>44', from: 45, to: Infinity },
];

// entries holds what a name can stand for, by dimension, in the order of the
// tables; byName finds them by every name, in small letters.
const entries = {};
const byName = {};
let order = 0;

function add(of, key, names, more) {
  const entry = { of, key, order: order++, ...more };
  (entries[of] ??= []).push(entry);
  byName[of] ??= new Map();
  for (const name of [key, ...names]) addName(of, name, entry);
  return entry;
}

function addName(of, name, entry) {
  const lower = name.toLowerCase();
  if (name && !byName[of].has(lower)) byName[of].set(lower, entry);
}

for (const r of table('genders')) add('gender', r.name, [r.zh, r.en, ...r.aliases.split('|')], { en: r.en, zh: r.zh });
for (const a of AGES) add('ageGroups', a.key, [], { ...a, en: a.key, zh: a.key });
for (const r of table('provinces')) {
  add('provinces', r.zh, [r.en, ...r.aliases.split('|')], { en: r.en, zh: r.shown || r.zh, region: r.region });
}
for (const r of table('cities')) {
  add('cities', r.zh, [r.en, ...r.aliases.split('|')], { en: r.en, zh: r.zh, tier: r.tier, province: byName.provinces.get(r.province) });
}
for (const r of table('interests')) add('interests', r.zh, [r.en, ...r.aliases.split('|')], { en: r.en, zh: r.zh });
for (const r of table('devices')) {
  const same = entries.devices?.find((e) => e.zh === r.zh); // apple inc. and apple
  if (!same) add('devices', r.name, [r.zh, r.en, ...r.aliases.split('|')], { en: r.en, zh: r.zh });
  else for (const name of [r.name, ...r.aliases.split('|')]) addName('devices', name, same);
}

const regions = table('regions');
const areas = table('areas');
const tiers = table('tiers');

// baseline is what the index compares with: people by province, users by gender.
const baseline = {
  gender: new Map([[byName.gender.get('female'), 70], [byName.gender.get('male'), 30]]),
  provinces: new Map(table('census-provinces').map((r) => [byName.provinces.get(r.province), Number(r.population)])),
};

// ---- Names -----------------------------------------------------------------

const FULL_FORMS = {
  provinces: /(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$/,
  cities: /(市|特别行政区)$/,
};

function find(of, name) {
  if (of === 'ageGroups') {
    const span = ages(name);
    return span && entries.ageGroups.find((e) => e.from === span.from && e.to === span.to);
  }
  const lower = name.trim().toLowerCase();
  return byName[of].get(lower) ?? (FULL_FORMS[of] && byName[of].get(lower.replace(FULL_FORMS[of], '')));
}

// ages reads an age group or a span of them: >44, 45+, ≥45, 45岁以上, 18~24, 18–24岁.
function ages(name) {
  const text = name.replace(/[\s岁]/g, '').replace(/[~～–—−至]/, '-');
  let m;
  if ((m = /^(\d+)-(\d+)$/.exec(text))) return { from: +m[1], to: +m[2] };
  if ((m = /^>(\d+)$/.exec(text))) return { from: +m[1] + 1, to: Infinity };
  if ((m = /^(?:≥|>=)(\d+)$/.exec(text) ?? /^(\d+)(?:\+|以上|及以上)$/.exec(text))) return { from: +m[1], to: Infinity };
  if ((m = /^<(\d+)$/.exec(text))) return { from: 0, to: +m[1] - 1 };
  return undefined;
}

function isMunicipality(city) {
  return city.province?.key === city.key && city.key !== '吉林'; // Jilin is a city in Jilin
}

// rowName is what a row is called for a reader.
function rowName(row, language) {
  return row.entry ? row.entry[language] : row.label || row.name;
}

// ---- Reading the vendor's data ---------------------------------------------

function readShare(value) {
  let text = String(value ?? '').trim();
  const percent = text.endsWith('%');
  if (percent) text = text.slice(0, -1).trim();
  const number = text === '' ? NaN : Number(text) / (percent ? 100 : 1);
  return number >= -0.001 && number <= 1.001 ? Math.min(1, Math.max(0, number)) : undefined;
}

const clean = (name) => (typeof name === 'string' ? name.replace(/[\p{Cc}\p{Cf}\ufe0f]/gu, '').trim() : '');

function readRows(raw) {
  const read = { rows: [], leftOut: 0 };
  if (!Array.isArray(raw)) return { ...read, leftOut: raw == null ? 0 : 1 };
  const seen = new Set();
  for (const r of raw) {
    const name = clean(r?.group ?? r?.name);
    const share = readShare(r?.percent);
    if (!name || share === undefined || seen.has(name)) read.leftOut++;
    else {
      read.rows.push({ name, label: clean(r.desc), share });
      seen.add(name);
    }
  }
  return read;
}

function readGender(raw) {
  const read = { rows: [], leftOut: 0 };
  if (raw == null || Array.isArray(raw)) return read;
  for (const name of ['male', 'female']) {
    const share = readShare(raw[name]);
    if (share !== undefined) read.rows.push({ name, label: '', share });
    else if (raw[name] != null) read.leftOut++;
  }
  if (read.rows.length && read.rows.every((r) => r.share === 0)) return { rows: [], leftOut: 1 };
  return read;
}

// ---- Lists -----------------------------------------------------------------

const sum = (numbers) => [...numbers].reduce((a, b) => a + b, 0);
const sharesOf = (rows) => sum(rows.map((r) => r.share));

// list recognises the rows of a dimension; rows of one thing are added up.
function list(of, { rows, leftOut }) {
  const merged = [];
  for (const r of rows) {
    const entry = find(of, r.name) ?? (of === 'devices' && r.label ? find(of, r.label) : undefined);
    const same = entry && merged.find((m) => m.entry === entry);
    if (same) same.share += r.share;
    else merged.push({ ...r, entry });
  }
  return { of, rows: merged, leftOut, sum: sharesOf(merged), overfull: sharesOf(merged) > 1.02 };
}

const tells = (l) => l.sum > 0 && !l.overfull;
const known = (l) => l.rows.filter((r) => r.entry);
const unknown = (l) => l.rows.filter((r) => !r.entry);
const isWhole = (l) => SHOULD_BE_WHOLE.includes(l.of) && tells(l) && l.sum >= 0.95 && !l.leftOut && !unknown(l).length;
const shareOf = (l, entry) => (tells(l) ? l.rows.find((r) => r.entry === entry)?.share : undefined);
// orZero is a row's share, 0 where a whole list does without the row.
const orZero = (l, entry) => shareOf(l, entry) ?? (isWhole(l) ? 0 : undefined);
const inProvince = (cities, province) => sharesOf(known(cities).filter((r) => r.entry.province === province));

function audience(data) {
  const x = {};
  for (const of of DIMENSIONS) {
    const raw = data[of === 'ageGroups' ? 'ages' : of];
    x[of] = list(of, of === 'gender' ? readGender(raw) : readRows(raw));
  }
  for (const province of new Set(known(x.cities).map((r) => r.entry.province))) {
    const whole = orZero(x.provinces, province);
    if (whole !== undefined && inProvince(x.cities, province) > whole + 0.02) x.cities.overfull = true;
  }
  return x;
}

// tgi is the index of some entries together, undefined where one of them has no
// row or nothing to compare with.
function tgi(x, of, some) {
  const l = x[of];
  const base = baseline[of];
  const shares = some.map((e) => shareOf(l, e));
  if (!base || !some.length || shares.includes(undefined) || some.some((e) => !base.has(e))) return undefined;
  let among = 1;
  if (of === 'provinces') {
    if (sharesOf(known(l)) < 0.95) return undefined;
    among = sharesOf(known(l).filter((r) => base.has(r.entry)));
  }
  if (among === 0) return undefined;
  const expected = sum(some.map((e) => base.get(e))) / sum(base.values());
  return (100 * sum(shares)) / among / expected;
}

// ---- Summary ---------------------------------------------------------------

function summary(x, language) {
  const ranked = (of, row) => ({ name: rowName(row, language), share: row.share, tgi: row.entry && tgi(x, of, [row.entry]) });
  const top = (of) => {
    const rows = tells(x[of]) ? x[of].rows.filter((r) => r.share > 0 && (of !== 'provinces' || isProvince(r))) : [];
    return some(largest(rows).slice(0, 3).map((r) => ranked(of, r)));
  };
  const s = {
    gender: genderSplit(x),
    age: ageSummary(x),
    topInterests: top('interests'),
    topProvinces: top('provinces'),
    topCities: top('cities'),
    topDevices: top('devices'),
    tier1CityShare: tierShare(x, 'tier1'),
    newTier1CityShare: tierShare(x, 'new-tier1'),
    overseasShare: orZero(x.provinces, byName.provinces.get('海外')),
  };
  const people = sum(baseline.provinces.values());
  const indexed = (tells(x.provinces) ? known(x.provinces) : [])
    .filter((r) => baseline.provinces.get(r.entry) / people >= 0.005)
    .map((r) => ranked('provinces', r))
    .filter((r) => r.tgi !== undefined);
  s.highProvinces = some(indexed.filter((r) => r.tgi >= 120).sort((a, b) => b.tgi - a.tgi).slice(0, 3));
  s.lowProvinces = some(indexed.filter((r) => r.tgi <= 80).sort((a, b) => a.tgi - b.tgi).slice(0, 3));
  if (leftBy(x.provinces) <= 0.05) s.regions = some(largest(regions.map((region) => {
    const here = entries.provinces.filter((e) => e.region === region.zh);
    const shares = here.map((e) => shareOf(x.provinces, e)).filter((share) => share !== undefined);
    return shares.length ? { name: region[language], share: sum(shares) } : undefined;
  }).filter(Boolean)));
  return s;
}

const some = (array) => (array.length ? array : undefined);
const largest = (rows) => [...rows].sort((a, b) => b.share - a.share); // stable
// isProvince tells rows that say where in China from 海外 and 中国.
const isProvince = (row) => !row.entry || row.entry.region !== '';

function genderSplit(x) {
  if (!tells(x.gender)) return undefined;
  const female = byName.gender.get('female');
  return { female: orZero(x.gender, female), male: orZero(x.gender, byName.gender.get('male')), tgi: tgi(x, 'gender', [female]) };
}

function ageSummary(x) {
  const l = x.ageGroups;
  const core = tells(l) ? largest(known(l))[0] : undefined;
  // What is not known may hold more: an unknown row, or what all rows leave.
  if (!core || unknown(l).some((r) => r.share > core.share) || 1 - l.sum > core.share) return undefined;
  return { coreGroup: core.entry.key, coreShare: core.share, medianYears: median(l), minorShare: orZero(l, entries.ageGroups[0]) };
}

// median takes ages as evenly spread within their group.
function median(l) {
  const shares = entries.ageGroups.map((e) => shareOf(l, e));
  if (!isWhole(l) || shares.includes(undefined)) return undefined;
  const half = l.sum / 2;
  let younger = 0;
  for (const [i, e] of entries.ageGroups.entries()) {
    if (younger + shares[i] >= half) {
      const open = e.from === 0 || e.to === Infinity;
      return open ? undefined : e.from + ((e.to + 1 - e.from) * (half - younger)) / shares[i];
    }
    younger += shares[i];
  }
  return undefined;
}

function tierShare(x, tier) {
  if (x.provinces.overfull || x.cities.overfull) return undefined;
  const shares = entries.cities
    .filter((e) => e.tier === tier)
    .map((e) => (isMunicipality(e) ? shareOf(x.provinces, e.province) : undefined) ?? shareOf(x.cities, e))
    .filter((share) => share !== undefined);
  return shares.length ? sum(shares) : undefined;
}

// ---- Target ----------------------------------------------------------------

// understood spells out a target audience: entries by dimension, each once, in
// the order of the tables.
function understood(target) {
  const chosen = Object.fromEntries(TARGET_DIMENSIONS.map((of) => [of, new Set()]));
  const choose = (of, name) => {
    const entry = find(of, name);
    if (!entry) throw new Error(`${of} ${name} is not known`);
    const place = of === 'provinces' || of === 'cities';
    chosen[place ? 'places' : of].add(of === 'cities' && isMunicipality(entry) ? entry.province : entry);
  };
  if (target.gender) choose('gender', target.gender);
  for (const name of target.ageGroups ?? []) {
    const span = ages(name);
    for (const e of entries.ageGroups.filter((e) => span.from <= e.from && e.to <= span.to)) chosen.ageGroups.add(e);
  }
  for (const of of ['provinces', 'cities']) {
    for (const name of target[of] ?? []) {
      const is = (r) => [r.tier, r.zh, r.en, r.full].filter(Boolean).some((n) => n.toLowerCase() === name.toLowerCase());
      const region = regions.find(is);
      const area = areas.find(is);
      const tier = tiers.find(is);
      if (region) for (const e of entries.provinces.filter((e) => e.region === region.zh)) choose('provinces', e.key);
      else if (area) for (const place of ['provinces', 'cities']) for (const n of area[place].split('|').filter(Boolean)) choose(place, n);
      else if (tier) for (const e of entries.cities.filter((e) => e.tier === tier.tier)) choose('cities', e.key);
      else choose(of, name);
    }
  }
  for (const of of ['interests', 'devices']) for (const name of target[of] ?? []) choose(of, name);
  for (const e of chosen.places) if (e.of === 'cities' && chosen.places.has(e.province)) chosen.places.delete(e);
  const t = { weights: target.weights ?? {}, soft: target.soft ?? [], chosen: {} };
  for (const of of TARGET_DIMENSIONS) {
    if (chosen[of].size) t.chosen[of] = [...chosen[of]].sort((a, b) => a.order - b.order);
  }
  return t;
}

// ---- Fit -------------------------------------------------------------------

function fit(x, t, language) {
  const f = {};
  const dimensions = TARGET_DIMENSIONS.filter((of) => t.chosen[of]);
  for (const of of dimensions) {
    f[of] = of === 'places' ? matchPlaces(x, t.chosen[of]) : matchList(x[of], t.chosen[of]);
    if (f[of].notListed) f[of].notListed = f[of].notListed.map((e) => e[language]);
    const index = of === 'places' ? 'provinces' : of;
    if (t.chosen[of].every((e) => e.of === index)) f[of].tgi = tgi(x, index, t.chosen[of]);
  }
  Object.assign(f, score(f, dimensions, t.weights));
  f.targetShare = targetShare(dimensions.filter((of) => of !== 'interests' && !t.soft.includes(of)).map((of) => f[of]));
  return f;
}

const atMostOf = (match) => match.atMost ?? match.matchedShare;
const hasData = (match) => atMostOf(match) !== undefined;

// result makes a match of the shares that are known (undefined: not listed), and
// of what the names that are not listed can hold.
function result(chosen, shares, room) {
  const listed = shares.filter((share) => share !== undefined);
  const match = { matchedShare: listed.length ? Math.min(1, sum(listed)) : undefined };
  if (listed.length < shares.length) {
    match.notListed = chosen.filter((_, i) => shares[i] === undefined);
    match.atMost = Math.min(1, sum(listed) + room);
  }
  return match;
}

function matchList(l, chosen) {
  if (!tells(l)) return {};
  const shares = chosen.map((e) => orZero(l, e));
  const n = shares.filter((share) => share === undefined).length;
  const left = leftBy(l);
  return result(chosen, shares, SHOULD_BE_WHOLE.includes(l.of) ? left : Math.min(left, most(l, n)));
}

const leftBy = (l) => Math.max(0, 1 - sharesOf(known(l)));

// most is what n names without a row in a list that is cut off can hold: each may
// be one of the rows that are not recognised, and else holds no more than the
// smallest row. Nothing is known where rows were left out.
function most(l, n) {
  if (l.leftOut) return Infinity;
  const largestUnknown = largest(unknown(l)).slice(0, n);
  return sharesOf(largestUnknown) + (n - largestUnknown.length) * Math.min(...l.rows.map((r) => r.share));
}

function matchPlaces(x, chosen) {
  const P = tells(x.provinces) ? x.provinces : undefined;
  const C = tells(x.cities) ? x.cities : undefined;
  const asCity = (province) => C && known(C).find((r) => isMunicipality(r.entry) && r.entry.province === province)?.share;
  const shares = chosen.map((e) => {
    if (e.of === 'cities') return C && shareOf(C, e);
    return (P && shareOf(P, e)) ?? asCity(e) ?? (P && isWhole(P) ? 0 : undefined);
  });
  const missing = chosen.filter((_, i) => shares[i] === undefined);
  const missingProvinces = missing.filter((e) => e.of === 'provinces');
  const missingCities = missing.filter((e) => e.of === 'cities');
  if (!P && missingProvinces.length) return {};
  if (!P && !C && missingCities.length) return {};

  let here = 0; // in provinces that are known
  let elsewhere = 0; // in provinces that have no row either
  for (const province of new Set(missingCities.map((e) => e.province))) {
    const k = missingCities.filter((e) => e.province === province).length;
    const byRows = C ? most(C, k) : Infinity;
    // A province without a row holds what the other provinces leave.
    const held = P ? orZero(P, province) ?? leftBy(P) : Infinity;
    const room = Math.min(byRows, Math.max(0, held - (C ? inProvince(C, province) : 0)));
    if (P && orZero(P, province) === undefined) elsewhere += room;
    else here += room;
  }
  const citiesLeave = C ? leftBy(C) : Infinity;
  const provincesLeave = P ? leftBy(P) : Infinity;
  const room = missingProvinces.length && provincesLeave > 0
    ? provincesLeave + Math.min(here, citiesLeave)
    : Math.min(Math.min(elsewhere, provincesLeave) + here, citiesLeave);
  return result(chosen, shares, room);
}

function score(f, dimensions, weights) {
  const weight = (of) => weights[of] ?? 1;
  const counted = dimensions.filter((of) => weight(of) > 0);
  if (!counted.length || !counted.every((of) => hasData(f[of]))) return {};
  const total = sum(counted.map(weight));
  const mean = (share) => hundredths(100 * counted.reduce((product, of) => product * share(f[of]) ** (weight(of) / total), 1));
  const certain = counted.every((of) => f[of].matchedShare !== undefined);
  return {
    score: certain ? mean((match) => match.matchedShare) : undefined,
    scoreAtMost: counted.some((of) => f[of].notListed) ? mean(atMostOf) : undefined,
  };
}

// hundredths rounds a score, as the contract has it: KOLs whose scores read alike
// are not ranked by what nobody sees.
const hundredths = (n) => Math.round(100 * n) / 100;

function targetShare(hard) {
  if (!hard.some(hasData)) return undefined;
  const estimate = hard.every((m) => m.matchedShare !== undefined) ? hard.reduce((product, m) => product * m.matchedShare, 1) : undefined;
  return {
    estimate,
    estimateAtMost: estimate !== undefined && hard.some((m) => m.notListed) ? hard.reduce((product, m) => product * atMostOf(m), 1) : undefined,
    atLeast: Math.max(0, sum(hard.map((m) => m.matchedShare ?? 0)) - (hard.length - 1)),
    atMost: Math.min(...hard.map((m) => atMostOf(m) ?? 1)),
  };
}

// ---- Change ----------------------------------------------------------------

function change(now, older, language) {
  const moved = {};
  for (const of of DIMENSIONS) {
    if (!tells(now[of]) || !tells(older[of])) continue;
    const moves = [];
    for (const row of now[of].rows) moves.push(move(row, row.share, counterpart(older[of], row), 1, language));
    for (const row of older[of].rows) {
      if (!sameRow(now[of], row)) moves.push(move(row, row.share, counterpart(now[of], row), -1, language));
    }
    const told = moves.filter((m) => m && Math.abs(m.points) >= 1).sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
    moved[of === 'ageGroups' ? 'ages' : of] = some(told.slice(0, 5));
  }
  return moved;
}

function sameRow(l, row) {
  return l.rows.find((r) => (row.entry ? r.entry === row.entry : !r.entry && r.name === row.name));
}

// counterpart is what the other list says of a row: its share, or that it is at
// most so much. A row that is not recognised may be there under another name.
function counterpart(l, row) {
  const same = sameRow(l, row);
  if (same) return { share: same.share };
  if (!row.entry) return undefined;
  if (SHOULD_BE_WHOLE.includes(l.of)) return isWhole(l) ? { share: 0 } : undefined;
  const bound = most(l, 1);
  return bound < Infinity ? { share: bound, atMost: true } : undefined;
}

function move(row, share, other, sign, language) {
  if (!other || (other.atMost && share <= other.share)) return undefined;
  return { name: rowName(row, language), points: sign * 100 * (share - other.share), atLeast: other.atMost || undefined };
}

// ---- Comparison ------------------------------------------------------------

function compared({ kolId, x, f }, language) {
  const s = summary(x, language);
  const c = {
    kolId,
    female: s.gender?.female,
    coreAgeGroup: s.age?.coreGroup,
    coreAgeShare: s.age?.coreShare,
    medianYears: s.age?.medianYears,
    minorShare: s.age?.minorShare,
    topProvinces: s.topProvinces?.map((r) => r.name),
    topInterests: s.topInterests?.map((r) => r.name),
    tier1CityShare: s.tier1CityShare,
    overseasShare: s.overseasShare,
    appleShare: shareOf(x.devices, byName.devices.get('apple')),
  };
  if (f) {
    const dimensions = TARGET_DIMENSIONS.filter((of) => f[of]);
    c.fit = {
      score: f.score,
      scoreAtMost: f.scoreAtMost,
      matched: Object.fromEntries(dimensions.map((of) => [of, f[of].matchedShare])),
      notListed: some(dimensions.flatMap((of) => f[of].notListed ?? [])),
      targetShare: f.targetShare,
    };
  }
  return c;
}

function comparison(kols, byScore, language) {
  const ranked = kols.map((kol) => ({ kol, c: compared(kol, language) }));
  const scored = (c) => c.fit.score !== undefined || c.fit.scoreAtMost !== undefined;
  if (byScore) {
    const keys = (c) => [scored(c) ? 1 : 0, c.fit.score ?? 0, c.fit.scoreAtMost ?? c.fit.score ?? 0, c.fit.targetShare?.estimate ?? 0];
    ranked.sort((a, b) => {
      const [ka, kb] = [keys(a.c), keys(b.c)];
      const i = ka.findIndex((v, j) => v !== kb[j]);
      return i < 0 ? (a.c.kolId < b.c.kolId ? -1 : 1) : kb[i] - ka[i];
    });
    ranked.forEach(({ c }, i) => { if (scored(c)) c.rank = i + 1; });
  }
  const alike = ranked.map((a) => ranked.map((b) => similarity(a.kol.x, b.kol.x)));
  ranked.forEach(({ c }, i) => {
    let best;
    ranked.forEach((other, j) => {
      if (j !== i && alike[i][j] !== undefined && !(alike[i][j] <= best?.similarity)) best = { kolId: other.c.kolId, similarity: alike[i][j] };
    });
    c.mostSimilar = best;
  });
  const triangle = ranked.map((_, i) => alike[i].slice(0, i).map((s) => s ?? null));
  const portraits = ranked.map(({ c }) => c);
  return { portraits, similarity: kols.length >= 2 && kols.length <= 6 ? triangle : undefined, ties: byScore ? ties(portraits) : [] };
}

// ties finds runs of ranks, the score of each within 3 % of the one before.
function ties(portraits) {
  const groups = [];
  const withScore = portraits.filter((c) => c.fit.score !== undefined);
  for (const c of withScore) {
    const group = groups.at(-1);
    if (group && group.at(-1).rank + 1 === c.rank && c.fit.score >= 0.97 * group.at(-1).fit.score) group.push(c);
    else groups.push([c]);
  }
  return groups.filter((group) => group.length > 1).map((group) => group.map((c) => c.rank));
}

function similarity(a, b) {
  const dimensions = ['gender', 'ageGroups', 'provinces', 'interests'];
  const complete = (l) => tells(l) && (!SHOULD_BE_WHOLE.includes(l.of) || l.sum >= 0.95);
  if (!dimensions.every((of) => complete(a[of]) && complete(b[of]))) return undefined;
  return 1 - sum(dimensions.map((of) => distance(profile(a[of]), profile(b[of])))) / dimensions.length;
}

// profile is a list as a distribution: what it leaves out is one more row.
function profile(l) {
  const rows = new Map(l.rows.map((r) => [r.entry ?? r.name, r.share / Math.max(1, l.sum)]));
  return rows.set('', Math.max(0, 1 - l.sum));
}

// distance is the square root of the Jensen-Shannon divergence, base 2.
function distance(p, q) {
  let divergence = 0;
  for (const key of new Set([...p.keys(), ...q.keys()])) {
    const [a, b] = [p.get(key) ?? 0, q.get(key) ?? 0];
    for (const share of [a, b]) if (share > 0) divergence += (share / 2) * Math.log2((2 * share) / (a + b));
  }
  return Math.sqrt(Math.max(0, divergence));
}

// ---- Cases -----------------------------------------------------------------

function answer(c) {
  const language = c.language ?? 'en';
  const t = c.target && understood(c.target);
  const kols = c.portraits.map(({ kolId, data }) => {
    const x = audience(data);
    return { kolId, x, f: t && fit(x, t, language) };
  });
  return {
    portraits: kols.map(({ kolId, x, f }) => ({ kolId, summary: summary(x, language), fit: f })),
    change: c.older && change(kols[0].x, audience(c.older), language),
    comparison: comparison(kols, Boolean(t), language),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
}
