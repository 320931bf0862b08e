// api.js - the server: requests, what it refuses and why, who is logged in, what happens meanwhile.

import { signal, language, t } from './view.js';

const ROOT = '/api/v1';

/** A refusal (application/problem+json). `status` 0: the server was not reached. */
export class Problem extends Error {
	/** @param {number} status @param {any} body @param {Headers} [headers] */
	constructor(status, body, headers) {
		super(body?.detail || body?.title || (status ? t('error.status', { status: String(status) }) : t('error.unreachable')));
		this.status = status;
		this.code = body?.code ?? (status === 0 ? 'unreachable' : String(status));
		this.title = body?.title ?? '';
		this.detail = body?.detail ?? '';
		/** @type {string | undefined} */
		this.field = body?.field;
		/** @type {string | undefined} */
		this.rule = body?.rule;
		this.body = body ?? {};
		this.wait = Number(headers?.get('Retry-After') ?? 0);
	}
}

/** undefined: not known yet; null: nobody. @type {import('@preact/signals').Signal<import('../types').Session | null | undefined>} */
export const session = signal(undefined);
/** GET /status as of late. */
export const status = signal(/** @type {import('../types').Status | undefined} */ (undefined));
/** Whether the server answered last time. */
export const reached = signal(true);

/**
 * @typedef {{ query?: Record<string, any> | URLSearchParams, body?: any, headers?: Record<string, string>, signal?: AbortSignal }} Options
 * @typedef {{ data: any, status: number, headers: Headers }} Answer
 */

/** @param {string} path @param {Options['query']} [query] */
export function address(path, query) {
	const params = query instanceof URLSearchParams ? new URLSearchParams(query) : new URLSearchParams();
	if (query && !(query instanceof URLSearchParams))
		for (const [name, value] of Object.entries(query))
			for (const one of Array.isArray(value) ? value : [value])
				if (one !== undefined && one !== null && one !== '')
					params.append(name, String(one));
	const text = params.toString();
	return ROOT + path + (text ? `?${text}` : '');
}

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, options = {}) {
	/** @type {Record<string, string>} */
	const headers = { Accept: 'application/json', 'Accept-Language': language.value, ...options.headers };
	/** @type {BodyInit | undefined} */
	let body;
	if (options.body instanceof Blob || options.body instanceof ArrayBuffer) {
		headers['Content-Type'] = 'application/octet-stream';
		body = options.body;
	} else if (options.body !== undefined) {
		headers['Content-Type'] = 'application/json';
		body = JSON.stringify(options.body);
	}
	let answer;
	try {
		answer = await fetch(address(path, options.query), { method, headers, body, signal: options.signal, credentials: 'same-origin' });
	} catch (error) {
		if (options.signal?.aborted)
			throw error;
		reached.value = false;
		throw new Problem(0, undefined);
	}
	reached.value = true;
	const kind = answer.headers.get('Content-Type') ?? '';
	const data = kind.includes('json') ? await answer.json().catch(() => undefined) : await answer.text();
	if (answer.ok)
		return { data, status: answer.status, headers: answer.headers };
	const problem = new Problem(answer.status, typeof data === 'object' ? data : { detail: data }, answer.headers);
	if (answer.status === 401 && path !== '/session' && path !== '/session/enrol' && path !== '/session/password')
		session.value = null;
	if (problem.code === 'sealed' && status.value && !status.value.sealed)
		status.value = { ...status.value, sealed: true };
	throw problem;
}

/** @param {string} path @param {Options['query']} [query] @param {AbortSignal} [signal] */
export const get = async (path, query, signal) => (await call('GET', path, { query, signal })).data;
/** @param {string} path @param {any} body @param {Record<string, string>} [headers] */
export const post = async (path, body, headers) => (await call('POST', path, { body, headers })).data;
/** @param {string} path @param {any} body @param {Record<string, string>} [headers] */
export const patch = async (path, body, headers) => (await call('PATCH', path, { body, headers })).data;
/** @param {string} path @param {any} body */
export const put = async (path, body) => (await call('PUT', path, { body })).data;
/** @param {string} path */
export const remove = async (path) => (await call('DELETE', path)).data;

/** Ask how the archive is, and who we are. */
export async function look() {
	const asked = [
		get('/status').then((now) => {
			status.value = now;
		}),
		get('/session').then(
			(now) => {
				session.value = now;
			},
			() => {
				session.value = null;
			}
		),
	];
	await Promise.allSettled(asked);
	if (session.value === undefined)
		session.value = null;
}

/** All series, asked once a session. @type {Promise<import('../types').SeriesRow[]> | undefined} */
let kept;
export function allSeries(anew = false) {
	if (!kept || anew)
		kept = get('/series').then(
			(answer) => answer.series,
			(error) => {
				kept = undefined;
				throw error;
			}
		);
	return kept;
}
export function forget() {
	kept = undefined;
}

/**
 * Listen to what happens (server-sent events): fn(name, data). Returns how to stop. One stream for all who listen.
 * @param {(name: string, data: any) => void} fn
 */
export function listen(fn) {
	listeners.add(fn);
	if (!stream) {
		stream = new EventSource(`${ROOT}/events`);
		for (const name of ['job', 'record', 'status', 'message'])
			stream.addEventListener(name, (event) => {
				let data;
				try {
					data = JSON.parse(event.data);
				} catch {
					return;
				}
				for (const one of listeners)
					one(name, data);
			});
	}
	return () => {
		listeners.delete(fn);
		if (listeners.size === 0) {
			stream?.close();
			stream = undefined;
		}
	};
}
/** @type {Set<(name: string, data: any) => void>} */
const listeners = new Set();
/** @type {EventSource | undefined} */
let stream;

/** A name nobody else has. */
export function fresh() {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Counts up when the list of saved views changed. */
export const viewsTurn = signal(0);
