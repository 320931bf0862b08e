// app.js - the start and the shell: who is here, where they are, what stands around every page.
//
// Nothing of the archive is asked for before it is known whether it is unsealed and who is logged in: sealed, the
// page for custodians is shown in place of every other; nobody, the log-in.

import { html, render, place, navigate, useEffect, useRef, useState, useId, useKeys, url, t, speak, preferred, language, label } from './lib/view.js';
import { session, status, reached, look, get, remove, patch, allSeries, forget, listen, viewsTurn } from './lib/api.js';
import { Icon, Tool, Menu, Dialog, Loading, Failed, mayFile, announce } from './lib/widgets.js';

/** @typedef {{ match: string[], query: URLSearchParams, path: string }} PageProps */

/** Which page is where. The first that matches. @type {[RegExp, () => Promise<any>][]} */
const PAGES = [
	[/^\/$/, () => import('./pages/home.js')],
	[/^\/search$/, () => import('./pages/search.js')],
	[/^\/records$/, () => import('./pages/list.js')],
	[/^\/records\/([^/]+)$/, () => import('./pages/record.js')],
	[/^\/records\/([^/]+)\/revise$/, () => import('./pages/revise.js')],
	[/^\/records\/([^/]+)\/differences$/, () => import('./pages/differences.js')],
	[/^\/file$/, () => import('./pages/choose.js')],
	[/^\/file\/([^/]+)$/, () => import('./pages/file.js')],
	[/^\/file\/([^/]+)\/batch$/, () => import('./pages/batch.js')],
	[/^\/jobs$/, () => import('./pages/jobs.js')],
	[/^\/verification$/, () => import('./pages/verification.js')],
	[/^\/log$/, () => import('./pages/log.js')],
	[/^\/settings$/, () => import('./pages/settings.js')],
	[/^\/accounts$/, () => import('./pages/accounts.js')],
	[/^\/series$/, () => import('./pages/series.js')],
	[/^\/series\/([^/]+)$/, () => import('./pages/series.js')],
	[/^\/help$/, () => import('./pages/help.js')],
];

/** Series that the archive itself keeps: not among those that people file in. */
const OWN = ['ACC', 'DEF'];

function Shell() {
	const [help, setHelp] = useState(false);
	const [narrow, setNarrow] = useState(false);
	const here = place.value;
	useKeys({
		'/': () => document.getElementById('search-all')?.focus(),
		'?': () => setHelp(true),
		n: () => mayFile() && navigate('/file'),
	});
	useEffect(() => setNarrow(false), [here.path]);
	return html`<a class="skip screen" href="#main" onClick=${(/** @type {Event} */ event) => {
			event.preventDefault();
			document.getElementById('title')?.focus();
		}}>${t('skip')}</a>
		<${Top} openHelp=${() => setHelp(true)} toggle=${() => setNarrow(!narrow)} />
		<div class="frame"><${Navigation} open=${narrow} /><main id="main" class="main"><${Page} /></main></div>
		<${KeysHelp} open=${help} close=${() => setHelp(false)} />`;
}

/** @param {{ openHelp: () => void, toggle: () => void }} props */
function Top({ openHelp, toggle }) {
	const leave = async () => {
		try {
			await remove('/session');
		} finally {
			forget();
			session.value = null;
			navigate('/', { replace: true });
		}
	};
	return html`<header class="top screen">
		<${Tool} class="top-menu" icon="list" label=${t('nav.label')} onClick=${toggle} />
		<a class="brand" href="/"><${Icon} name="file" /><b>${t('product')}</b></a>
		<${SearchBox} />
		<div class="top-end">
			<${LanguageSwitch} />
			<${Tool} icon="help" label=${t('keys.title')} onClick=${openHelp} />
			<${Menu} label=${session.value?.name ?? ''} icon="user" side="end">
				<p class="menu-head"><strong>${session.value?.name}</strong><br /><span class="muted">${t(`role.${session.value?.role}`)} · ${session.value?.account}</span></p>
				<a href="/settings">${t('nav.settings')}</a>
				<button type="button" onClick=${leave}><${Icon} name="leave" />${t('session.leave')}</button>
			<//>
		</div></header>
		${status.value?.demonstration && html`<aside class="banner screen" aria-label=${t('demo.label')}><${Icon} name="info" />${t('demo.banner')}</aside>`}
		${!reached.value && html`<p class="banner bad screen" role="alert"><${Icon} name="alert" />${t('unreachable.banner')}</p>`}`;
}

export function LanguageSwitch() {
	const other = language.value === 'en' ? 'zh-CN' : 'en';
	return html`<button type="button" class="tool language" lang=${other} onClick=${async () => {
		await speak(other);
		forget();
		if (session.value)
			patch('/session', { language: other === 'en' ? 'en' : 'zh' }).catch(() => {});
	}}><${Icon} name="globe" />${other === 'en' ? 'English' : '中文'}</button>`;
}

