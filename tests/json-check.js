// json-check.js SCHEMA: hold each line of standard input against a JSON
// Schema, as far as ours uses that language.  Members that the schema does
// not name are wrong here: what programs print is to be documented.

const fs = require('fs');
const schema = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

const known = new Set(['$schema', '$ref', 'title', 'definitions', 'oneOf',
	'type', 'required', 'properties', 'enum', 'pattern', 'minLength',
	'minimum', 'maximum']);

function typeOf(v) {
	if (Array.isArray(v))
		return 'array';
	if (Number.isInteger(v))
		return 'integer';
	return v === null ? 'null' : typeof v;
}

// What is wrong with v, or null.
function check(s, v, at) {
	for (const k of Object.keys(s))
		if (!known.has(k))
			throw new Error(`the checker does not know "${k}"`);
	if (s.$ref) {
		const path = s.$ref.slice(2).split('/');
		return check(path.reduce((o, k) => o[k], schema), v, at);
	}
	if (s.oneOf) {
		const wrong = s.oneOf.map((o) => check(o, v, at));
		const right = wrong.filter((w) => w === null).length;
		return right === 1 ? null :
			`${right} of ${wrong.length} fit (${wrong.join('; ')})`;
	}
	if (s.type && typeOf(v) !== s.type)
		return `${at}: ${typeOf(v)}, not ${s.type}`;
	if (s.enum && !s.enum.includes(v))
		return `${at}: ${JSON.stringify(v)} is none of them`;
	if (s.pattern && !new RegExp(s.pattern, 'u').test(v))
		return `${at}: ${JSON.stringify(v)} does not match`;
	if (s.minLength > v.length || s.minimum > v || s.maximum < v)
		return `${at}: ${JSON.stringify(v)} is out of bounds`;
	for (const k of s.required || [])
		if (!Object.hasOwn(v, k))
			return `${at}: no ${k}`;
	for (const k of s.properties ? Object.keys(v) : []) {
		if (!Object.hasOwn(s.properties, k))
			return `${at}: ${k} is not documented`;
		const wrong = check(s.properties[k], v[k], `${at}.${k}`);
		if (wrong !== null)
			return wrong;
	}
	return null;
}

let bad = 0;
for (const line of fs.readFileSync(0, 'utf8').split('\n')) {
	if (line === '')
		continue;
	const wrong = check(schema, JSON.parse(line), '');
	if (wrong !== null) {
		console.log(`${line}: ${wrong}`);
		bad++;
	}
}
process.exit(bad ? 1 : 0);
