// world.mjs - an archive for demonstration with a server of its own and a browser before it, for the stories and the
// pictures. Nothing is invented between them: HTTPS, the real log-in, the real files.

import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CUSTODIANS = ['demonstration only, first custodian', 'demonstration only, second custodian'];
export const OPERATOR = '顾知微';

/** The six digits of an authenticator app (RFC 6238), `step` periods from now. @param {string} secret @param {number} [step] */
export function totp(secret, step = 0) {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	let bits = '';
	for (const one of secret.replace(/[\s=]/g, '').toUpperCase())
		bits += alphabet.indexOf(one).toString(2).padStart(5, '0');
	const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + step));
	const mac = createHmac('sha1', key).update(counter).digest();
	const at = mac[19] & 15;
	return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

export class World {
	/** @param {string} root of the source @param {string} program muniment */
	constructor(root, program) {
		this.root = root;
		this.program = program;
		this.folder = mkdtempSync(join(tmpdir(), 'muniment-browser-'));
		this.archive = join(this.folder, 'archive');
		this.env = { ...process.env, MUNIMENT_ARCHIVE: this.archive, MUNIMENT_ACCOUNT: OPERATOR, MUNIMENT_LANG: 'zh', LC_ALL: 'C.UTF-8' };
		/** @type {import('node:child_process').ChildProcess | undefined} */
		this.server = undefined;
		this.address = '';
	}

	/** @param {string[]} args */
	async cli(...args) {
		return (await run(this.program, args, { env: this.env, cwd: this.root, maxBuffer: 64 << 20 })).stdout;
	}

	async init() {
		await this.cli('init', '--demonstration', '--operator', OPERATOR);
	}

