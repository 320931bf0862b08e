// view.js - what every page is made of: templates, state, the address bar, the reader's language. One file, since each
// costs the first page a request.
//
// The address is the state: filters, columns, pages of a list stand in the URL, so that a link, a reload and the
// browser's own "back" mean what they say. `place` is a signal of it; navigate() is the only way to change it.

import { h, render, Fragment } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, useId } from 'preact/hooks';
import { signal, computed, effect, batch } from '@preact/signals';
import htm from 'htm';

export { h, render, Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, useId };
export { signal, computed, effect, batch };

/** @typedef {import('preact').ComponentChildren} Children */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));

/** @typedef {{ path: string, query: URLSearchParams, hash: string }} Place */

/** @returns {Place} */
function here() {
	return { path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash };
}

/** Where the reader is. */
export const place = signal(here());

/** Asked before the page is left; a string stops, and is shown. @type {Set<() => string | undefined>} */
const guards = new Set();

/**
 * @param {string} url
 * @param {{ replace?: boolean, state?: any, keep?: boolean }} [options] keep: neither scroll nor move the focus
 */
export function navigate(url, options = {}) {
	const target = new URL(url, location.href);
	if (target.pathname !== location.pathname && !mayLeave())
		return;
	const state = { ...(options.state ?? {}), keep: options.keep ?? false };
	if (options.replace)
		history.replaceState(state, '', target);
	else
		history.pushState(state, '', target);
	place.value = here();
}

function mayLeave() {
	for (const guard of guards) {
		const text = guard();
		if (text && !confirm(text))
			return false;
	}
	return true;
}

/** Ask before this page is left. @param {() => string | undefined} guard */
export function useGuard(guard) {
	const latest = useRef(guard);
	latest.current = guard;
	useEffect(() => {
		const asked = () => latest.current();
		/** @param {BeforeUnloadEvent} event */
		const closing = (event) => {
			if (asked())
				event.preventDefault();
		};
		guards.add(asked);
		addEventListener('beforeunload', closing);
		return () => {
			guards.delete(asked);
			removeEventListener('beforeunload', closing);
		};
	}, []);
}

addEventListener('popstate', () => {
	place.value = here();
});

document.addEventListener('click', (event) => {
	if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
		return;
	const link = event.target instanceof Element ? event.target.closest('a') : null;
	if (!link || !link.href || link.target || link.hasAttribute('download') || link.origin !== location.origin)
		return;
	if (link.pathname.startsWith('/api/') || link.pathname.startsWith('/vendor/') || link.pathname.startsWith('/ui/'))
		return;
	if (link.hash && link.pathname === location.pathname && link.search === location.search)
		return;
	event.preventDefault();
	navigate(link.href);
});

/**
 * A path with some members of the query changed; '' and undefined take one away.
 * @param {string} path
 * @param {URLSearchParams | Record<string, any>} query
 * @param {Record<string, string | string[] | number | boolean | undefined>} [changes]
 */
export function url(path, query, changes = {}) {
	const all = new URLSearchParams(query instanceof URLSearchParams ? query : undefined);
	if (!(query instanceof URLSearchParams))
		changes = { ...query, ...changes };
	for (const [name, value] of Object.entries(changes)) {
		all.delete(name);
		for (const one of Array.isArray(value) ? value : [value])
			if (one !== undefined && one !== '' && one !== false)
				all.append(name, String(one));
	}
	const text = all.toString();
	return text ? `${path}?${text}` : path;
}

/**
 * @template T
 * @typedef {{ state: 'loading' | 'done' | 'failed', data: T | undefined, error: any, reload: () => void, again: boolean }} Load
 */

/**
 * Fetch something, anew whenever `keys` change. What was there stays while the new comes (`again` is then true).
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} get
 * @param {any[]} keys
 * @returns {Load<T>}
 */
export function useLoad(get, keys) {
	const [turn, setTurn] = useState(0);
	const [now, setNow] = useState(/** @type {any} */ ({ state: 'loading', data: undefined, error: undefined }));
	useEffect(() => {
		const stop = new AbortController();
		setNow((/** @type {any} */ old) => ({ ...old, again: true, state: old.data === undefined ? 'loading' : old.state }));
		get(stop.signal).then(
			(data) => !stop.signal.aborted && setNow({ state: 'done', data, error: undefined, again: false }),
			(error) => !stop.signal.aborted && setNow({ state: 'failed', data: undefined, error, again: false })
		);
		return () => stop.abort();
	}, [...keys, turn]);
	return { ...now, reload: () => setTurn((n) => n + 1) };
}

/** @param {Event} event whether the event belongs to a field or to an input method */
export function isTyping(event) {
	if (event instanceof KeyboardEvent && (event.isComposing || event.keyCode === 229))
		return true;
	const target = event.target;
	return (
		target instanceof HTMLElement &&
		(target.isContentEditable || target.matches('textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button])'))
	);
}

/**
 * Keys of a page that do not disturb typing.
 * @param {Record<string, (event: KeyboardEvent) => void>} keys by KeyboardEvent.key
 */
