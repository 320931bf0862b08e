// widgets.js - the pieces every page is built of, and the four states a page can be in besides having something to show.

import { html, useEffect, useRef, useState, useId, navigate, url, t, word, moment, today } from './view.js';
import { session, status } from './api.js';

/** Drawings of 16 by 16, strokes only. @type {Record<string, string>} */
const DRAWN = {
	search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 14 14',
	home: 'M2.5 7.5 8 3l5.5 4.5M4 6.8V13h8V6.8M6.8 13V9.5h2.4V13',
	file: 'M4 1.8h5l3 3v9.4H4zM9 1.8v3h3',
	folder: 'M1.8 4V13h12.4V5.2H7.5L6.2 3.4H1.8z',
	plus: 'M8 3v10M3 8h10',
	x: 'M4 4l8 8M12 4l-8 8',
	check: 'M3 8.5 6.4 12 13 4.5',
	alert: 'M8 2 14.5 13.5h-13zM8 6.2v3.6M8 11.4v.6',
	info: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 7.2v4M8 4.6v.8',
	clock: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.4V8l2.4 1.6',
	lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
	unlock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 4.9-.7',
	shield: 'M8 1.8 13 3.6v4c0 3.2-2.1 5.4-5 6.6-2.9-1.2-5-3.4-5-6.6v-4zM5.6 8l1.8 1.8 3-3.4',
	user: 'M8 2.2a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M2.8 13.8c.5-2.8 2.5-4.2 5.2-4.2s4.7 1.4 5.2 4.2',
	globe: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M1.8 8h12.4M8 1.8c2 1.8 2.7 3.8 2.7 6.2S10 12.4 8 14.2C6 12.4 5.3 10.4 5.3 8S6 3.6 8 1.8',
	down: 'M4 6l4 4 4-4',
	right: 'M6 4l4 4-4 4',
	left: 'M10 4 6 8l4 4',
	up: 'M4 10l4-4 4 4',
	download: 'M8 2.2v7.6M4.6 6.6 8 10l3.4-3.4M2.5 13.5h11',
	upload: 'M8 10V2.4M4.6 5.6 8 2.2l3.4 3.4M2.5 13.5h11',
	print: 'M4.5 5.5V2h7v3.5M4.5 11.5H2v-6h12v6h-2.5M4.5 9.5h7V14h-7z',
	columns: 'M2 2.8h12v10.4H2zM6 2.8v10.4M10 2.8v10.4',
	rows: 'M2 3.5h12M2 6.5h12M2 9.5h12M2 12.5h12',
	refresh: 'M13.3 8A5.3 5.3 0 1 1 11.6 4.1M13.3 2v2.8h-2.8',
	link: 'M6.5 9.5l3-3M7.2 4.8l1.6-1.6a2.8 2.8 0 0 1 4 4l-1.6 1.6M8.8 11.2l-1.6 1.6a2.8 2.8 0 0 1-4-4l1.6-1.6',
	eye: 'M1.5 8C3 5.2 5.3 3.8 8 3.8S13 5.2 14.5 8C13 10.8 10.7 12.2 8 12.2S3 10.8 1.5 8M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6',
	trash: 'M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.7 9h6.6l.7-9',
	star: 'M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z',
	list: 'M5.5 4H14M5.5 8H14M5.5 12H14M2 4h1M2 8h1M2 12h1',
	gear: 'M8 5.7a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6M8 1.6v2M8 12.4v2M1.6 8h2M12.4 8h2M3.5 3.5l1.4 1.4M11.1 11.1l1.4 1.4M3.5 12.5l1.4-1.4M11.1 4.9l1.4-1.4',
	help: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M6 6.3a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M8 11.3v.5',
	history: 'M2.7 8A5.3 5.3 0 1 0 4.4 4.1M2.7 2v2.8h2.8M8 5v3l2 1.4',
	copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
	edit: 'M3 13l.6-2.8L10.5 3.3l2.2 2.2-6.9 6.9zM9.2 4.6l2.2 2.2',
	filter: 'M2 3h12L9.5 8.5V13l-3-1.5v-3z',
	jobs: 'M2.5 3h11v3h-11zM2.5 10h11v3h-11zM4.5 4.5h3M4.5 11.5h5',
	code: 'M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5',
	leave: 'M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3',
	zoomin: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 14 14M5 7h4M7 5v4',
	zoomout: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 14 14M5 7h4',
	pause: 'M5.5 3.5v9M10.5 3.5v9',
	wide: 'M2 3h12v10H2zM9.5 3v10',
	picture: 'M2 3h12v10H2zM2 11l3.5-3.5 3 3 2-2L14 12M10.5 5.3a1 1 0 1 0 0 2 1 1 0 0 0 0-2',
};

