// Reports as players' own library makes them, and what it reads of each again.
//
//   node vectors.mjs PATH-OF-CML-CMCD COUNT
//
// One JSON object a line: {mode, version, query | headers | body, values}. Drawn from a seeded
// generator. A value with parameters is {value, params}.

import { pathToFileURL } from 'node:url';

const [, , library, count] = process.argv;
const cmcd = await import(pathToFileURL(library).href);

let seed = 20261124;
function random() { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const whole = (most) => Math.floor(random() * most);
const pick = (list) => list[whole(list.length)];
const text = (most) =>
  Array.from({ length: 1 + whole(most) }, () => pick([...'abcXYZ019-_./ "\\%+&=,;()éñ'])).join('');

const numbers = ['ab', 'bl', 'br', 'bsa', 'bsd', 'bsda', 'lab', 'lb', 'mtp', 'pb', 'tab', 'tb', 'tbl', 'tpb'];
const plain = ['d', 'dfa', 'dl', 'ltc', 'msd', 'pt', 'rtp', 'sn', 'rc', 'ttfb', 'ttlb'];
const flags = ['bg', 'bs', 'nr', 'su'];
const texts = ['cdn', 'cid', 'cs'];
const kinds = ['v', 'a', 'av', 'tt'];

function draw(version, mode) {
  const data = { sid: text(30), v: version };
  for (const key of plain) if (random() < 0.4) data[key] = whole(1e6);
  for (const key of flags) if (random() < 0.3) data[key] = true;
  for (const key of texts) if (random() < 0.3) data[key] = text(20);
  if (random() < 0.5) data.ot = pick(['m', 'a', 'v', 'av', 'i', 'c', 'tt', 'k', 'o']);
  if (random() < 0.5) data.sf = pick(['d', 'h', 's', 'o']);
  if (random() < 0.5) data.st = pick(['v', 'l', 'll']);
  if (random() < 0.5) data.sta = pick([...'spkrawefqd']);
  if (random() < 0.3) data.pr = whole(3000) / 1000;
  if (random() < 0.2) data['com.example-' + pick(['a', 'b.c', 'd-e'])] = pick([text(10), whole(99), true]);
  for (const key of numbers)
    if (random() < 0.4) data[key] = version === 1 ? whole(1e5) : [whole(1e5), ...(random() < 0.5 ? [whole(1e5)] : [])];
  if (random() < 0.4) data.nor = version === 1 ? '../' + whole(9) + '/seg ' + whole(99) + '.m4s' : ['../' + whole(99) + '.m4s'];
  if (mode === 'event') {
    data.e = pick(['ps', 't', 'e', 'rr', 'bc', 'b']);
    data.ts = 1.7e12 + whole(1e9);
    if (data.e === 'rr') data.url = 'https://example.com/' + text(10);
  }
  return data;
}

/** Numbers by kind of object, as some players send them; written by hand, the library reads them. */
function byKind() {
  const list = kinds.filter(() => random() < 0.6).map((kind) => `${whole(9000)};${kind}`);
  return `bsd=(${list.join(' ')}),e=ps,sid="by-kind",sn=${whole(99)},sta=p,ts=${whole(1e9)},v=2`;
}

function told(value) {
  if (Array.isArray(value)) return value.map(told);
  if (typeof value === 'symbol') return value.description;
  if (value && typeof value === 'object')
    return { value: told(value.value), params: Object.fromEntries(Object.entries(value.params ?? {}).map(([k, v]) => [k, told(v)])) };
  return value;
}
const entries = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, told(value)]));

for (let i = 0; i < Number(count); i++) {
  const version = 1 + (i % 2);
  const event = i % 5 === 4;
  const data = draw(event ? 2 : version, event ? 'event' : 'request');
  const options = { version: event ? 2 : version, reportingMode: event ? 'event' : 'request' };
  let vector;
  if (event) {
    const body = i % 10 === 4 ? byKind() : cmcd.encodeCmcd(data, options);
    vector = { mode: 'event', body, values: entries(cmcd.decodeCmcd(body)) };
  } else if (i % 3) {
    const query = cmcd.toCmcdQuery(data, options);
    vector = { mode: 'query', query, values: entries(cmcd.fromCmcdQuery(query)) };
  } else {
    const headers = cmcd.toCmcdHeaders(data, options);
    const ascii = Object.values(headers).every((value) => /^[\x20-\x7e]*$/.test(value));
    if (!ascii) continue; // no header field
    vector = { mode: 'headers', headers, values: entries(cmcd.fromCmcdHeaders(headers)) };
  }
  console.log(JSON.stringify(vector));
}
