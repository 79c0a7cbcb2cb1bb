// churn.js change COUNT SEED: at least so many nodes of the account are
// changed, at random: added, renamed, moved, removed, replaced by versions,
// published.  churn.js dump: the account as the service has it now, as
// tests/tools/cachedump prints a cache.
//
// The session is that of $XDG_STATE_HOME; the server, $MEGA_API_URL.  No code
// of ours is used.

const crypto = require('crypto');
const fs = require('fs');

const session = JSON.parse(fs.readFileSync(
	`${process.env.XDG_STATE_HOME}/megapipe/session.json`, 'utf8'));
const master = raw(session.master_key);
const BATCH = 500;
const SUBTREE_MAX = 2000;

let id = 1;

function raw(s) {
	return Buffer.from(s, 'base64url');
}

function b64(b) {
	return b.toString('base64url');
}

function cipher(name, way, key, data) {
	const iv = name === 'ecb' ? null : Buffer.alloc(16);
	const c = crypto[`create${way}iv`](`aes-128-${name}`, key, iv);
	c.setAutoPadding(false);
	return Buffer.concat([c.update(data), c.final()]);
}

function wrap(key, by = master) {
	return cipher('ecb', 'Cipher', by, key);
}

function fold(key) {
	const k = Buffer.from(key.subarray(0, 16));
	for (let i = 16; i < key.length; i++)
		k[i - 16] ^= key[i];
	return k;
}

function seal(attributes, key) {
	const plain = Buffer.from('MEGA' + JSON.stringify(attributes));
	return b64(cipher('cbc', 'Cipher', fold(key), Buffer.concat([plain,
		Buffer.alloc((16 - plain.length % 16) % 16)])));
}

function open(a, key) {
	const text = cipher('cbc', 'Decipher', fold(key), raw(a)).toString();
	return JSON.parse(text.slice(4).replace(/\0*$/, ''));
}

async function ask(commands) {
	for (;;) {
		const r = await fetch(`${process.env.MEGA_API_URL}/cs?id=${id}` +
			`&sid=${session.sid}`, { method: 'POST',
			body: JSON.stringify(commands) });
		const text = await r.text();
		if (text !== '-3') {
			id++;
			return JSON.parse(text);
		}
	}
}

// The account.

const nodes = new Map();
const children = new Map();
let reply;

function hang(n) {
	if (!children.has(n.p))
		children.set(n.p, new Set());
	children.get(n.p).add(n.h);
}

function add(record) {
	const n = { ...record };
	if (n.t < 2) {
		// The owner's part, under the master key, comes first.
		n.key = cipher('ecb', 'Decipher', master,
			raw(n.k.split('/')[0].split(':')[1]));
		n.attributes = open(n.a, n.key);
	}
	nodes.set(n.h, n);
	hang(n);
}

function below(h) {
	const list = [h];
	for (let i = 0; i < list.length; i++)
		list.push(...children.get(list[i]) || []);
	return list;
}

function remove(h) {
	children.get(nodes.get(h).p).delete(h);
	for (const x of below(h))
		nodes.delete(x);
}

async function load() {
	[reply] = await ask([{ a: 'f', c: 1, r: 1 }]);
	for (const n of [...reply.f, ...reply.f2])
		add(n);
}

// What cachedump prints.

function varint(c) {
	let mtime = 0n;
	for (let i = c[16] || 0; i > 0; i--)
		mtime = mtime << 8n | BigInt(c[16 + i]);
	return c.length > 16 ? mtime : -1n;
}

function line(n, links, shared) {
	const at = n.attributes || {};
	const c = at.c === undefined ? Buffer.alloc(0) : raw(at.c);
	const more = Object.keys(at).some((k) => k !== 'n' && k !== 'c');
	return [n.h, n.p === '' ? '-' : n.p, n.t, n.s || 0, n.ts, varint(c),
		b64(Buffer.from(at.n || '')) || '-',
		n.key ? b64(wrap(n.key)) : '-', b64(c) || '-',
		links.get(n.h) || '-', shared.get(n.h) || '-',
		more ? n.a : '-'].join(' ');
}

function dump() {
	const links = new Map(reply.ph.map((l) => [l.h, l.ph]));
	const keys = new Map(reply.ok.map((o) => [o.h, o.k]));
	const shared = new Map(reply.s.map((s) => [s.h, keys.get(s.h)]));
	const lines = [...nodes.values()].map((n) => line(n, links, shared));
	console.log(lines.sort().join('\n'));
}

// What happens.

let state;

function random(n) {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return (state >>> 8) % n;
}

let handles, folders, root, bin;

function pick(type) {
	for (let i = 0; i < 50; i++) {
		const n = nodes.get(handles[random(handles.length)]);
		const parent = n && nodes.get(n.p);
		// An older version is not changed by itself.
		if (n && n.t === type && parent && parent.t !== 0)
			return n;
	}
	return undefined;
}

function folder() {
	const n = random(20) === 0 ? undefined : pick(1);
	return n || nodes.get(root);
}

function isBelow(n, top) {
	for (; n; n = nodes.get(n.p))
		if (n.h === top)
			return true;
	return false;
}

function name() {
	const odd = ['', ' ', '\n', '"', 'é', '🐧', '\\', '-', 'x'.repeat(200)];
	return `${odd[random(odd.length)]}${random(1000)}`;
}

// Share keys for what is put below exported folders.
function cr(parent, entries) {
	const shares = [];
	for (let n = parent; n; n = nodes.get(n.p))
		if (exported.has(n.h))
			shares.push(n.h);
	if (shares.length === 0)
		return {};
	const triples = [];
	shares.forEach((s, i) => entries.forEach((e, k) =>
		triples.push(i, k, b64(wrap(e.key, exported.get(s))))));
	return { cr: [shares, entries.map((e) => e.h), triples] };
}