/** The box that is everywhere, with suggestions. */
function SearchBox() {
	const here = place.value;
	const now = here.path === '/search' ? here.query.get('q') ?? '' : '';
	const [text, setText] = useState(now);
	const [offered, setOffered] = useState(/** @type {{ text: string, kind: string, record?: string, number?: string }[]} */ ([]));
	const [at, setAt] = useState(-1);
	const id = useId();
	const timer = useRef(0);
	useEffect(() => setText(now), [now]);
	const close = () => {
		clearTimeout(timer.current);
		setOffered([]);
		setAt(-1);
	};
	/** @param {string} query */
	const go = (query) => {
		close();
		if (query.trim())
			navigate(url('/search', { q: query.trim() }));
	};
	/** @param {any} event */
	const typed = (event) => {
		const value = event.target.value;
		setText(value);
		clearTimeout(timer.current);
		if (event.isComposing || value.trim().length < 1)
			return setOffered([]);
		timer.current = setTimeout(async () => {
			const answer = await get('/search/suggest', { q: value.trim() }).catch(() => undefined);
			if (document.activeElement?.id === 'search-all') {
				setOffered((answer?.suggestions ?? []).slice(0, 8));
				setAt(-1);
			}
		}, 180);
	};
	/** @param {KeyboardEvent} event */
	const pressed = (event) => {
		if (event.isComposing || event.keyCode === 229)
			return;
		if (event.key === 'Escape') {
			if (offered.length)
				close();
			else
				/** @type {HTMLElement} */ (event.target).blur();
		} else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && offered.length) {
			event.preventDefault();
			const step = event.key === 'ArrowDown' ? 1 : -1;
			setAt((at + step + offered.length + 1 + 1) % (offered.length + 1) - 1);
		} else if (event.key === 'Enter' && at >= 0 && offered[at]) {
			event.preventDefault();
			choose(offered[at]);
		}
	};
	/** @param {{ text: string, kind: string, record?: string, number?: string }} one */
	const choose = (one) => {
		if (one.record) {
			close();
			navigate(`/records/${one.record}`);
		} else {
			setText(one.text);
			go(one.kind === 'number' ? `"${one.text}"` : one.text);
		}
	};
	return html`<form class="search-all" role="search" aria-label=${t('search.label')} onSubmit=${(/** @type {Event} */ event) => {
		event.preventDefault();
		go(text);
	}}><${Icon} name="search" />
		<input id="search-all" type="search" autocomplete="off" spellcheck=${false} placeholder=${t('search.placeholder')} aria-label=${t('search.label')} role="combobox"
			aria-expanded=${offered.length ? 'true' : 'false'} aria-controls=${`${id}-list`} aria-autocomplete="list" aria-activedescendant=${at >= 0 ? `${id}-${at}` : undefined}
			value=${text} onInput=${typed} onKeyDown=${pressed} onBlur=${() => setTimeout(close, 150)} /><kbd aria-hidden="true">/</kbd>
		<ul class="offered" id=${`${id}-list`} role="listbox" aria-label=${t('search.suggestions')} hidden=${!offered.length}>${offered.map((one, i) => html`<li id=${`${id}-${i}`} role="option"
			aria-selected=${i === at ? 'true' : 'false'} onMouseDown=${(/** @type {Event} */ event) => {
				event.preventDefault();
				choose(one);
			}}><span>${one.text}</span><span class="muted">${t(`suggest.${one.kind}`)}</span></li>`)}</ul></form>`;
}

/** @param {{ open: boolean }} props */
function Navigation({ open }) {
	const [series, setSeries] = useState(/** @type {import('./types').SeriesRow[]} */ ([]));
	const [views, setViews] = useState(/** @type {any[]} */ ([]));
	const [running, setRunning] = useState(0);
	useEffect(() => {
		allSeries().then(setSeries, () => {});
	}, [language.value]);
	useEffect(() => {
		get('/views').then((answer) => setViews(answer.views ?? []), () => {});
	}, [viewsTurn.value]);
	useEffect(() => {
		const jobs = new Map();
		return listen((name, data) => {
			if (name !== 'job' || !data.job)
				return;
			jobs.set(data.job, data.state);
			setRunning([...jobs.values()].filter((state) => state === 'running' || state === 'waiting').length);
			if (data.state === 'done' || data.state === 'failed')
				announce(t('jobs.ended', { job: t(`verb.${data.verb}`), state: t(`job.${data.state}`) }));
		});
	}, []);
	const here = place.value;
	/** @param {string} to @param {string} icon @param {string} text @param {any} [count] @param {boolean} [current] */
	const link = (to, icon, text, count, current) => html`<li><a href=${to} aria-current=${current ?? (here.path === to) ? 'page' : undefined}>
		${icon && html`<${Icon} name=${icon} />`}<span class="nav-name">${text}</span>${count !== undefined && count !== 0 && html`<span class="count">${count}</span>`}</a></li>`;
	const others = series.filter((one) => !OWN.includes(one.code));
	/** @param {import('./types').SeriesRow} one */
	const seriesLink = (one) => link(url('/records', { series: one.code }), 'folder', label(one.title), one.records,
		here.path === '/records' && here.query.get('series') === one.code);
	return html`<nav class="side screen ${open ? 'open' : ''}" aria-label=${t('nav.label')}>
		<ul>${link('/', 'home', t('nav.home'))}${link('/search', 'search', t('nav.search'))}${mayFile() && link('/file', 'plus', t('nav.file'), undefined, here.path.startsWith('/file'))}
		${link('/records', 'list', t('nav.all'), undefined, here.path === '/records' && !here.query.get('series'))}</ul>
		<h2>${t('nav.series')}</h2><ul>${others.map(seriesLink)}</ul>
		${views.length > 0 && html`<h2>${t('nav.views')}</h2><ul>${views.map((view) => link(view.query, 'star', view.name, undefined, view.query === here.path + location.search))}</ul>`}
		<h2>${t('nav.keeping')}</h2><ul>${link('/verification', 'shield', t('nav.verification'))}${link('/log', 'history', t('nav.log'))}${link('/jobs', 'jobs', t('nav.jobs'), running || undefined)}</ul>
		<h2>${t('nav.system')}</h2><ul>${link('/series', 'columns', t('nav.definitions'), undefined, here.path.startsWith('/series'))}
		${link('/accounts', 'user', t('nav.accounts'))}${link('/settings', 'gear', t('nav.settings'))}
		${link('/help', 'help', t('nav.help'))}<li><a href="/docs" target="_blank"><${Icon} name="code" /><span class="nav-name">${t('nav.docs')}</span></a></li></ul></nav>`;
}

