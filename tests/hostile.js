// hostile.js SID ROOT COUNT SEED: what a stranger might send to MEGA_API_URL.
// Every reply to a batch of commands has to be JSON that the official client
// can read, and in the end the server has to answer as if nothing had been.
// Prints lines "0 NAME" for what went right and "1 NAME" for what did not.

const fs = require('fs');
const http = require('http');
const net = require('net');

const [sid, root, count, seed] = process.argv.slice(2);
const base = new URL(process.env.MEGA_API_URL);
const strict = new TextDecoder('utf-8', { fatal: true });

function check(name, right, got) {
	fs.writeSync(1, `${right ? 0 : 1} ${name}\n`);
	if (!right)
		fs.writeSync(2, `${name}: ${String(got).slice(0, 600)}\n`);
}

// ---- chance, repeatable

let state = BigInt(seed);

function draw(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) &
		((1n << 64n) - 1n);
	return Number((state >> 33n) % BigInt(n));
}

function pick(list) {
	return list[draw(list.length)];
}

// ---- requests

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

function post(path, body, ms = 20000) {
	return new Promise((done) => {
		const q = http.request({ host: base.hostname, port: base.port, path,
			method: 'POST', agent, timeout: ms, headers: {
				'Content-Length': Buffer.byteLength(body) } }, (r) => {
			const parts = [];
			r.on('data', (d) => parts.push(d));
			r.on('error', (e) => done({ status: 0, error: e.message }));
			r.on('end', () => done({ status: r.statusCode,
				body: Buffer.concat(parts) }));
		});
		q.on('timeout', () => q.destroy(new Error('too slow')));
		q.on('error', (e) => done({ status: 0, error: e.message }));
		q.end(body);
	});
}

// Bytes as they are; what comes back until the server closes, or for ms.
function raw(data, ms = 3000) {
	return new Promise((done) => {
		const s = net.connect(+base.port, base.hostname);
		const parts = [];
		const end = () => {
			s.destroy();
			done(Buffer.concat(parts).toString('latin1'));
		};
		s.on('data', (d) => parts.push(d));
		s.on('error', end);
		s.on('close', end);
		setTimeout(end, ms).unref();
		s.write(data);
	});
}

// ---- commands with members of every wrong kind

const commands = ['us0', 'us', 'up', 'avu', 'ug', 'uc', 'uc2', 'ud', 'ud2',
	'up2', 'upv', 'upr', 'uga', 'uk', 'mfag', 'mfas', 'mfad', 'usl', 'usr',
	'a', 'm', 'd', 'k', 'p', 'l', 's2', 'pli', 'f', 'u', 'g', 'ufa',
	'pfa', 'uq', 'qbq', 'uge', 'whyamiblocked', 'gmf', 'log', 'sp', 'nosuch'];
const members = ['n', 't', 'p', 'h', 'ph', 'k', 'a', 'at', 'attr', 'key', 's',
	'v', 'g', 'ssl', 'user', 'uh', 'mfa', 'sek', 'si', 'sn', 'c', 'e', 'm',
	'u', 'ua', 'ts', 'crv', 'hak', 'emk', 'privk', 'pubk', 'cr', 'ok', 'ha',
	'nk', 'd', 'w', 'ets', 'fa', 'fah', 'i', 'sm', 'vb', 'ov', 'ko',
	'firstname', '^!keys', '*keyring', 'name', '"\\', ''];
const handles = [root, 'AAAAAAAA', '________', 'xxxxxxxx'];

function text() {
	switch (draw(8)) {
	case 0: return pick(handles);
	case 1: return Buffer.alloc(draw(70), draw(256)).toString('base64url');
	case 2: return '../'.repeat(draw(20));
	case 3: return 'x@y'.repeat(draw(80));
	case 4: return '\u0000\u001f\ud800\n"\\';
	case 5: return 'é\u{1f427}'.repeat(draw(9));
	case 6: return pick(['EXP', '', '0', '-1', '1e9', 'part0', "' OR 1=1--"]);
	default: return 'A'.repeat(pick([1, 8, 11, 22, 43, 48, 58, 70000]));
	}
}

function value(depth) {
	switch (draw(depth > 0 ? 10 : 6)) {
	case 0: case 1: return text();
	case 2: return pick([0, 1, -1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300, 0.5]);
	case 3: return pick([true, false, null]);
	case 4: return text();
	case 5: return draw(3);
	case 6: case 7: return Array.from({ length: draw(5) },
		() => value(depth - 1));
	default: return object(depth - 1);
	}
}

