// official.js EMAIL V1EMAIL PASSWORD: the official client, as far as the
// server can tell, and as strict as that.  It does not skip blanks, knows no
// true, false or null, compares header names with case, takes status 200
// only, and waits for a packet after each reply that has a tag.  Prints
// lines "0 NAME" for what went right and "1 NAME" for what did not.
//
// What it sends and insists on: mega-protocol(7), "The official client".

const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const zlib = require('zlib');

const [email, oldEmail, password] = process.argv.slice(2);
const base = process.env.MEGA_API_URL;

const b64 = (b) => Buffer.from(b).toString('base64url');
const raw = (s) => Buffer.from(s, 'base64url');
const zeros = b64(Buffer.alloc(16));

let failures = 0;

function check(name, right, got) {
	console.log(`${right ? 0 : 1} ${name}`);
	if (!right) {
		failures++;
		console.error(`${name}: ${JSON.stringify(got)}`);
	}
}

function same(name, got, want) {
	check(name, JSON.stringify(got) === JSON.stringify(want), got);
}

function fail(why) {
	throw new Error(why);
}

// ---- cryptography

function ecb(key, data, decrypt) {
	const c = decrypt ?
		crypto.createDecipheriv('aes-128-ecb', key, null) :
		crypto.createCipheriv('aes-128-ecb', key, null);
	c.setAutoPadding(false);
	return Buffer.concat([c.update(data), c.final()]);
}

function power(m, e, n) {
	let r = 1n;
	for (m %= n; e > 0n; e >>= 1n, m = m * m % n) {
		if (e & 1n)
			r = r * m % n;
	}
	return r;
}

// The big numbers in a buffer, each behind its length in bits.
function numbers(b) {
	const list = [];
	for (let at = 0; at + 2 < b.length && list.length < 4;) {
		const n = (b.readUInt16BE(at) + 7) >> 3;
		list.push(BigInt('0x' + b.toString('hex', at + 2, at + 2 + n)));
		at += 2 + n;
	}
	return list;
}

function sidOf(csid, privk, master) {
	const [p, q, d] = numbers(ecb(master, raw(privk), true));
	const n = p * q;
	const size = Math.ceil(n.toString(2).length / 8);
	let hex = power(numbers(raw(csid))[0], d, n).toString(16);
	hex = hex.padStart(hex.length + (hex.length & 1), '0');
	const plain = Buffer.from(hex, 'hex');
	if (plain.length < size - 1)
		fail(`csid holds ${plain.length} bytes`);
	return plain.subarray(0, 43);
}

// Password keys of both versions: what opens the master key, and the hash.
function derive(v, s) {
	if (v === 2) {
		const b = crypto.pbkdf2Sync(password, raw(s), 100000, 32,
			'sha512');
		return { key: b.subarray(0, 16), uh: b64(b.subarray(16)) };
	}
	let key = Buffer.from('93c467e37db0c7a4d1be3f810152cb56', 'hex');
	const block = Buffer.alloc(16);
	block.write(password);
	key = rounds(block, key, 65536);
	const sum = Buffer.alloc(16);
	Buffer.from(oldEmail).forEach((x, i) => { sum[i % 16] ^= x; });
	const h = rounds(key, sum, 16384);
	return { key, uh: b64(Buffer.concat([h.subarray(0, 4),
		h.subarray(8, 12)])) };
}

function rounds(key, data, n) {
	const c = crypto.createCipheriv('aes-128-ecb', key, null);
	c.setAutoPadding(false);
	for (let i = 0; i < n; i++)
		data = c.update(data);
	return data;
}

// ---- HTTP by hand: header names count with their case

function head(text) {
	const lines = text.split('\r\n');
	const h = {};
	for (const l of lines.slice(1)) {
		const at = l.indexOf(': ');
		h[l.slice(0, at)] = l.slice(at + 2);
	}
	return { status: +lines[0].split(' ')[1], line: lines[0], h };
}

function unchunk(b) {
	const parts = [];
	for (let at = 0; ;) {
		const eol = b.indexOf('\r\n', at);
		const n = parseInt(b.toString('latin1', at, eol), 16);
		if (n === 0)
			return Buffer.concat(parts);
		parts.push(b.subarray(eol + 2, eol + 2 + n));
		at = eol + 4 + n;
	}
}

