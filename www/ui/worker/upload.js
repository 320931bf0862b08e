// upload.js - sends files in the background: reads a piece, hashes it, sends it, goes on where the server says.
//
// Asked with {act: 'send', key, file, upload?} and {act: 'stop', key}. Tells {key, state, sent, total, upload, sha256, problem}.
// What was sent of an upload that is known is not sent again; it is only hashed, since the hash is of the whole file.

/* ---- SHA-256 by pieces (FIPS 180-4); the browser's own cannot be fed by pieces */

const K = new Uint32Array(64);
const FIRST = new Uint32Array(8);
(() => {
	/** @param {number} x the first 32 bits of what stands behind the point */
	const bits = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32);
	let n = 0;
	for (let candidate = 2; n < 64; candidate++) {
		let prime = true;
		for (let i = 2; i * i <= candidate; i++)
			prime &&= candidate % i !== 0;
		if (!prime)
			continue;
		if (n < 8)
			FIRST[n] = bits(Math.sqrt(candidate));
		K[n++] = bits(Math.cbrt(candidate));
	}
})();

export class Sha256 {
	constructor() {
		this.state = FIRST.slice();
		this.rest = new Uint8Array(64);
		this.kept = 0;
		this.length = 0;
		this.w = new Uint32Array(64);
	}

	/** @param {Uint8Array} bytes */
	update(bytes) {
		this.length += bytes.length;
		let at = 0;
		if (this.kept) {
			const n = Math.min(64 - this.kept, bytes.length);
			this.rest.set(bytes.subarray(0, n), this.kept);
			this.kept += n;
			at = n;
			if (this.kept < 64)
				return;
			this.block(this.rest, 0);
			this.kept = 0;
		}
		for (; at + 64 <= bytes.length; at += 64)
			this.block(bytes, at);
		this.rest.set(bytes.subarray(at), 0);
		this.kept = bytes.length - at;
	}

	/** @param {Uint8Array} p @param {number} at */
	block(p, at) {
		const w = this.w, s = this.state;
		for (let i = 0; i < 16; i++, at += 4)
			w[i] = (p[at] << 24) | (p[at + 1] << 16) | (p[at + 2] << 8) | p[at + 3];
		for (let i = 16; i < 64; i++) {
			const x = w[i - 15], y = w[i - 2];
			w[i] = (w[i - 16] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + w[i - 7] + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)) | 0;
		}
		let a = s[0] | 0, b = s[1] | 0, c = s[2] | 0, d = s[3] | 0, e = s[4] | 0, f = s[5] | 0, g = s[6] | 0, h = s[7] | 0;
		for (let i = 0; i < 64; i++) {
			const t = (h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
			const u = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
			h = g;
			g = f;
			f = e;
			e = (d + t) | 0;
			d = c;
			c = b;
			b = a;
			a = (t + u) | 0;
		}
		s[0] += a;
		s[1] += b;
		s[2] += c;
		s[3] += d;
		s[4] += e;
		s[5] += f;
		s[6] += g;
		s[7] += h;
	}

	hex() {
		const bits = this.length * 8;
		const end = new Uint8Array(this.kept < 56 ? 64 - this.kept : 128 - this.kept);
		end[0] = 0x80;
		const view = new DataView(end.buffer);
		view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
		view.setUint32(end.length - 4, bits >>> 0);
		this.update(end);
		return [...this.state].map((one) => one.toString(16).padStart(8, '0')).join('');
	}
}

/* ---- sending */

const ROOT = '/api/v1/uploads';
const TRIES = 8;
/** @type {Map<string, AbortController>} */
const running = new Map();
/** @type {(() => void)[]} */
const queue = [];
let busy = 0;

/** @param {any} message */
const tell = (message) => /** @type {any} */ (globalThis).postMessage(message);
/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

class Refused extends Error {
	/** @param {number} status @param {any} body */
	constructor(status, body) {
		super(body?.detail || body?.title || String(status));
		this.status = status;
		this.code = body?.code ?? '';
		/** Where the server wants to go on. @type {number | undefined} */
		this.offset = body?.offset;
	}
}

/**
 * A request that is tried again while the server is away or asks to wait.
 * @param {string} method @param {string} path @param {RequestInit} init @param {AbortSignal} signal @param {string} language
 */
