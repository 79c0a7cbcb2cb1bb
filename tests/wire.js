// wire.js URL FILE: stands before the service at that URL and prints its own.
// FILE gets one JSON object a line for each request that comes through:
// method, path (with the query), headers, commands of those to /cs, and for
// others the body's length and its checksum.

const fs = require('fs');
const http = require('http');

const [target, file] = process.argv.slice(2);
const out = fs.openSync(file, 'a');

// Byte i of a body goes to byte i mod 12 of its sum.
function sum(body) {
	const s = Buffer.alloc(12);
	body.forEach((b, i) => { s[i % 12] ^= b; });
	return s.toString('base64url');
}

function note(req, body) {
	const line = { method: req.method, path: req.url,
		headers: req.headers };
	if (req.url.startsWith('/cs'))
		line.commands = JSON.parse(body);
	else
		Object.assign(line, { length: body.length, sum: sum(body) });
	fs.writeSync(out, JSON.stringify(line) + '\n');
}

const server = http.createServer((req, res) => {
	const parts = [];
	req.on('data', p => parts.push(p));
	req.on('end', () => {
		const body = Buffer.concat(parts);
		note(req, body);
		// The host stays ours: URLs made from it lead back here.
		http.request(target + req.url, { method: req.method,
			headers: req.headers }, answer => {
			res.writeHead(answer.statusCode, answer.headers);
			answer.pipe(res);
		}).on('error', () => req.destroy()).end(body);
	});
});
server.listen(0, '127.0.0.1', () =>
	console.log(`http://127.0.0.1:${server.address().port}`));
