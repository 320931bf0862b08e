// text.js - the reader's language: sentences, numbers, sizes, times.
//
// One flat catalogue a language, www/ui/lang/*.json. `{name}` is filled in; 'one|many' chooses by {n}.

import { signal } from './view.js';

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