function object(depth) {
	const o = {};
	for (let i = draw(7); i > 0; i--)
		o[pick(members)] = value(depth);
	return o;
}

// One that is right as far as it goes, so that checks behind the first are
// reached as well.
function likely() {
	const t = draw(2);
	const n = () => ({ h: pick(['xxxxxxxx', text()]), t, a: 'A'.repeat(22),
		k: 'A'.repeat(t ? 21 : 42) + pick(['B', 'C']), ...object(1) });
	return pick([
		() => ({ a: 'p', t: root, v: 4, sm: draw(2),
			n: Array.from({ length: draw(5) + 1 }, n), cr: value(3) }),
		() => ({ a: 's2', n: root, s: [{ u: 'EXP', r: draw(3) }],
			cr: [[root], [root], [0, draw(3), 'A'.repeat(22)]] }),
		() => ({ a: 'upv', '^!keys': [text(), text()] }),
		() => ({ a: 'us', user: `${text()}@`, uh: 'A'.repeat(22) }),
		() => ({ a: 'uc2', m: Buffer.from(text()).toString('base64url'),
			n: Buffer.from([draw(256), draw(256)]).toString('base64url'),
			k: 'A'.repeat(22), crv: 'A'.repeat(22),
			hak: 'A'.repeat(22) }),
		() => ({ a: 'u', s: draw(1000) }),
		() => ({ a: 'k', nk: value(2) }),
	])();
}

function damaged(json) {
	const b = Buffer.from(json);
	for (let i = draw(4); i > 0; i--)
		b[draw(b.length)] = draw(256);
	return draw(3) ? b : b.subarray(0, draw(b.length));
}

function readable(r) {
	if (r.status !== 200)
		return r.status >= 400 && r.status < 500;
	try {
		const s = strict.decode(r.body);
		JSON.parse(s);
		return !/\s|true|false|null/.test(
			s.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
	} catch (e) {
		return false;
	}
}

async function batches() {
	let bad = 0;
	for (let i = 0; i < count && bad < 3; i++) {
		const list = Array.from({ length: 1 + draw(3) }, () => draw(3) ?
			{ a: pick(commands), ...object(3) } : likely());
		let body = JSON.stringify(list);
		if (!draw(4))
			body = damaged(body);
		const v = pick(['', '&v=3', '&v=3&bc=1', '&v=x']);
		const who = pick([`&sid=${sid}`, `&sid=${sid}`, '',
			'&n=AAAAAAAA', `&n=${escape(text().slice(0, 99))}`]);
		const r = await post(`/cs?id=${draw(99)}${v}${who}`, body);
		if (!readable(r)) {
			bad++;
			check('a batch', false, `${body} ${r.status} ${r.error} ${
				r.body}`);
		}
	}
	check(`${count} batches, seed ${seed}`, bad === 0);
}

async function large() {
	const all = [
		['deep', '['.repeat(1 << 20)],
		['deep and closed', '['.repeat(1 << 19) + ']'.repeat(1 << 19)],
		['of many members', `[{${'"a":0,'.repeat(1 << 18)}"a":"ug"}]`],
		['of many commands', `[${'{"a":"log"},'.repeat(20000)}0]`],
		['of many numbers', `[${'0,'.repeat(4 << 20)}0]`],
		['of 20 MiB', `["${'x'.repeat(20 << 20)}"]`],
		['with a long string', `[{"a":"up2","^x":"${'A'.repeat(8 << 20)}"}]`],
		['with many keys', JSON.stringify([{ a: 'p', t: root,
			n: Array.from({ length: 5000 }, (_, i) => ({
				h: `${1e7 + i}`.padStart(8, 'x'), t: 1,
				a: 'A'.repeat(22), k: 'A'.repeat(21) + 'B' })),
			cr: [[root], Array.from({ length: 100000 }, (_, i) =>
				`${2e7 + i}`.padStart(8, 'x')),
			Array.from({ length: 300000 }, (_, i) => i % 3 === 0 ? 0 :
				i % 3 === 1 ? Math.floor(i / 3) : 'A'.repeat(22))] }])],
	];
	for (const [name, body] of all) {
		const start = Date.now();
		const r = await post(`/cs?sid=${sid}`, body, 60000);
		check(`a body ${name}`, r.status === 0 || readable(r),
			`${r.status} ${r.error} ${r.body}`);
		const ms = Date.now() - start;
		check(`a body ${name}: in time`, ms < 10000, `${ms} ms`);
	}
}

async function requests() {
	const all = ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n',
		'POST /cs HTTP/1.1\r\nContent-Length: -5\r\n\r\n',
		'POST /cs HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n',
		'POST /cs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n' +
			'Content-Length: 50\r\n\r\n[]',
		'POST /cs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
			'ffffffffffffffffff\r\n[]\r\n0\r\n\r\n',
		'POST /cs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
			'zz\r\n', `GET /${'a'.repeat(300000)} HTTP/1.1\r\n\r\n`,
		`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(60000)}\r\n`,
		'GET /dl/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET /dl/%2e%2e%2f%2e%2e%2fetc%2fpasswd/0-9 HTTP/1.1\r\nHost: x\r\n' +
			'\r\n', 'GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n',
		'POST /ul/%00/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx',
		'POST /fa/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx',
		'GET /sc?sn=%ff&sid=%00 HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET /sc/w/AAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET /sc/w/AAAAAAAAAAA/x HTTP/1.1\r\nHost: ../x\r\n\r\n',
		'PUT /cs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]',
		'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'];
	const replies = await Promise.all(all.map((x) => raw(x, 1500)));
	for (let i = 0; i < all.length; i++) {
		check(`request ${i}: no file, no harm`, !/root:/.test(replies[i]),
			replies[i]);
	}
	const url = JSON.parse((await post(`/cs?sid=${sid}`,
		'[{"a":"u","s":131072,"v":2}]')).body)[0].p;
	const up = new URL(url).pathname;
	for (const [where, size, want] of [['-1', 5, '-7'],
		['9223372036854775807', 5, '-7'], ['131072', 1, '-7'],
		['0', 131073, '-7'], ['99999999999999999999', 1, '-7'],
		['x', 5, '-7'], ['', 0, '-7']]) {
		const r = await post(`${up}/${where}`, Buffer.alloc(size));
		check(`a piece of ${size} at "${where}"`, r.status === 200 &&
			`${r.body}` === want, `${r.status} ${r.error} ${r.body}`);
	}
}