export function useKeys(keys) {
	const latest = useRef(keys);
	latest.current = keys;
	useEffect(() => {
		/** @param {KeyboardEvent} event */
		const pressed = (event) => {
			if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || document.querySelector('dialog[open]'))
				return;
			const act = latest.current[event.key];
			if (act) {
				event.preventDefault();
				act(event);
			}
		};
		addEventListener('keydown', pressed);
		return () => removeEventListener('keydown', pressed);
	}, []);
}

/** j and k move between the links that carry `data-row`; Enter follows one, as links do. */
export function useRows() {
	/** @param {number} by */
	const move = (by) => {
		const rows = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-row]'))];
		const at = rows.findIndex((row) => row === document.activeElement || row.closest('tr, li')?.contains(document.activeElement));
		const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
		next?.focus();
		next?.closest('tr, li')?.scrollIntoView({ block: 'nearest' });
	};
	useKeys({ j: () => move(1), k: () => move(-1) });
}

/** What this browser remembers of its reader's taste. @template T @param {string} name @param {T} otherwise @returns {T} */
export function recall(name, otherwise) {
	try {
		return JSON.parse(localStorage.getItem(`muniment.${name}`) ?? 'null') ?? otherwise;
	} catch {
		return otherwise;
	}
}

/** @param {string} name @param {any} value */
export function remember(name, value) {
	try {
		localStorage.setItem(`muniment.${name}`, JSON.stringify(value));
	} catch {
		// A browser that keeps nothing forgets the taste, not the work.
	}
}

/* ---- the reader's language: sentences, numbers, sizes, times */

// One flat catalogue a language, www/ui/lang/*.json. `{name}` is filled in; 'one|many' chooses by {n}.

/** 'zh-CN' or 'en'. */
export const language = signal('zh-CN');

/** @type {Record<string, string>} */
let sentences = {};

/** @param {string} wanted */
export async function speak(wanted) {
	const name = wanted.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
	const answer = await fetch(new URL(`../lang/${name}.json`, import.meta.url));
	sentences = await answer.json();
	document.documentElement.lang = name;
	language.value = name;
	try {
		localStorage.setItem('muniment.language', name);
	} catch {
		// Not remembered.
	}
}

/** What the reader chose before, or what the browser asks for. */
export function preferred() {
	try {
		const kept = localStorage.getItem('muniment.language');
		if (kept)
			return kept;
	} catch {
		// Then the browser's.
	}
	return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
}

/**
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @returns {string}
 */
export function t(key, values) {
	void language.value;
	let text = sentences[key];
	if (text === undefined)
		return key;
	if (values && 'n' in values && text.includes('|')) {
		const [one, many] = text.split('|');
		text = Number(values.n) === 1 ? one : many;
	}
	return values ? text.replace(/\{(\w+)\}/g, (whole, name) => {
		const value = values[name];
		return value === undefined ? whole : typeof value === 'number' ? number(value) : String(value);
	}) : text;
}

/** Whether the catalogue has it; for words that come from the server. @param {string} key @param {string} otherwise */
export function word(key, otherwise) {
	void language.value;
	return sentences[key] ?? otherwise;
}

/** @param {number} n */
export function number(n) {
	return new Intl.NumberFormat(language.value).format(n);
}

/** @param {number} bytes */
export function size(bytes) {
	const units = ['B', 'KB', 'MB', 'GB', 'TB'];
	let n = bytes, unit = 0;
	while (n >= 1024 && unit < units.length - 1) {
		n /= 1024;
		unit++;
	}
	return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

const clock = new Intl.DateTimeFormat('en-CA', {
	timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit',
	hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});

/** An instant as people write it, in Chinese time: 2026-11-21 17:02. @param {string | undefined} instant @param {boolean} [seconds] */
export function moment(instant, seconds = false) {
	if (!instant)
		return '';
	const date = new Date(instant);
	if (Number.isNaN(date.getTime()))
		return instant;
	const part = Object.fromEntries(clock.formatToParts(date).map((one) => [one.type, one.value]));
	const text = `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
	return seconds ? `${text}:${part.second}` : text;
}

/** Today in Chinese time: 2026-11-21. */
export function today() {
	return moment(new Date().toISOString()).slice(0, 10);
}

/** A while: 12 s, 3 min, 2 h. @param {number} seconds */
export function period(seconds) {
	if (seconds < 90)
		return t('time.seconds', { n: Math.max(0, Math.round(seconds)) });
	if (seconds < 5400)
		return t('time.minutes', { n: Math.round(seconds / 60) });
	return t('time.hours', { n: Math.round(seconds / 3600) });
}

/** A name in the reader's language: a text, or {zh, en}. @param {any} label */
export function label(label) {
	if (label === null || label === undefined)
		return '';
	if (typeof label === 'string')
		return label;
	return (language.value === 'en' ? label.en : label.zh) ?? label.zh ?? label.en ?? '';
}