/** @param {{ name: string, label?: string }} props */
export function Icon({ name, label }) {
	return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden=${label ? undefined : 'true'} role=${label ? 'img' : undefined} aria-label=${label}>
		<path d=${DRAWN[name] ?? DRAWN.file} /></svg>`;
}

/** @param {any} props icon, kind: primary, danger, quiet; busy */
export function Button({ icon, kind = '', busy = false, children, class: more = '', type = 'button', ...rest }) {
	return html`<button type=${type} class="button ${kind} ${more}" aria-busy=${busy ? 'true' : undefined} disabled=${rest.disabled || busy} ...${rest}>
		${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

/** A button that is only a picture, with its name. @param {any} props */
export function Tool({ icon, label, children, class: more = '', ...rest }) {
	return html`<button type="button" class="tool ${more}" title=${label} aria-label=${label} ...${rest}><${Icon} name=${icon} />${children}</button>`;
}

/** A link that looks like a button. @param {any} props */
export function Go({ icon, kind = '', children, ...rest }) {
	return html`<a class="button ${kind}" ...${rest}>${icon && html`<${Icon} name=${icon} />`}${children}</a>`;
}

/** A state: colour, icon and word. @param {{ kind?: string, icon?: string, children?: any, title?: string }} props kind: good, warn, bad, calm */
export function Badge({ kind = 'calm', icon, children, title }) {
	return html`<span class="badge ${kind}" title=${title}>${icon && html`<${Icon} name=${icon} />`}${children}</span>`;
}

/** @param {{ signature?: string }} props */
export function Signature({ signature }) {
	if (!signature)
		return html`<span class="muted">${t('signature.none')}</span>`;
	const kind = signature === 'good' ? 'good' : signature === 'bad' ? 'bad' : 'warn';
	return html`<${Badge} kind=${kind} icon=${kind === 'good' ? 'check' : 'alert'}>${word(`signature.${signature}`, signature)}<//>`;
}

/** @param {{ kind?: string, title?: any, children?: any, role?: string }} props */
export function Notice({ kind = 'info', title, children, role }) {
	const icon = kind === 'good' ? 'check' : kind === 'info' ? 'info' : 'alert';
	return html`<div class="notice ${kind}" role=${role}><${Icon} name=${icon} /><div>${title && html`<strong>${title}</strong>`}${children}</div></div>`;
}

/** An instant, with the exact one to be seen by pointing. @param {{ at?: string, seconds?: boolean }} props */
export function Moment({ at, seconds }) {
	return at ? html`<time datetime=${at} title=${at}>${moment(at, seconds)}</time>` : '';
}

/** Text to be copied: hashes, numbers. @param {{ text: string, short?: number, label?: string }} props */
export function Copyable({ text, short, label }) {
	const [done, setDone] = useState(false);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			return;
		}
		setDone(true);
		setTimeout(() => setDone(false), 1500);
	};
	return html`<span class="copyable"><code title=${text}>${short ? `${text.slice(0, short)}…` : text}</code><button type="button" class="tool small screen"
		title=${t('copy')} aria-label=${`${t('copy')} ${label ?? text}`} onClick=${copy}><${Icon} name=${done ? 'check' : 'copy'} /></button></span>`;
}

/** @param {string | undefined} title of the page; undefined: leave it @param {boolean} [wrong] */
export function useTitle(title, wrong = false) {
	useEffect(() => {
		if (title === undefined)
			return;
		document.title = `${wrong ? t('error.prefix') : ''}${title ? `${title} · ` : ''}${t('product')}`;
		printEdge();
	}, [title, wrong]);
}

