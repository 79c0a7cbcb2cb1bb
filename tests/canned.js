// canned.js DIR: a service that answers as files in DIR say, for what a good
// one never would.  Prints its URL.
//
//   f.json          nodes: an array of objects as below, or a whole reply
//   sc-SN.json      packets since that sequence number, and the next "sn";
//                   without one, there is nothing new
//   uga.json        the answer to that command
//   w.json          where to wait: "" at once, null nowhere; without one,
//                   where nobody is
//   log             written: one word for each request; commands "k" whole
//
// A node is a record of the protocol, or has in place of "a" and "k":
//   n     its name, or nx: its bytes in hexadecimal
//   c     its fingerprint; at: more attributes, as an object
//   key   its key in hexadecimal (or one is made from its handle)
//   by    "own" (default), or the share in whose name its key is wrapped
// Keys: mega-protocol(7), "Test vectors": the master key is 00 01 … 0f, every
// share's key 40 41 … 4f.

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');

const dir = process.argv[2];
const master = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const share = Buffer.from('404142434445464748494a4b4c4d4e4f', 'hex');
const user = 'AAECAwQFBgc';

function ecb(key, data) {
	const c = crypto.createCipheriv('aes-128-ecb', key, null);
	c.setAutoPadding(false);
	return Buffer.concat([c.update(data), c.final()]);
}

function cbc(key, data) {
	const c = crypto.createCipheriv('aes-128-cbc', key, Buffer.alloc(16));
	c.setAutoPadding(false);
	return Buffer.concat([c.update(data), c.final()]);
}

function b64(b) {
	return b.toString('base64url');
}

function quoted(n) {
	if (n.nx === undefined)
		return Buffer.from(JSON.stringify(n.n));
	return Buffer.concat([Buffer.from('"'), Buffer.from(n.nx, 'hex'),
		Buffer.from('"')]);
}

function attributes(n, fold) {
	let b = Buffer.concat([Buffer.from('MEGA{"n":'), quoted(n)]);
	const more = { ...(n.c && { c: n.c }), ...n.at };
	for (const k of Object.keys(more))
		b = Buffer.concat([b, Buffer.from(`,${JSON.stringify(k)}:` +
			JSON.stringify(more[k]))]);
	b = Buffer.concat([b, Buffer.from('}')]);
	return b64(cbc(fold, Buffer.concat([b,
		Buffer.alloc((16 - b.length % 16) % 16)])));
}

// A record from a node.
function seal(n) {
	if (n.n === undefined && n.nx === undefined)
		return n;
	const size = n.t === 0 ? 32 : 16;
	const key = n.key ? Buffer.from(n.key, 'hex') :
		crypto.createHash('sha256').update(n.h).digest().subarray(0, size);
	const fold = Buffer.from(key.subarray(0, 16));
	for (let i = 16; i < size; i++)
		fold[i - 16] ^= key[i];
	const own = n.by === undefined || n.by === 'own';
	const { n: name, nx, c, at, key: k, by, ...rest } = n;
	return { u: user, ts: 1700000000, ...rest, a: attributes(n, fold),
		k: own ? `${user}:${b64(ecb(master, key))}` :
			`${by}:${b64(ecb(share, key))}` };
}

// Seal nodes wherever they are.
function walk(v) {
	if (Array.isArray(v))
		return v.map(walk);
	if (v === null || typeof v !== 'object')
		return v;
	if (v.h !== undefined && v.t !== undefined)
		return seal(v);
	return Object.fromEntries(Object.entries(v).map(([k, w]) =>
		[k, walk(w)]));
}

function load(name) {
	try {
		return walk(JSON.parse(fs.readFileSync(path.join(dir, name),
			'utf8')));
	} catch (e) {
		if (e.code === 'ENOENT')
			return undefined;
		throw e;
	}
}

function command(c) {
	const v = load(`${c.a}.json`);
	if (v === undefined)
		return -9;
	return Array.isArray(v) && c.a === 'f' ?
		{ f: v, sn: 'AAAAAAAAAAE' } : v;
}

function waiting() {
	const v = load('w.json');
	if (v === undefined)
		return 'http://127.0.0.1/w';
	return v === null ? undefined : `http://${server.address().address}:` +
		`${server.address().port}/w`;
}

function answer(url, body) {
	const q = new URL(url, 'http://x');
	if (q.pathname === '/wsc') {
		const sn = q.searchParams.get('sn');
		const v = load(`sc-${sn}.json`) || { sn };
		return { w: waiting(), ...v };
	}
	if (q.pathname === '/w')
		return 0;
	return JSON.parse(body).map(command);
}

const server = http.createServer((req, res) => {
	const parts = [];
	req.on('data', (d) => parts.push(d));
	req.on('end', () => {
		const body = Buffer.concat(parts).toString();
		const word = req.url.startsWith('/w') ? 'sc' :
			JSON.parse(body).map((c) => c.a === 'k' ?
				JSON.stringify(c) : c.a).join(',');
		fs.appendFileSync(path.join(dir, 'log'), `${word}\n`);
		const text = JSON.stringify(answer(req.url, body));
		res.writeHead(200, { 'Content-Length': Buffer.byteLength(text) });
		res.end(text);
	});
});
server.listen(0, '127.0.0.1', () => {
	console.log(`http://127.0.0.1:${server.address().port}`);
});
