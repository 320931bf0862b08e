// static.mjs ROOT - what can be said of the browser's part without a browser: types, languages, what is served.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ui = join(process.argv[2], 'www/ui');
let failed = 0, n = 0;
/** @param {string} name @param {string[]} wrong */
function check(name, wrong) {
	n++;
	failed += wrong.length ? 1 : 0;
	console.log(`${wrong.length ? 'not ok' : 'ok'} ${n} - ${name}`);
	for (const one of wrong)
		console.log(`# ${one}`);
}
if (!existsSync(join(ui, 'node_modules'))) {
	console.log('1..0 # SKIP no www/ui/node_modules: run scripts/install');
	process.exit(0);
}

const sources = ['app.js', ...['lib', 'pages', 'worker', 'docs'].flatMap((folder) => readdirSync(join(ui, folder)).map((name) => `${folder}/${name}`))];
/** @type {Record<string, string>} */
const text = Object.fromEntries(sources.map((name) => [name, readFileSync(join(ui, name), 'utf8')]));

let types = '';
try {
	execFileSync(process.execPath, [join(ui, 'node_modules/typescript/bin/tsc'), '-p', ui]);
} catch (error) {
	types = String(error.stdout);
}
check('tsc finds no mistake', types.split('\n').filter(Boolean));

const zh = JSON.parse(readFileSync(join(ui, 'lang/zh-CN.json'), 'utf8')), en = JSON.parse(readFileSync(join(ui, 'lang/en.json'), 'utf8'));
check('both languages have the same sentences', [...Object.keys(zh).filter((key) => !(key in en)), ...Object.keys(en).filter((key) => !(key in zh))]);
/** @param {string} sentence */
const holes = (sentence) => [...new Set([...sentence.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].sort().join();
check('both have the same holes', Object.keys(zh).filter((key) => key in en && holes(zh[key]) !== holes(en[key])));
const used = sources.flatMap((name) => [...text[name].matchAll(/(?<![\w.])(?:t|word)\('([^']+)'/g)].map((found) => found[1]));
check('every sentence that is used is there', [...new Set(used)].filter((key) => !(key in zh)));
const prefixes = sources.flatMap((name) => [...text[name].matchAll(/(?<![\w.])(?:t|word)\(`([^`$]+)\$/g)].map((found) => found[1]));
const named = new Set(sources.flatMap((name) => [...text[name].matchAll(/'([a-z]+(?:\.[\w-]+)+)'/g)].map((found) => found[1])));
check('every sentence that is there is used', Object.keys(zh).filter((key) => !used.includes(key) && !named.has(key) && !prefixes.some((prefix) => key.startsWith(prefix))));

const served = readFileSync(join(ui, 'manifest'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' '));
/** @param {string} path of an address */
const isServed = (path) => served.some(([kind, pattern]) => new RegExp(`^/${kind}/${pattern.replace(/[.+]/g, '\\$&').replace('*', '[^/]*')}$`).test(path));
check('the manifest names files that are there', served.filter(([kind, pattern]) => {
	const folder = join(ui, kind === 'vendor' ? 'node_modules' : '.', pattern.includes('*') ? pattern.replace(/[^/]*$/, '') : pattern);
	return !existsSync(folder);
}).map((line) => line.join(' ')));
const asked = [...['index.html', 'docs.html'].flatMap((name) => [...readFileSync(join(ui, name), 'utf8').matchAll(/"(\/(?:ui|vendor)\/[^"]+)"/g)]), ...sources.flatMap((name) => [...text[name].matchAll(/'(\/(?:ui|vendor)\/[^']+\.\w+)'/g)])].map((found) => found[1]);
check('what is asked for is served', [...new Set(asked)].filter((path) => !isServed(path)));

check('no HTML from text, no style attributes', sources.filter((name) => /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\sstyle=|\beval\(|new Function/.test(text[name])));
check('no registry host in the lock file', readFileSync(join(ui, 'package-lock.json'), 'utf8').includes('"resolved"') ? ['package-lock.json'] : []);
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