/** The head of a page. @param {{ title: any, plain?: string, wrong?: boolean, children?: any, note?: any, crumbs?: [string, string?][] }} props */
export function Head({ title, plain, wrong, children, note, crumbs }) {
	useTitle(plain ?? (typeof title === 'string' ? title : ''), wrong);
	return html`<header class="head">
		${crumbs && html`<nav class="crumbs" aria-label=${t('crumbs')}><ol>${crumbs.map(([text, to]) => html`<li>${to ? html`<a href=${to}>${text}</a>` : text}</li>`)}</ol></nav>`}
		<div class="head-line"><h1 tabindex="-1" id="title">${title}</h1><div class="actions screen">${children}</div></div>
		${note && html`<p class="head-note">${note}</p>`}
	</header>`;
}

/* ---- the four states */

/** Nothing is there, and what to do about it. @param {{ title: string, children?: any, icon?: string }} props */
export function Empty({ title, children, icon = 'folder' }) {
	return html`<div class="state"><${Icon} name=${icon} /><h2>${title}</h2><div class="state-text">${children}</div></div>`;
}

/** Shown only after a moment, so that what is quick does not flicker. */
export function Loading() {
	const [late, setLate] = useState(false);
	useEffect(() => {
		const timer = setTimeout(() => setLate(true), 300);
		return () => clearTimeout(timer);
	}, []);
	return html`<div class="state loading" role="status" aria-busy="true">${late && html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i><i></i></div><p>${t('loading')}</p>`}</div>`;
}

/** What went wrong, why, and what to do. @param {{ error: any, retry?: () => void, what?: string }} props */
export function Failed({ error, retry, what }) {
	useTitle(what, true);
	const code = error?.code ?? '';
	const Title = what === undefined ? 'h2' : 'h1';
	if (error?.status === 403 || code === 'denied')
		return html`<div class="state" role="alert"><${Icon} name="lock" /><${Title} id="title" tabindex="-1">${t('denied.title')}<//><div class="state-text"><p>${error.message}</p>
			${error.rule && html`<p class="muted">${t('error.rule', { rule: error.rule })}</p>`}<p>${t('denied.do', { role: word(`role.${session.value?.role}`, session.value?.role ?? '') })}</p></div></div>`;
	const title = error?.status === 404 ? t('notfound.title') : error?.status === 0 ? t('unreachable.title') : error?.title || t('error.title');
	const advice = error?.status === 404 ? t('notfound.do') : error?.status === 0 ? t('unreachable.do') : error?.status >= 500 ? t('error.do') : '';
	return html`<div class="state" role="alert"><${Icon} name="alert" /><${Title} id="title" tabindex="-1">${title}<//><div class="state-text">
		<p>${error?.message ?? String(error)}</p>${error?.rule && html`<p class="muted">${t('error.rule', { rule: error.rule })}</p>`}
		${advice && html`<p>${advice}</p>`}
		<p class="actions screen">${retry && html`<${Button} icon="refresh" onClick=${retry}>${t('again')}<//>`}<${Go} href="/" icon="home">${t('nav.home')}<//></p></div></div>`;
}

/** One of the states, or the matter. @param {{ load: import('./view.js').Load<any>, children: (data: any) => any, what?: string }} props */
export function Loaded({ load, children, what }) {
	if (load.state === 'loading')
		return html`<${Loading} />`;
	if (load.state === 'failed')
		return html`<${Failed} error=${load.error} retry=${load.reload} what=${what} />`;
	return children(load.data);
}

/* ---- forms */

/** @typedef {{ field: string, text: string, id?: string, rule?: string }} Wrong */