function Page() {
	const here = place.value;
	const [page, setPage] = useState(/** @type {any} */ (undefined));
	const found = PAGES.find(([pattern]) => pattern.test(here.path));
	useEffect(() => {
		let gone = false;
		if (!found)
			setPage({ path: here.path, lost: true });
		else
			found[1]().then(
				(module) => !gone && setPage({ component: module.default, load: found }),
				(error) => !gone && setPage({ error, load: found })
			);
		return () => {
			gone = true;
		};
	}, [found]);
	const path = useRef('');
	useEffect(() => {
		if (path.current && path.current !== here.path && !history.state?.keep) {
			scrollTo(0, 0);
			requestAnimationFrame(() => document.getElementById('title')?.focus({ preventScroll: true }));
		}
		path.current = here.path;
	}, [here.path, page]);
	if (!found)
		return html`<${Failed} what=${t('notfound.title')} error=${{ status: 404, code: 'notfound', message: t('notfound.page', { path: here.path }) }} />`;
	if (!page || page.load !== found)
		return html`<${Loading} />`;
	if (page.error)
		return html`<${Failed} what=${t('error.title')} error=${page.error} retry=${() => location.reload()} />`;
	const match = (found[0].exec(here.path) ?? []).slice(1).map(decodeURIComponent);
	return html`<${page.component} key=${here.path} match=${match} query=${here.query} path=${here.path} />`;
}

/** @param {{ open: boolean, close: () => void }} props */
function KeysHelp({ open, close }) {
	const keys = [['/', 'keys.search'], ['n', 'keys.new'], ['j  k', 'keys.rows'], ['Enter', 'keys.open'], ['x', 'keys.select'], ['[  ]', 'keys.pages'], ['?', 'keys.help'], ['Esc', 'keys.close']];
	return html`<${Dialog} open=${open} close=${close} title=${t('keys.title')}><table class="keys"><tbody>${keys.map(([key, text]) =>
		html`<tr><th scope="row">${key.split('  ').map((one) => html`<kbd>${one}</kbd> `)}</th><td>${t(text)}</td></tr>`)}</tbody></table><p class="muted">${t('keys.note')}</p><//>`;
}

function App() {
	void language.value;
	if (session.value === undefined)
		return html`<${Loading} />`;
	if (status.value?.sealed || session.value === null)
		return html`<${Door} page=${status.value?.sealed ? 'Sealed' : 'LogIn'} />`;
	if (session.value.must_change)
		return html`<${Door} page="NewPassword" />`;
	return html`<${Shell} />`;
}

/** Log-in and unsealing are fetched only when they are needed. @param {{ page: 'Sealed' | 'LogIn' | 'NewPassword' }} props */
function Door({ page }) {
	const [pages, setPages] = useState(/** @type {any} */ (undefined));
	useEffect(() => {
		import('./pages/door.js').then(setPages);
	}, []);
	if (!pages)
		return html`<${Loading} />`;
	return html`<${pages[page]} />`;
}

/** A session that ends says so before, and what was typed is kept (drafts). */
function watch() {
	setInterval(() => {
		if (document.visibilityState === 'visible')
			get('/status').then((now) => {
				if (now.sealed !== status.value?.sealed || !session.value)
					status.value = now;
			}, () => {});
	}, 30000);
}

async function start() {
	await Promise.all([speak(preferred()), look()]);
	if (session.value?.language && !localStorage.getItem('muniment.language'))
		await speak(session.value.language);
	const box = /** @type {HTMLElement} */ (document.getElementById('app'));
	box.textContent = '';
	render(html`<${App} />`, box);
	const announcer = document.createElement('div');
	announcer.id = 'announcer';
	announcer.className = 'unseen';
	announcer.setAttribute('role', 'status');
	document.body.append(announcer);
	watch();
}

start();
