// durable.js DIR ROUNDS [OPTION ...]: kill a mega-serve with state in DIR at
// any moment, ROUNDS times, while files are sent to it; afterwards everything
// that it acknowledged has to be there: pieces, files, links, attributes.
// Prints lines "0 NAME" for what went right and "1 NAME" for what did not.

const crypto = require('crypto');
const { spawn } = require('child_process');

const [dir, rounds, ...options] = process.argv.slice(2);
const SIZE = 131072 + 262144 + 5; // three pieces
const cuts = [[0, 131072], [131072, 393216], [393216, SIZE]];
const attrs = crypto.randomBytes(32).toString('base64url');
const key = () => crypto.randomBytes(32).toString('base64url');

let base, server, listen = '127.0.0.1', ids = 0;
let left, enough; // requests until the server dies

function check(name, right, got) {
	console.log(`${right ? 0 : 1} ${name}`);
	if (!right)
		console.error(`${name}: ${got}`);
}

function start() {
	return new Promise((done, bad) => {
		server = spawn('mega-serve', ['-d', dir, '-l', listen, ...options],
			{ stdio: ['ignore', 'pipe', 'inherit'] });
		server.once('exit', (code) => bad(new Error(`exit ${code}`)));
		server.stdout.once('data', (d) => {
			base = d.toString().trim();
			listen = base.replace('http://', '');
			done();
		});
	});
}

function stop(signal) {
	return new Promise((done) => {
		server.removeAllListeners('exit');
		server.once('exit', done);
		server.kill(signal);
	});
}

async function post(url, body) {
	if (--left === 0)
		setTimeout(enough, crypto.randomInt(4));
	const r = await fetch(url, { method: 'POST', body,
		headers: { connection: 'close' } });
	const b = Buffer.from(await r.arrayBuffer());
	if (r.status !== 200)
		throw new Error(`status ${r.status}`);
	return b;
}

async function cs(commands, query) {
	ids++;
	return JSON.parse(await post(`${base}/cs?id=${ids}${query}`,
		JSON.stringify(commands)));
}

async function account() {
	const ts = crypto.randomBytes(32).toString('base64url');
	const [user] = await cs([{ a: 'up', k: 'A'.repeat(22), ts }], '');
	const [{ tsid }] = await cs([{ a: 'us', user }], '');
	const [f] = await cs([{ a: 'f' }], `&sid=${tsid}`);
	return { query: `&sid=${tsid}`, root: f.f[0].h };
}

// One file: each step is noted when it was acknowledged, and none is done
// twice after that.
async function work(who, job) {
	if (job.path === undefined) {
		const [{ p }] = await cs([{ a: 'u', s: SIZE, v: 2 }], who.query);
		job.path = new URL(p).pathname;
	}
	while (job.token === undefined) {
		const [from, to] = cuts[job.stored];
		const r = await post(`${base}${job.path}/${from}`,
			job.data.subarray(from, to));
		job.stored++;
		if (r.length === 36)
			job.token = r.toString('base64url');
		else if (job.stored === cuts.length)
			throw Object.assign(new Error('a piece was lost'),
				{ lost: true });
	}
	const [r] = await cs([{ a: 'p', t: who.root, n: [{ h: job.token, t: 0,
		a: attrs, k: key() }] }], who.query);
	if (r.f === undefined)
		throw Object.assign(new Error(`p: ${JSON.stringify(r)}`),
			{ lost: true });
	job.node = r.f[0].h;
	[job.link] = await cs([{ a: 'l', n: job.node }], who.query);
	await cs([{ a: 'up2', [`*x${job.n}`]: job.node }], who.query);
	job.told = true;
}

async function works(who, jobs, state) {
	let job = state.left;
	while (!state.stop) {
		if (job === undefined || job.told) {
			job = { data: crypto.randomBytes(SIZE), stored: 0,
				n: jobs.length };
			jobs.push(job);
		}
		try {
			await work(who, job);
		} catch (e) {
			if (e.lost) {
				check(`job ${job.n}`, false, e.message);
				job = undefined;
			}
			await new Promise((x) => { setTimeout(x, 5); });
		}
	}
	state.left = job;
}

async function verify(who, jobs) {
	const [f] = await cs([{ a: 'f' }], who.query);
	const have = new Map(f.f.map((n) => [n.h, n]));
	let bad = 0;
	for (const job of jobs.filter((j) => j.node !== undefined)) {
		const [g] = await cs([{ a: 'g', g: 1, n: job.node }], who.query);
		const data = g.g === undefined ? '' : await post(g.g);
		if (!have.has(job.node) || !job.data.equals(data))
			bad++;
	}
	const nodes = jobs.filter((j) => j.node !== undefined).length;
	check(`all that was acknowledged is there (${nodes} files)`,
		bad === 0 && nodes > 0, `${bad} of ${nodes} bad`);
	const links = jobs.filter((j) => j.link !== undefined);
	check('links as well', links.every((j) =>
		f.ph.some((x) => x.h === j.node && x.ph === j.link)));
	const told = jobs.filter((j) => j.told);
	const [ug] = await cs([{ a: 'ug' }], who.query);
	check('and attributes', told.every((j) => ug[`*x${j.n}`] === j.node));
}

async function main() {
	const jobs = [];
	const states = [{}, {}, {}, {}];
	await start();
	const who = await account();
	for (let i = 0; i < rounds; i++) {
		states.forEach((s) => { s.stop = false; });
		const all = states.map((s) => works(who, jobs, s));
		await new Promise((x) => {
			enough = x;
			left = 8 + crypto.randomInt(40);
		});
		states.forEach((s) => { s.stop = true; });
		await stop('SIGKILL');
		await Promise.all(all);
		await start();
	}
	check(`killed ${rounds} times`, true);
	await verify(who, jobs);
	await stop('SIGTERM');
	process.exit(0);
}

main().catch((e) => {
	check(`goes on to the end: ${e.message}`, false, e.stack);
	server.kill('SIGKILL');
	process.exit(1);
});