/** Everything that is wrong, on top, each with a link to its field. @param {{ wrong: Wrong[], title?: string }} props */
export function ErrorSummary({ wrong, title }) {
	const box = useRef(/** @type {HTMLElement | null} */ (null));
	useEffect(() => {
		if (wrong.length)
			box.current?.focus();
	}, [wrong]);
	if (!wrong.length)
		return null;
	return html`<div class="summary" role="alert" tabindex="-1" ref=${box} aria-labelledby="summary-title"><h2 id="summary-title">${title ?? t('wrong.title', { n: wrong.length })}</h2>
		<ul>${wrong.map((one) => html`<li>${one.id ? html`<a href=${`#${one.id}`} onClick=${(/** @type {Event} */ event) => {
			event.preventDefault();
			const field = document.getElementById(one.id ?? '');
			field?.focus();
			field?.scrollIntoView({ block: 'center' });
		}}>${one.text}</a>` : one.text}${one.rule && html` <span class="muted">${t('error.rule', { rule: one.rule })}</span>`}</li>`)}</ul></div>`;
}

/**
 * A labelled field: name, mark of what is required, hint, what is wrong.
 * @param {{ id: string, label: any, required?: boolean, hint?: any, wrong?: string, children: any, group?: boolean, wide?: boolean }} props
 */
export function Labelled({ id, label, required, hint, wrong, children, group, wide }) {
	const name = html`${label}${required && html`<span class="required" title=${t('required')}>*<span class="unseen">${t('required')}</span></span>`}`;
	return html`<div class="field ${wrong ? 'wrong' : ''} ${wide ? 'wide' : ''}" role=${group ? 'group' : undefined} aria-labelledby=${group ? `${id}-name` : undefined}
		aria-describedby=${group ? [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined : undefined}>
		${group ? html`<span class="name" id=${`${id}-name`}>${name}</span>` : html`<label class="name" for=${id}>${name}</label>`}
		<div class="value">${wrong && html`<p class="field-wrong" id=${`${id}-wrong`}><${Icon} name="alert" />${wrong}</p>`}
		${children}${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}</div></div>`;
}

/** @param {string} id @param {any} hint @param {any} wrong */
export const described = (id, hint, wrong) => [wrong && `${id}-wrong`, hint && `${id}-hint`].filter(Boolean).join(' ') || undefined;

/* ---- dates: typed as they are written, or picked */

/** Full-width digits and signs as ASCII. @param {string} text */
export const narrow = (text) => text.normalize('NFKC').trim();

/** 2026年11月2日, 2026/11/2, 20261102 → 2026-11-02. @param {string} text */
export function dateOf(text) {
	const found = /^(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?$/.exec(narrow(text));
	return found ? `${found[1]}-${found[2].padStart(2, '0')}-${found[3].padStart(2, '0')}` : narrow(text);
}

/** @param {{ common: any, value: string, change: (value: string) => void }} props */
export function DateInput({ common, value, change }) {
	return html`<span class="with-tool"><input ...${common} class="w-day" inputmode="numeric" placeholder="2026-01-31" value=${value} onInput=${(/** @type {any} */ event) => change(event.target.value)} onBlur=${() => value && dateOf(value) !== value && change(dateOf(value))} />
		<input type="date" class="behind" tabindex="-1" aria-hidden="true" onChange=${(/** @type {any} */ event) => event.target.value && change(event.target.value)} />
		<${Tool} icon="down" label=${t('date.pick')} onClick=${pickDay} /><${Button} class="small" onClick=${() => change(today())}>${t('today')}<//></span>`;
}

/** The browser's own calendar, opened from the button beside a typed day. @param {any} event */
function pickDay(event) {
	const box = event.currentTarget.closest('.with-tool');
	const native = box.querySelector('input[type=date]'), typed = box.querySelector('input').value;
	native.value = /^\d{4}-\d\d-\d\d$/.test(typed) ? typed : '';
	try {
		native.showPicker();
	} catch {
		native.focus();
	}
}

/** A day in a form that filters. @param {{ id?: string, name: string, value: string }} props */
export function DayFilter({ id, name, value }) {
	const [text, setText] = useState(value);
	return html`<span class="with-tool day-filter"><input id=${id} name=${name} class="w-day" inputmode="numeric" autocomplete="off" placeholder="2026-01-31" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)}
		onBlur=${() => text && setText(dateOf(text))} /><input type="date" class="behind" tabindex="-1" aria-hidden="true" onChange=${(/** @type {any} */ event) => setText(event.target.value)} />
		<${Tool} class="small" icon="down" label=${t('date.pick')} onClick=${pickDay} /></span>`;
}

/* ---- dialogs, menus, chips */

/** @param {{ open: boolean, title: string, close: () => void, children: any, wide?: boolean }} props */
export function Dialog({ open, title, close, children, wide }) {
	const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
	const id = useId();
	useEffect(() => {
		const dialog = box.current;
		if (open && dialog && !dialog.open)
			dialog.showModal();
		if (!open && dialog?.open)
			dialog.close();
	}, [open]);
	return html`<dialog ref=${box} class=${wide ? 'wide' : ''} aria-labelledby=${id} onClose=${close}
		onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && close()}>
		${open && html`<div class="dialog"><header><h2 id=${id}>${title}</h2><${Tool} icon="x" label=${t('close')} onClick=${close} /></header>${children}</div>`}</dialog>`;
}