const exported = new Map();

function create(parent, h, t, key, attributes, ov) {
	const e = { h, t, a: seal(attributes, key), k: b64(wrap(key)), key };
	const { key: secret, ...entry } = e;
	if (ov)
		entry.ov = ov;
	return { a: 'p', t: parent.h, n: [entry], ...cr(parent, [e]) };
}

// Each gives a command and what it does here, or nothing.
const acts = {
	mkdir() {
		const parent = folder();
		return { cmd: create(parent, 'xxxxxxxx', 1, crypto.randomBytes(16),
			{ n: name() }), count: 1 };
	},
	copy() {
		const n = pick(0);
		return n && { cmd: create(folder(), n.h, 0, n.key,
			{ ...n.attributes, n: name() }), count: 1 };
	},
	version() {
		const n = pick(0), other = pick(0);
		return n && other && other !== n && { cmd: create(
			nodes.get(n.p), other.h, 0, other.key,
			{ ...other.attributes, n: n.attributes.n }, n.h),
			count: 2, old: n };
	},
	rename() {
		const n = pick(random(2));
		if (!n)
			return undefined;
		const at = { ...n.attributes, n: name() };
		if (random(4) === 0)
			at.fav = 1;
		return { cmd: { a: 'a', n: n.h, at: seal(at, n.key) }, count: 1,
			done() { n.attributes = at; } };
	},
	move() {
		const n = pick(random(2)), to = random(4) ? folder() :
			nodes.get(bin);
		if (!n || isBelow(to, n.h))
			return undefined;
		const all = below(n.h);
		if (all.length > SUBTREE_MAX)
			return undefined;
		return { cmd: { a: 'm', n: n.h, t: to.h, ...cr(to,
			all.map((h) => nodes.get(h))) }, count: all.length,
			done() {
				children.get(n.p).delete(n.h);
				n.p = to.h;
				hang(n);
			} };
	},
	remove() {
		const n = pick(random(8) ? 0 : 1);
		const size = n ? below(n.h).length : 0;
		if (!n || size > SUBTREE_MAX / 4)
			return undefined;
		return { cmd: { a: 'd', n: n.h }, count: size,
			done() { remove(n.h); } };
	},
	unversion() {
		const n = pick(0);
		const old = n && [...children.get(n.h) || []][0];
		return old && { cmd: { a: 'd', n: n.h, v: 1 }, count: 1,
			done() {
				const o = nodes.get(old);
				children.get(n.h).delete(old);
				o.p = n.p;
				hang(o);
				remove(n.h);
			} };
	},
	link() {
		const n = pick(0);
		return n && { cmd: { a: 'l', n: n.h, ...(random(2) && { d: 1 }) },
			count: 1, lax: 1 };
	},
	share() {
		const n = pick(1);
		if (!n || below(n.h).length > SUBTREE_MAX)
			return undefined;
		const on = !exported.has(n.h);
		const key = exported.get(n.h) || crypto.randomBytes(16);
		const all = below(n.h).map((h) => nodes.get(h));
		const triples = all.flatMap((x, i) => [0, i, b64(wrap(x.key, key))]);
		const s2 = on ? { a: 's2', n: n.h, s: [{ u: 'EXP', r: 0 }],
			ok: b64(wrap(key)), ha: b64(wrap(Buffer.from(n.h + n.h))),
			cr: [[n.h], all.map((x) => x.h), triples] } :
			{ a: 's2', n: n.h, s: [{ u: 'EXP' }] };
		return { cmd: s2, count: 1, next: on && { a: 'l', n: n.h },
			done() {
				if (on)
					exported.set(n.h, key);
				else
					exported.delete(n.h);
			} };
	},
};

function take(act, result) {
	const number = typeof result === 'number';
	if (number && result < 0 && !act.lax)
		throw new Error(`${JSON.stringify(act.cmd)}: ${result}`);
	if (act.cmd.a === 'p')
		for (const n of result.f)
			add(n);
	if (act.old) {
		const n = act.old, now = nodes.get(result.f[0].h);
		children.get(n.p).delete(n.h);
		n.p = now.h;
		hang(n);
	}
	if (act.done)
		act.done();
}

// Commands go alone where the next one must know what they did, which is
// always: but many sessions in a batch would only hide what they do.
async function change(count) {
	const kinds = ['mkdir', 'copy', 'copy', 'version', 'rename', 'rename',
		'move', 'remove', 'unversion', 'link', 'share'];
	root = reply.f.find((n) => n.t === 2).h;
	bin = reply.f.find((n) => n.t === 4).h;
	const keys = new Map(reply.ok.map((o) => [o.h, o.k]));
	for (const s of reply.s)
		exported.set(s.h, cipher('ecb', 'Decipher', master,
			raw(keys.get(s.h))));
	let changed = 0;
	while (changed < count) {
		handles = [...nodes.keys()];
		for (let i = 0; i < BATCH && changed < count; i++) {
			const act = acts[kinds[random(kinds.length)]]();
			if (!act)
				continue;
			const cmds = act.next ? [act.cmd, act.next] : [act.cmd];
			take(act, (await ask(cmds))[0]);
			changed += act.count;
		}
	}
	console.log(changed);
}

(async () => {
	await load();
	if (process.argv[2] === 'dump') {
		dump();
	} else {
		state = Number(process.argv[4]);
		await change(Number(process.argv[3]));
	}
})();