function post(url, body = '') {
	const u = new URL(url);
	return new Promise((done, bad) => {
		const s = net.connect(+u.port, u.hostname);
		const parts = [];
		s.on('data', (d) => parts.push(d));
		s.on('error', bad);
		s.on('close', () => {
			const b = Buffer.concat(parts);
			const at = b.indexOf('\r\n\r\n');
			if (at < 0)
				return bad(new Error(`${u.pathname}: no reply`));
			const r = head(b.toString('latin1', 0, at));
			r.body = b.subarray(at + 4);
			if (r.h['Transfer-Encoding'] === 'chunked')
				r.body = unchunk(r.body);
			else if (+r.h['Content-Length'] !== r.body.length)
				return bad(new Error('Content-Length: ' +
					r.h['Content-Length']));
			if ('Content-Encoding' in r.h) {
				r.body = zlib.gunzipSync(r.body);
				if (+r.h['Original-Content-Length'] !==
				    r.body.length)
					return bad(new Error('plain size: ' +
						JSON.stringify(r.h)));
			}
			return done(r);
		});
		s.write(`POST ${u.pathname}${u.search} HTTP/1.1\r\n` +
			`Host: ${u.host}\r\nConnection: close\r\n` +
			'Accept-Encoding: deflate, gzip, br, zstd\r\n' +
			'Content-Type: application/json\r\n' +
			`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
		s.write(body);
	});
}

// A reply as the official parser reads it.
function parse(r) {
	const text = r.body.toString();
	const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');

	if (r.status !== 200)
		fail(r.line);
	if (/\s/.test(bare) || /true|false|null/.test(bare))
		fail(`not for this parser: ${text.slice(0, 200)}`);
	return JSON.parse(text);
}

// ---- commands

// Ids count up, the last letter first.
function* idents() {
	for (let n = 0; ; n++)
		yield [...`${n}`.padStart(10, '0')].map((d) =>
			String.fromCharCode(97 + +d)).join('');
}
const ids = idents();

class Session {
	constructor(query = '') {
		this.query = query;
		this.tags = new Map();
		this.packets = [];
		this.told = [];
	}

	// One request; a repeated one has the same id.
	async cs(commands, id = ids.next().value) {
		const r = parse(await post(
			`${base}/cs?id=${id}${this.query}&v=3&&lang=en`,
			JSON.stringify(commands)));
		if (Array.isArray(r) && r.length !== commands.length)
			fail(`${r.length} results of ${commands.length}`);
		return r;
	}

	async one(command) {
		const r = await this.cs([command]);
		return Array.isArray(r) ? r[0] : r;
	}

	// A command that changes something: its data, when the packet with
	// its tag has come.
	async change(command) {
		return this.settle(command.a, await this.one(command));
	}

	async settle(name, r) {
		if (typeof r === 'number')
			return r;
		const [st, data] = Array.isArray(r) ? r : [r, 0];
		if (typeof st !== 'string')
			fail(`${name}: no tag in ${JSON.stringify(r)}`);
		if (this.st !== undefined && !(st.length > this.st.length ||
		    (st.length === this.st.length && st > this.st)))
			fail(`${name}: tag ${st} after ${this.st}`);
		this.st = st;
		await this.until(() => this.tags.has(st), `tag ${st} of ${name}`);
		return data;
	}

	// The packets that a command made.
	async makes(command) {
		const n = this.packets.length;
		const r = await this.change(command);
		const st = this.st;
		await this.until(() => this.at > n, 'packets');
		return [r, this.packets.slice(n).filter((p) => p.st === st ||
			p.st === undefined)];
	}

	until(true_, what) {
		return new Promise((done, bad) => {
			const end = setTimeout(() => bad(new Error(
				`waited for ${what}`)), 10000);
			const look = () => {
				if (!true_())
					return this.told.push(look);
				clearTimeout(end);
				return done();
			};
			look();
		});
	}

	take(r) {
		const keys = Object.keys(r);
		if ('a' in r && keys[keys.length - 1] !== 'sn')
			fail('sn is not the last member');
		if (typeof r.sn !== 'string' || r.sn.length !== 11)
			fail(`sn: ${r.sn}`);
		for (const p of r.a || []) {
			const order = Object.keys(p);
			const want = ['a', 'i', 'st'].filter((k) => k in p);
			if (order.slice(0, want.length).join() !== want.join())
				fail(`order of ${order}`);
			this.packets.push(p);
			if (p.st !== undefined)
				this.tags.set(p.st, p);
		}
		this.sn = r.sn;
		this.at = this.packets.length;
		const told = this.told;
		this.told = [];
		told.forEach((f) => f());
	}

	// Follow what changes, from a number on, until close().
	async listen(sn) {
		this.sn = sn;
		const hop = parse(await post(
			`${base}/wsc?sn=${sn}${this.query}`));
		this.w = hop.w;
		this.take(hop);
		this.loop = this.follow();
	}

	async follow() {
		while (!this.closed) {
			const r = parse(await post(
				`${this.w}?sn=${this.sn}${this.query}`));
			if (typeof r === 'object')
				this.take(r);
			else if (r !== 0)
				return r;
		}
		return 0;
	}
}

async function login(user) {
	const first = new Session();
	const pre = await first.one({ a: 'us0', user });
	const keys = derive(pre.v, pre.s);
	const sek = b64(crypto.randomBytes(16));
	const r = await first.one({ a: 'us', user, uh: keys.uh, sek,
		si: b64(crypto.randomBytes(32)) });
	const master = ecb(keys.key, raw(r.k), true);
	const sid = sidOf(r.csid, r.privk, master);
	const s = new Session(`&sid=${b64(sid)}`);
	Object.assign(s, { v: pre.v, u: r.u, master, sek });
	check(`v${pre.v}: the session id holds the user's handle`,
		sid.toString('latin1', 16, 27) === r.u, r);
	same(`v${pre.v}: sek comes back`, r.sek, sek);
	return s;
}

// ---- nodes: the server cannot read them, so one name serves for all

const attrs = b64(crypto.randomBytes(32));
const key = (n) => b64(crypto.randomBytes(n));

function folder(h = zeros.slice(0, 8)) {
	return { h, t: 1, a: attrs, k: key(16) };
}

function mkdir(t, more = {}) {
	return { a: 'p', v: 4, t, sm: 1, p: 'F.FD.', n: [folder()], ...more };
}

// The only node in the only packet of a p.
async function made(s, command) {
	const [r, packets] = await s.makes(command);
	const p = packets.find((x) => x.a === 't');
	if (p === undefined || r.e.length > 0)
		fail(`p: ${JSON.stringify([r, packets])}`);
	return { r, p, f: p.t.f, h: p.t.f[0].h };
}

function fold(b) {
	const sum = Buffer.alloc(12);
	b.forEach((x, i) => { sum[i % 12] ^= x; });
	return b64(sum);
}

// The pieces of an upload, in an order that is not theirs.
async function upload(s, data, t, cuts) {
	const { p } = await s.one({ a: 'u', ssl: 2, v: 3, s: data.length, t: [t] });
	let token;
	for (const i of cuts.keys()) {
		const [from, to] = cuts[i];
		const d = data.subarray(from, to);
		const r = await post(`${p}/${from}?d=${fold(d)}`, d);
		if (r.status !== 200)
			fail(r.line);
		if (i < cuts.length - 1)
			same(`piece ${i}: exactly 0`, r.body.toString(), '0');
		else
			token = r.body;
	}
	same(`${data.length} bytes: the last piece gives 36`, token.length, 36);
	return b64(token);
}

function file(t, token, more = {}) {
	return { a: 'p', v: 4, t, sm: 1, vb: 1,
		n: [{ h: token, t: 0, a: attrs, k: key(32), ...more }] };
}

async function ranges(url, size) {
	const parts = [];
	for (let a = 0; a < size || size === 0; a += 131072) {
		const b = Math.min(a + 131072, size) - 1;
		const r = await post(`${url}/${a}-${Math.max(b, 0)}`);
		if (r.line !== 'HTTP/1.1 200 OK')
			fail(r.line);
		parts.push(r.body);
		if (size === 0)
			break;
	}
	return Buffer.concat(parts);
}

// The size of a part of a file in six, and where its sectors go.
function partSize(part, size) {
	const rest = size % 80 - 16 * (part - 1);
	return Math.floor(size / 80) * 16 + Math.min(Math.max(rest, 0), 16);
}

function merge(parts, size) {
	const b = Buffer.alloc(size);
	for (let at = 0; at < size; at += 16) {
		const from = Math.floor(at / 80) * 16;
		parts[Math.floor(at / 16) % 5].copy(b, at, from, from + 16);
	}
	return b;
}

async function fetchAll(s, command, size) {
	const g = await s.one({ g: 1, v: 2, ssl: 2, ...command, a: 'g' });
	if (g.s !== size || typeof g.at !== 'string')
		fail(`g: ${JSON.stringify(g)}`);
	if (typeof g.g === 'string')
		return ranges(g.g, size);
	if (g.g.length !== 6)
		fail(`g: ${g.g.length} urls`);
	return merge(await Promise.all(g.g.slice(1).map((url, i) =>
		ranges(url, partSize(i + 1, size)))), size);
}

// ---- what it does

async function logIn(s) {
	same('stp, gpsa and pk: there is nothing',
		await s.cs([{ a: 'stp' }, { a: 'gpsa' }, { a: 'pk' }]),
		[-9, -9, -9]);
	const uq = await s.one({ a: 'uq', pro: 1, src: -1, v: 2 });
	check('uq: an object', typeof uq.mstrg === 'number', uq);
	const [ug, ftz] = await s.cs([{ a: 'ug', v: 1 },
		{ a: 'ftz', utz: 'UTC', uo: 0 }]);
	check('ug: the public key', ug.u === s.u && ug.pubk.length > 256, ug);
	check('ftz: an error, never 0', ftz < 0, ftz);
	same('cs/rs: not there', (await post(`${base}/cs/rs?${s.query}`)).status,
		404);
	const f = await s.one({ a: 'f', c: 1, r: 1, ca: 1 });
	same('f: three roots', f.f.map((n) => n.t), [2, 3, 4]);
	same('f: sn has 8 bytes', f.sn.length, 11);
	s.root = f.f[0].h;
	s.bin = f.f[2].h;
	await s.listen(f.sn);
	check('wsc: where to wait, at once', /^http:/.test(s.w), s.w);
	same('wsc: the same sn, nothing having happened', s.sn, f.sn);
	const old = parse(await post(`${base}/sc?c=50${s.query}`));
	same('sc?c=50: no notices', old.c, []);
	same('log and clog', await s.cs([{ a: 'log', e: 99999, m: 'x' },
		{ a: 'clog', t: 'NK' }]), [0, 0]);
	same('gmf: an object', typeof await s.one({ a: 'gmf' }), 'object');
	same('utt, utp', await s.cs([{ a: 'utt' }, { a: 'utp' }]), [[], []]);
	const usl = await s.one({ a: 'usl', x: 1, d: 1 });
	check('usl: this session', usl.some((x) => x[5] === 1 &&
		x[6].length === 11 && x[7] === 1), usl);
	same('uq with all', (await s.one({ a: 'uq', strg: 1, xfer: 1, pro: 1,
		src: -1, v: 2 })).cstrgn[s.root].length, 5);
	same('qbq', await s.one({ a: 'qbq', s: 1000 }), 0);
	const sp = await s.one({ a: 'sp', o: 'x' });
	check('sp: [0, an id of 8 bytes]', sp[0] === 0 && sp[1].length === 11,
		sp);
	same('heartbeats', await s.cs([{ a: 'sphb' }, { a: 'sr' },
		{ a: 'sf' }]), [0, 0, []]);
}

async function attributes(s, other) {
	const six = ['+puEd255', '+puCu255', '*keyring', '+sigPubk', '+sigCu255',
		'^!keys'];
	const r = await s.cs([{ a: 'upv', '*~usk': [key(16)] },
		{ a: 'upv', ...Object.fromEntries(six.map((n) => [n, [key(32)]])) },
		{ a: 'upv', '*~jscd': [key(96)] }]);
	const versions = [];
	for (const x of r)
		versions.push(await s.settle('upv', x));
	same('upv: a version for each name', Object.keys(versions[1]), six);
	const p = s.tags.get(r[1][0]);
	same('upv: the packet', [p.a, p.u, p.ua, p.v],
		['ua', s.u, six, six.map((n) => versions[1][n])]);
	await other.until(() => other.tags.has(r[1][0]), 'the other session');
	check('upv: the other session is told', true);
	const v = versions[1]['^!keys'];
	const got = await other.one({ a: 'uga', u: s.u, ua: '^!keys', v: 1 });
	same('uga: the version of upv', got.v, v);
	same('upv: without the version it is refused',
		await s.one({ a: 'upv', '^!keys': ['AAAA'] }), -8);
	const next = await s.change({ a: 'upv', '^!keys': ['AAAA', v] });
	check('upv: a new version', next['^!keys'] !== v, next);
	same('upv: the old version is refused',
		await s.one({ a: 'upv', '^!keys': ['BBBB', v] }), -8);
	const up2 = await s.change({ a: 'up2', '^!prd': 'AAAA' });
	same('up2: the version', typeof up2['^!prd'], 'string');
	same('uga: none', await s.one({ a: 'uga', u: s.u, ua: '^!none', v: 1 }),
		-9);
	const ug = await s.one({ a: 'ug', v: 1 });
	same('ug: attributes with versions', ug['^!keys'],
		{ av: 'AAAA', v: next['^!keys'] });
}

async function files(s) {
	const dir = await made(s, mkdir(s.root));
	check('mkdir: the packet has the index', dir.f[0].i === 0 &&
		dir.f[0].p === s.root && dir.p.ou === s.u, dir);
	const data = crypto.randomBytes(1000000);
	const token = await upload(s, data, dir.h, [[393216, 786432],
		[786432, 1000000], [0, 131072], [131072, 393216]]);
	const put = await made(s, file(dir.h, token));
	check('put: fh', put.r.fh[0].startsWith(`${put.h}:`), put.r);
	check('get', data.equals(await fetchAll(s, { n: put.h }, 1000000)));
	const none = await upload(s, Buffer.alloc(0), dir.h, [[0, 0]]);
	const empty = await made(s, file(dir.h, none));
	same('get of an empty file', (await fetchAll(s, { n: empty.h }, 0))
		.length, 0);

	const two = await upload(s, data.subarray(0, 5), dir.h, [[0, 5]]);
	const version = await made(s, file(dir.h, two, { ov: put.h }));
	check('a new version: the old one is below it',
		version.p.t.f2.some((n) => n.h === put.h && n.p === version.h),
		version.p);
	const st = await s.makes({ a: 'a', n: version.h, at: attrs });
	same('rename: the packet', st[1].map((p) => [p.a, p.n, p.u, p.at]),
		[['u', version.h, s.u, attrs]]);
	check('rename: ts', st[1][0].ts > 1e9, st);
	const [, gone] = await s.makes({ a: 'm', i: 'abcdefghij', n: version.h,
		t: s.root });
	same('mv: both packets have i', gone.map((p) => [p.a, p.i]),
		[['d', 'abcdefghij'], ['t', 'abcdefghij']]);
	same('mv: d with m', [gone[0].n, gone[0].m], [version.h, 1]);
	same('mv: t with what is below', gone[1].t.f.concat(gone[1].t.f2)
		.map((n) => [n.h, n.p]), [[version.h, s.root],
		[put.h, version.h]]);
	const copy = await made(s, file(dir.h, put.h));
	check('cp: the same data', data.equals(await fetchAll(s, { n: copy.h },
		1000000)));
	const tree = await made(s, { a: 'p', v: 4, t: s.root, sm: 1, n: [
		folder(dir.h), { ...folder('BBBBBBBB'), p: dir.h },
		{ h: copy.h, t: 0, a: attrs, k: key(32), p: 'BBBBBBBB' }] });
	same('a tree in one p', tree.f.map((n) => n.p),
		[s.root, tree.f[0].h, tree.f[1].h]);
	const [, d] = await s.makes({ a: 'd', n: tree.h });
	same('rm: one packet', d.map((p) => [p.a, p.n]), [['d', tree.h]]);
	same('rm: it is gone', await s.one({ a: 'd', n: tree.f[2].h }), -9);
	const v1 = await s.change({ a: 'd', n: put.h, v: 1 });
	same('rm of one version', v1, 0);
	const bad = await s.one({ a: 'p', v: 4, t: s.root, sm: 1,
		n: [folder(), { ...folder(), p: 'CCCCCCCC' }] });
	same('p: errors by place', (await s.settle('p', bad)).e, { 1: -9 });
	return { dir: dir.h, copy: copy.h, data };
}

async function repeats(s) {
	const id = ids.next().value;
	const body = [mkdir(s.root)];
	const first = await s.cs(body, id);
	same('a request repeated gets the same reply', await s.cs(body, id),
		first);
	await s.settle('p', first[0]);
	same('and is not done twice', s.packets.filter((p) =>
		p.st === first[0][0]).length, 1);
}

async function links(s, t) {
	const [ph, p] = await s.makes({ a: 'l', n: t.copy });
	check('export: letters and digits', /^[A-Za-z0-9]{8}$/.test(ph), ph);
	same('export: the packet', p.map((x) => [x.a, x.h, x.ph, x.n]),
		[['ph', t.copy, ph, 1]]);
	check('export: ts', p[0].ts > 1e9, p);
	same('export again: the same, no tag', await s.one({ a: 'l', n: t.copy }),
		[0, ph]);
	const out = new Session();
	const g = await out.one({ a: 'g', p: ph });
	check('a file link: size and attributes, no url', g.s === 1000000 &&
		g.at === attrs && !('g' in g), g);
	check('get by it', t.data.equals(await fetchAll(out, { p: ph },
		1000000)));
	const im = await made(s, { a: 'p', v: 4, t: s.root, sm: 1,
		n: [{ ph, t: 0, a: attrs, k: key(32) }] });
	check('import of a file link', t.data.equals(await fetchAll(s,
		{ n: im.h }, 1000000)));
	const [, un] = await s.makes({ a: 'l', n: t.copy, d: 1 });
	same('unexport: the packet', un.map((x) => [x.a, x.ph, x.d]),
		[['ph', ph, 1]]);
	same('unexport: it is dead', await out.one({ a: 'g', p: ph }), -9);
}

async function exportFolder(s, dir, child) {
	const r = await s.one({ a: 's2', n: dir, ok: zeros, ha: zeros,
		s: [{ u: 'EXP', r: 0 }], cr: [[dir], [dir, child],
			[0, 0, key(16), 0, 1, key(32)]] });
	same('s2: the result', await s.settle('s2', r), { r: [0] });
	const p = s.tags.get(r[0]);
	same('s2: the packet', [p.a, p.n, p.o, p.u, p.r], ['s2', dir, s.u,
		'EXP', 0]);
	return s.change({ a: 'l', n: dir });
}

async function folderLinks(s, t) {
	const ph = await exportFolder(s, t.dir, t.copy);
	const own = await s.one({ a: 'f', c: 1, r: 1, ca: 1 });
	check('f: the link, with ts', own.ph.some((x) => x.ph === ph &&
		x.ts > 1e9), own.ph);
	check('f: the share', own.s.some((x) => x.h === t.dir &&
		x.u === 'EXP' && x.r === 0 && x.ts > 1e9), own.s);
	check('f: own keys as ok0', own.ok0.some((x) => x.h === t.dir), own.ok0);

	const link = new Session(`&n=${ph}`);
	const f = await link.one({ a: 'f', c: 1, r: 1, ca: 1 });
	same('a folder link: its root comes first', f.f[0].h, t.dir);
	check('a folder link: keys by its root', [t.dir, t.copy].every((h) =>
		f.f.find((n) => n.h === h).k.startsWith(`${t.dir}:`)), f.f);
	check('get in it', t.data.equals(await fetchAll(link, { n: t.copy },
		1000000)));
	await link.listen(f.sn);

	const later = await made(s, mkdir(t.dir, { cr: [[t.dir], [],
		[0, 0, key(16)]] }));
	await link.until(() => link.packets.some((p) => p.a === 't'), 'the link');
	same('a folder added later: the link is told, with the key',
		link.packets.find((p) => p.a === 't').t.f.map((n) =>
			[n.h, n.k.split(':')[0]]), [[later.h, t.dir]]);

	const both = new Session(`${link.query}${s.query}`);
	const seen = await both.one({ a: 'f', c: 1, r: 1 });
	same('with sid as well, n counts', seen.f[0].h, t.dir);
	const im = await made(s, { a: 'p', v: 4, t: s.bin, sm: 1, n: [
		folder(t.dir), { h: t.copy, t: 0, p: t.dir, a: attrs,
			k: key(32) }] });
	same('import of a folder link', im.f.map((n) => n.p), [s.bin, im.h]);

	const w = await s.change({ a: 'l', n: t.dir, w: '1' });
	check('a writable link', w.ph === ph && w.w.length === 22, w);
	await s.change({ a: 'l', n: t.dir, d: 1 });
	const r = await s.one({ a: 's2', n: t.dir, s: [{ u: 'EXP' }] });
	await s.settle('s2', r);
	same('unexport: okd', s.tags.get(r[0]).okd, 1);
	same('the link is dead', await link.cs([{ a: 'f', c: 1, r: 1 }]), -9);
	same('and what waits for it is told', await Promise.race([link.loop,
		new Promise((x) => { setTimeout(x, 5000); })]), -9);
}

async function resume(s) {
	const r = await s.one({ a: 'us', sek: key(16), sn: s.sn, si: key(32) });
	same('resume: the key of the login', [r.u, r.sek, r.sn],
		[s.u, s.sek, 1]);
	check('resume: privk', typeof r.privk === 'string', r);
	same('resume: too old a number', (await s.one({ a: 'us', sek: key(16),
		sn: 'fwAAAAAAAAA' })).sn, 0);
	same('catch up with nothing', parse(await post(
		`${base}/sc/wsc?sn=${s.sn}${s.query}`)).sn, s.sn);
	same('a number that cannot be', parse(await post(
		`${base}/wsc?sn=fwAAAAAAAAA${s.query}`)), -6);
}

async function upgrade() {
	const s = await login(oldEmail);
	same('a v1 account', s.v, 1);
	const again = { a: 'avu', emk: key(16), hak: key(16), crv: key(16) };
	const dk = crypto.pbkdf2Sync(password, crypto.createHash('sha256')
		.update('mega.nz'.padEnd(200, 'P')).update(raw(again.crv)).digest(),
	100000, 32, 'sha512');
	again.emk = b64(ecb(dk.subarray(0, 16), s.master));
	again.hak = b64(crypto.createHash('sha256').update(dk.subarray(16))
		.digest().subarray(0, 16));
	same('stp and avu', await s.cs([{ a: 'stp' }, again]), [-9, 0]);
	same('avu: only once', await s.one(again), -12);
	same('it is v2 now', (await login(oldEmail)).v, 2);
	same('logout', await s.cs([{ a: 'sml' }]), [0]);
	same('is final', await s.cs([{ a: 'ug' }]), -15);
}

async function main() {
	const s = await login(email);
	const other = await login(email);
	await logIn(s);
	const f = await other.one({ a: 'f', c: 1, r: 1, ca: 1 });
	await other.listen(f.sn);
	await attributes(s, other);
	const t = await files(s);
	await repeats(s);
	await links(s, t);
	await folderLinks(s, t);
	await resume(s);
	await upgrade();
	await other.until(() => other.tags.has(s.st), 'the last tag');
	same('both sessions were told the same', other.packets, s.packets);
	fs.writeSync(1, `0 ended, with ${failures} failures\n`);
	process.exit(0);
}

main().catch((e) => {
	check(`goes on to the end: ${e.message}`, false, e.stack);
	process.exit(1);
});