	/** @param {boolean} [unsealed] */
	async start(unsealed = false, port = 0) {
		const args = ['serve', '--listen', `127.0.0.1:${port}`, ...(unsealed ? ['--unseal-demonstration'] : [])];
		const server = spawn(this.program, args, { env: { ...this.env, MUNIMENT_LANG: 'en' }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.server = server;
		this.said = '';
		await new Promise((done, fail) => {
			/** @param {Buffer} data */
			const heard = (data) => {
				this.said += data;
				const found = /https:\/\/[^\s/]+:(\d+)/.exec(this.said);
				if (found && existsSync(join(this.archive, 'socket'))) {
					this.address = found[0];
					this.port = Number(found[1]);
					done(undefined);
				}
			};
			server.stdout.on('data', heard);
			server.stderr.on('data', heard);
			server.on('exit', (code) => fail(new Error(`the server ended with ${code}: ${this.said}`)));
			setTimeout(() => fail(new Error(`the server did not come up: ${this.said}`)), 30000).unref();
		});
	}

	async stop() {
		const server = this.server;
		this.server = undefined;
		if (!server || server.exitCode !== null)
			return;
		await new Promise((done) => {
			server.removeAllListeners('exit');
			server.on('exit', done);
			server.kill('SIGTERM');
		});
	}

	async end() {
		await this.stop();
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** A verb over the local socket, as the owner of the archive. @param {string} verb @param {any} args */
	verb(verb, args) {
		return new Promise((done, fail) => {
			const socket = connect(join(this.archive, 'socket'));
			const body = Buffer.from(JSON.stringify({ verb, lang: 'zh', args }));
			const head = Buffer.alloc(12);
			head.write('MUN1');
			head.writeUInt32BE(body.length, 4);
			socket.on('error', fail);
			socket.on('connect', () => socket.write(Buffer.concat([head, body])));
			let got = Buffer.alloc(0);
			socket.on('data', (data) => {
				got = Buffer.concat([got, data]);
				while (got.length >= 12 && got.length >= 12 + got.readUInt32BE(4)) {
					const answer = JSON.parse(got.subarray(12, 12 + got.readUInt32BE(4)).toString());
					got = got.subarray(12 + got.readUInt32BE(4));
					if (answer.progress)
						continue;
					socket.end();
					if (answer.error)
						fail(new Error(`${verb}: ${answer.error.text}`));
					else
						done(answer.reply);
				}
			});
		});
	}

	/** Somebody who can log in; the password that was drawn. @param {string} name @param {string[]} roles */
	async person(name, roles) {
		if (name !== OPERATOR)
			await this.cli('account', 'add', name);
		await this.verb('account.role', { account: name, roles });
		const { password } = await this.verb('account.password', { account: name, keep: true });
		return { name, password, secret: '' };
	}

	/** The samples that come along, filed as scripts/demo files them. */
	async samples() {
		const folder = join(this.folder, 'samples');
		await run(join(this.root, 'scripts/make-samples'), [folder], { env: this.env });
		for (const line of readFileSync(join(this.root, 'scripts/samples/records.txt'), 'utf8').split('\n')) {
			if (!line || line.startsWith('#'))
				continue;
			const [series, department, number, title, fields, parts] = line.split('|');
			await this.cli('file', '--series', series, '--department', department, '--title', title, ...(number ? ['--number', number] : []),
				'--fields', join(this.root, 'scripts/samples/records', fields), ...(parts ? parts.split(';').map((name) => join(folder, name)) : []));
		}
		return folder;
	}

	/** Chromium, and what goes wrong in it. */
	async browser() {
		const { chromium } = await import(join(this.root, 'www/ui/node_modules/playwright-core/index.mjs'));
		this.chrome = await chromium.launch({
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
		});
		return this.chrome;
	}

	/** A browser of its own for one person. @param {{ width?: number, height?: number, language?: string, allow?: number[] }} [options] */
	async window({ width = 1366, height = 768, language = 'zh-CN' } = {}) {
		const context = await this.chrome.newContext({ ignoreHTTPSErrors: true, viewport: { width, height }, locale: language, acceptDownloads: true });
		const page = await context.newPage();
		/** @type {string[]} */
		const wrong = [];
		page.on('pageerror', (/** @type {Error} */ error) => wrong.push(`exception: ${error.message}`));
		page.on('console', (/** @type {any} */ message) => {
			if (message.text().startsWith('policy:'))
				wrong.push(message.text());
			else if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
				wrong.push(`console: ${message.text()}`);
		});
		await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.log(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
		return { context, page, wrong };
	}

	/** Log in; the second factor is set up the first time. @param {any} page @param {{ name: string, password: string, secret: string, step?: number }} who @param {string} [path] */
	async login(page, who, path = '/') {
		if (!page.url().startsWith(this.address))
			await page.goto(this.address + path);
		await page.getByLabel(/^姓名或账户号|^Name or account/).fill(who.name);
		await page.getByLabel(/^密码|^Password/).fill(who.password);
		await page.getByRole('button', { name: /下一步|Continue/ }).click();
		const code = page.getByLabel(/动态验证码|One-time code/);
		await code.waitFor();
		if (!who.secret) {
			who.secret = (await page.locator('.steps code').getAttribute('title')) ?? '';
			who.step = -1;
		}
		await code.fill(totp(who.secret, who.step ?? 0));
		who.step = (who.step ?? 0) + 1;
		await page.getByRole('button', { name: /^(登录|Log in)$/ }).click();
		const kept = page.getByRole('button', { name: /已保存，继续|I have kept them/ });
		await Promise.race([kept.waitFor(), page.locator('#search-all').waitFor()]);
		if (await kept.isVisible())
			await kept.click();
		await page.locator('#search-all').waitFor();
	}
}

/** What axe finds on the page as it stands. @param {World} world @param {any} page @returns {Promise<string[]>} */
export async function axe(world, page) {
	const source = readFileSync(join(world.root, 'www/ui/node_modules/axe-core/axe.min.js'), 'utf8');
	const session = await page.context().newCDPSession(page);
	await session.send('Runtime.evaluate', { expression: source });
	const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
		expression: 'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((found) => JSON.stringify(found.violations.map((one) => `${one.id}: ${one.nodes.length} × ${one.nodes.map((n) => n.html.slice(0, 110)).join(" | ")} (${one.nodes[0].failureSummary?.split("\\n")[1] ?? ""})`)))',
		awaitPromise: true, returnByValue: true,
	});
	await session.detach();
	return exceptionDetails ? [String(exceptionDetails.exception?.description ?? exceptionDetails.text)] : JSON.parse(result.value);
}

/** @param {string} path */
export function folder(path) {
	mkdirSync(path, { recursive: true });
	return path;
}