// Many who are slow, and one who is not.
async function crowd(n) {
	const all = [];
	let open = 0;
	for (let i = 0; i < n; i++) {
		const s = net.connect(+base.port, base.hostname, () => {
			open++;
			s.write(pick(['', 'P', 'POST /cs HTTP/1.1\r\n',
				'POST /cs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[',
			]));
		});
		s.on('error', () => {});
		all.push(s);
	}
	for (let i = 0; i < 100 && open < n; i++)
		await new Promise((x) => { setTimeout(x, 50); });
	check(`${n} idle connections`, open === n, open);
	const start = Date.now();
	const r = await post('/cs', '[{"a":"log"}]');
	check('keep nobody else waiting', r.status === 200 &&
		Date.now() - start < 3000, `${r.status} ${r.error}`);
	for (const s of all)
		s.destroy();
}

// Bodies that never end hold what memory there is for bodies, to the last.
async function hoard() {
	const all = [];
	for (const size of [12 << 20, 1 << 20, 100000, 8000, 500]) {
		for (let i = 0; i < (size > 100000 ? 20 : 100); i++) {
			const s = net.connect(+base.port, base.hostname);
			s.on('error', () => {});
			s.write('POST /cs HTTP/1.1\r\nHost: x\r\n' +
				`Content-Length: ${16 << 20}\r\n\r\n`);
			s.write(Buffer.alloc(size, '['));
			all.push(s);
		}
		await new Promise((x) => { setTimeout(x, 50); });
	}
	const bad = [];
	for (let i = 0; i < 40; i++) {
		const r = await post(`/cs?sid=${sid}`, '[{"a":"log"}]');
		if (r.status !== 200)
			bad.push(r.error);
		await new Promise((x) => { setTimeout(x, 10); });
	}
	check('endless bodies leave room for others', bad.length === 0, bad);
	for (const s of all)
		s.destroy();
}

async function main() {
	await batches();
	await large();
	await requests();
	await crowd(1500);
	await hoard();
	const r = await post(`/cs?sid=${sid}`, '[{"a":"ug"}]');
	check('and all is well', r.status === 200 && readable(r), r.body);
	process.exit(0);
}

main();