async function ask(method, path, init, signal, language) {
	for (let turn = 0; ; turn++) {
		let answer;
		try {
			answer = await fetch(ROOT + path, { ...init, method, signal, credentials: 'same-origin', headers: { 'Accept-Language': language, ...init.headers } });
		} catch (error) {
			if (signal.aborted || turn >= TRIES)
				throw error;
		}
		if (answer?.ok)
			return answer;
		if (answer && answer.status !== 503 && answer.status !== 429 && answer.status < 502)
			throw new Refused(answer.status, await answer.json().catch(() => undefined));
		if (answer && turn >= TRIES)
			throw new Refused(answer.status, await answer.json().catch(() => undefined));
		await pause(Number(answer?.headers.get('Retry-After') ?? 0) * 1000 || Math.min(500 * 2 ** turn, 15000));
		if (signal.aborted)
			throw new DOMException('stopped', 'AbortError');
	}
}

/** @param {{ key: string, file: File, upload?: string, language: string }} job */
async function send({ key, file, upload, language }) {
	const control = new AbortController();
	const { signal } = control;
	running.set(key, control);
	try {
		let chunk = 4 << 20, offset = 0;
		if (upload) {
			try {
				const known = await (await ask('GET', `/${upload}`, {}, signal, language)).json();
				offset = known.offset;
				chunk = known.chunk_bytes;
				if (known.size !== file.size)
					upload = undefined;
				else if (known.finished)
					return tell({ key, state: 'done', sent: file.size, total: file.size, upload, sha256: known.sha256 });
			} catch (error) {
				if (!(error instanceof Refused))
					throw error;
				upload = undefined;
			}
		}
		if (!upload) {
			const begun = await (await ask('POST', '', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: file.name, size: file.size, ...(file.type ? { media: file.type } : {}) }) }, signal, language)).json();
			upload = begun.upload;
			chunk = begun.chunk_bytes ?? chunk;
			offset = begun.offset ?? 0;
			tell({ key, state: 'sending', sent: 0, total: file.size, upload });
		}
		const hash = new Sha256();
		for (let at = 0; at < file.size; at += chunk) {
			const bytes = new Uint8Array(await file.slice(at, at + chunk).arrayBuffer());
			hash.update(bytes);
			const end = at + bytes.length;
			if (offset < end) {
				const from = Math.max(at, offset);
				const answer = await patch(upload ?? '', from, bytes.subarray(from - at), signal, language);
				offset = answer ?? end;
			}
			tell({ key, state: 'sending', sent: end, total: file.size, upload });
			if (signal.aborted)
				throw new DOMException('stopped', 'AbortError');
		}
		const sha256 = hash.hex();
		tell({ key, state: 'checking', sent: file.size, total: file.size, upload });
		await ask('POST', `/${upload}/finish`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ sha256 }) }, signal, language);
		tell({ key, state: 'done', sent: file.size, total: file.size, upload, sha256 });
	} catch (error) {
		if (!signal.aborted)
			tell({ key, state: 'failed', upload, problem: /** @type {Error} */ (error).message, code: /** @type {any} */ (error).code, status: /** @type {any} */ (error).status ?? 0 });
	} finally {
		running.delete(key);
		busy--;
		next();
	}
}

/** One piece. When the server has another offset than we think, that one counts. @param {string} upload @param {number} from @param {Uint8Array} bytes @param {AbortSignal} signal @param {string} language */
async function patch(upload, from, bytes, signal, language) {
	const total = from + bytes.length;
	for (let turn = 0; ; turn++) {
		try {
			const answer = await ask('PATCH', `/${upload}`, { headers: { 'Content-Type': 'application/octet-stream', 'Upload-Offset': String(from) }, body: /** @type {BodyInit} */ (bytes) }, signal, language);
			return Number(answer.headers.get('Upload-Offset') ?? total);
		} catch (error) {
			const now = error instanceof Refused ? error.offset : undefined;
			if (now === undefined || now < from || turn > 3)
				throw error;
			if (now >= total)
				return now;
			bytes = bytes.subarray(now - from);
			from = now;
		}
	}
}

function next() {
	while (busy < 2 && queue.length) {
		busy++;
		queue.shift()?.();
	}
}

if (typeof document === 'undefined' && typeof addEventListener === 'function')
	addEventListener('message', (/** @type {any} */ event) => {
		const job = event.data;
		if (job.act === 'stop') {
			running.get(job.key)?.abort();
		} else if (job.act === 'send') {
			queue.push(() => send(job));
			next();
		}
	});