/** A reason must be given before the act. @param {{ open: boolean, title: string, act: string, close: () => void, done: (reason: string) => void, danger?: boolean, children?: any, needs?: number }} props */
export function Confirm({ open, title, act, close, done, danger, children, needs = 0 }) {
	const [reason, setReason] = useState('');
	const id = useId();
	return html`<${Dialog} open=${open} title=${title} close=${close}>
		<form method="dialog" onSubmit=${(/** @type {Event} */ event) => {
			event.preventDefault();
			done(reason);
		}}>${children}
		${needs > 0 && html`<${Labelled} id=${id} label=${t('reason')} required hint=${t('reason.least', { n: needs })}><textarea id=${id} rows="2" value=${reason}
			onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea><//>`}
		<p class="actions end"><${Button} onClick=${close} autofocus>${t('cancel')}<//>
		<${Button} type="submit" kind=${danger ? 'danger' : 'primary'} disabled=${[...reason.trim()].length < needs}>${act}<//></p></form><//>`;
}

/** A button with a list below. @param {{ label: string, icon?: string, children: any, quiet?: boolean, side?: string }} props */
export function Menu({ label, icon, children, quiet, side = '' }) {
	const box = useRef(/** @type {HTMLDetailsElement | null} */ (null));
	useEffect(() => {
		/** @param {Event} event */
		const away = (event) => {
			const menu = box.current;
			if (menu?.open && (event instanceof KeyboardEvent ? event.key === 'Escape' : !menu.contains(/** @type {Node} */ (event.target)))) {
				menu.open = false;
				if (event instanceof KeyboardEvent)
					menu.querySelector('summary')?.focus();
			}
		};
		addEventListener('click', away);
		addEventListener('keydown', away);
		return () => {
			removeEventListener('click', away);
			removeEventListener('keydown', away);
		};
	}, []);
	return html`<details class="menu ${side}" ref=${box}><summary class=${quiet ? 'tool' : 'button'} title=${quiet ? label : undefined} aria-label=${quiet ? label : undefined}>
		${icon && html`<${Icon} name=${icon} />`}${!quiet && label}${!quiet && html`<${Icon} name="down" />`}</summary><div class="menu-list">${children}</div></details>`;
}

/** A filter that stands, and can be taken away. @param {{ label: string, value: string, to: string }} props */
export function Chip({ label, value, to }) {
	return html`<span class="chip"><span class="muted">${label}</span> ${value}<a href=${to} title=${t('filter.remove')} aria-label=${`${t('filter.remove')}${t('colon')}${label} ${value}`}><${Icon} name="x" /></a></span>`;
}

/** Text with marks of what was found. The marks are U+E000 and U+E001, or 【】. @param {{ text?: string }} props */
export function Marked({ text = '' }) {
	const pieces = text.split(/[\uE000【]([^\uE001】]*)[\uE001】]/);
	return html`${pieces.map((piece, i) => (i % 2 ? html`<mark>${piece}</mark>` : piece))}`;
}

/** How far something is. @param {{ done: number, total: number, label: string }} props */
export function Progress({ done, total, label }) {
	return html`<progress value=${total ? done : undefined} max=${total || 1} aria-label=${label}></progress>`;
}

/** For readers of the screen: what just happened. @type {(text: string) => void} */
export function announce(text) {
	const box = document.getElementById('announcer');
	if (box) {
		box.textContent = '';
		setTimeout(() => {
			box.textContent = text;
		}, 50);
	}
}

/** Whether the one who is logged in may file. */
export function mayFile() {
	return session.value?.role === 'filer';
}

/** The edge of printed pages: what it is, who printed it and when. Margin boxes take no text but from a style sheet. */
const edge = new CSSStyleSheet();
export function printEdge() {
	/** @param {string} text */
	const quoted = (text) => `"${text.replace(/["\\\n\r<]/g, ' ')}"`;
	const by = t('print.by', { name: session.value?.name ?? '', at: moment(new Date().toISOString()) });
	edge.replaceSync(`@page { @bottom-left { content: ${quoted(`${document.title}${status.value?.demonstration ? ` · ${t('demo.print')}` : ''} · ${by}`)}; font-size: 8pt; color: #444; } }`);
}
document.adoptedStyleSheets = [...document.adoptedStyleSheets, edge];
addEventListener('beforeprint', printEdge);

export { navigate, url };
