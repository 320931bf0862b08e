// viewer.js - a part beside its facts: PDF (or the PDF made of an office file), picture, text.
//
// Pages of a PDF are drawn when they come into sight. Words that were searched for are found in the text of the pages
// and marked as ranges (CSS custom highlights), which leaves pdf.js's own elements alone.

import { html, useEffect, useRef, useState, useId, t, size } from '../lib/view.js';
import { address, call } from '../lib/api.js';
import { startWorker } from '../lib/workers.js';
import { Icon, Tool, Loading, Failed, Empty, Notice, Button } from '../lib/widgets.js';

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'];
const OFFICE = /officedocument|opendocument|msword|ms-excel|ms-powerpoint|\bofd\b|rtf/;

/** @param {import('../types').Part} part @returns {'pdf' | 'preview' | 'picture' | 'text'} */
export function kindOf(part) {
	if (part.media === 'application/pdf')
		return 'pdf';
	if (PICTURES.includes(part.media))
		return 'picture';
	if (OFFICE.test(part.media))
		return 'preview';
	return 'text';
}

/** The words of a query, without its grammar. @param {string} q */
export function wordsOf(q) {
	return [...q.matchAll(/"([^"]+)"|([^\s()"]+)/g)]
		.map((found) => found[1] ?? found[2] ?? '')
		.filter((one) => !/^(AND|OR|NOT)$/.test(one) && !one.startsWith('-'))
		.map((one) => plain(one.replace(/^[\w\u4e00-\u9fff]+[:：]/, '').replace(/\*$/, '')).text)
		.filter(Boolean);
}

/** Text as it is compared, and where each of its characters stood. @param {string} text */
function plain(text) {
	let out = '';
	/** @type {number[]} */
	const at = [];
	for (let i = 0; i < text.length; i++) {
		const folded = text[i].normalize('NFKC').toLowerCase().replace(/\s/g, '');
		for (const one of folded) {
			out += one;
			at.push(i);
		}
	}
	return { text: out, at };
}

/** @param {string} text @param {string[]} words @returns {[number, number][]} */
function findAll(text, words) {
	/** @type {[number, number][]} */
	const found = [];
	for (const one of words)
		for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + one.length))
			found.push([at, at + one.length]);
	return found.sort((a, b) => a[0] - b[0]);
}

/** Ranges of the words inside an element. @param {Element} box @param {string[]} words @returns {Range[]} */
function ranges(box, words) {
	const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
	let all = '';
	/** @type {[Node, number][]} */
	const places = [];
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const { text, at } = plain(node.nodeValue ?? '');
		all += text;
		for (const one of at)
			places.push([node, one]);
	}
	return findAll(all, words).map(([from, to]) => {
		const range = document.createRange();
		range.setStart(places[from][0], places[from][1]);
		range.setEnd(places[to - 1][0], places[to - 1][1] + 1);
		return range;
	});
}

/** @type {any} */
const registry = /** @type {any} */ (globalThis.CSS)?.highlights;
/** @param {string} name @param {Range[]} all */
function highlight(name, all) {
	if (!registry)
		return;
	if (all.length)
		registry.set(name, new /** @type {any} */ (globalThis).Highlight(...all));
	else
		registry.delete(name);
}

/** @type {Promise<any> | undefined} */
let library;
function pdfjs() {
	library ??= import(/** @type {any} */ ('/vendor/pdfjs-dist/legacy/build/pdf.min.mjs')).then((module) => {
		module.GlobalWorkerOptions.workerPort = startWorker('/vendor/pdfjs-dist/legacy/build/pdf.worker.min.mjs');
		return module;
	});
	return library;
}

/**
 * @param {{ record: string, version: number, part: import('../types').Part, page?: number, q?: string, wide?: boolean, widen?: () => void }} props
 */
export function Viewer({ record, version, part, page, q = '', wide, widen }) {
	const kind = kindOf(part);
	const [as, setAs] = useState(/** @type {string} */ (kind));
	useEffect(() => setAs(kind), [part.id]);
	const file = address(`/records/${record}/parts/${part.id}`, { version });
	const bar = html`<div class="viewer-switch">${kind !== 'text' && html`<div class="segments" role="group" aria-label=${t('viewer.as')}>
			<button type="button" aria-pressed=${as === kind ? 'true' : 'false'} onClick=${() => setAs(kind)}>${t(`viewer.${kind}`)}</button>
			<button type="button" aria-pressed=${as === 'text' ? 'true' : 'false'} onClick=${() => setAs('text')}>${t('viewer.text')}</button></div>`}
		<a class="tool" href=${address(`/records/${record}/parts/${part.id}`, { version, download: 1 })} download title=${t('viewer.download')} aria-label=${t('viewer.download')}><${Icon} name="download" /></a>
		${widen && html`<${Tool} icon="wide" label=${wide ? t('viewer.narrow') : t('viewer.widen')} aria-pressed=${wide ? 'true' : 'false'} onClick=${widen} />`}</div>`;
	if (as === 'picture')
		return html`<div class="viewer"><div class="viewer-bar"><span class="viewer-name">${part.name}</span>${bar}</div><div class="viewer-body" tabindex="0" role="region" aria-label=${part.name}><img class="picture" src=${file} alt=${part.note || part.name} /></div></div>`;
	if (as === 'text')
		return html`<${TextView} key=${part.id} record=${record} version=${version} part=${part} page=${page} q=${q} bar=${bar} />`;
	return html`<${PdfView} key=${`${part.id}-${as}`} file=${as === 'preview' ? address(`/records/${record}/parts/${part.id}/preview`, { version }) : file} made=${as === 'preview'} name=${part.name} page=${page} q=${q} bar=${bar} other=${() => setAs('text')} />`;
}

/** @param {{ record: string, version: number, part: import('../types').Part, page?: number, q: string, bar: any }} props */
function TextView({ record, version, part, page, q, bar }) {
	const [now, setNow] = useState(/** @type {any} */ ({}));
	const box = useRef(/** @type {HTMLElement | null} */ (null));
	useEffect(() => {
		const stop = new AbortController();
		call('GET', `/records/${record}/parts/${part.id}/text`, { query: { version }, signal: stop.signal }).then(
			({ data }) => setNow({ data }),
			(error) => !stop.signal.aborted && setNow({ error })
		);
		return () => stop.abort();
	}, [part.id, version]);
	useEffect(() => {
		const words = wordsOf(q);
		if (!box.current || !now.data)
			return undefined;
		const all = words.length ? ranges(box.current, words) : [];
		highlight('hit', all);
		const start = page ? box.current.querySelector(`[data-page="${page}"]`) : undefined;
		const first = all.find((range) => !start || start.contains(range.startContainer)) ?? all[0];
		(first?.startContainer.parentElement ?? start)?.scrollIntoView({ block: 'center' });
		return () => highlight('hit', []);
	}, [now.data, q]);
	/** @type {{ page?: number, label?: string, sure?: number, text: string }[]} */
	const pages = now.data?.pages ?? [];
	return html`<div class="viewer"><div class="viewer-bar"><span class="viewer-name">${part.name}</span>${bar}</div>
		<div class="viewer-body text" tabindex="0" role="region" aria-label=${part.name} ref=${box}>
		${now.error ? html`<${Failed} error=${now.error} />` : !now.data ? html`<${Loading} />`
			: !pages.some((one) => one.text.trim()) ? html`<${Empty} title=${t('viewer.notext')} icon="file"><p>${now.data.sentence ?? part.text?.sentence ?? ''}</p><p class="muted">${part.media} · ${size(part.size)}</p><//>`
			: html`${now.data.sure !== undefined && html`<${Notice} kind="warn">${t('viewer.ocr', { n: now.data.sure })}<//>`}${now.data.sure === undefined && html`<p class="hint">${t('viewer.extracted')}</p>`}
			${pages.map((one, i) => html`<section data-page=${one.page || i + 1}>${pages.length > 1 && html`<h3 class="page-number">${one.label || t('page.n', { n: one.page || i + 1 })}</h3>`}<pre>${one.text}</pre></section>`)}`}</div></div>`;
}

/** @param {{ file: string, made: boolean, name: string, page?: number, q: string, bar: any, other: () => void }} props */
function PdfView({ file, made, name, page = 1, q, bar, other }) {
	const [pdf, setPdf] = useState(/** @type {any} */ (undefined));
	const [error, setError] = useState(/** @type {any} */ (undefined));
	const [making, setMaking] = useState(false);
	const [pages, setPages] = useState(/** @type {{ width: number, height: number }[]} */ ([]));
	const [scale, setScale] = useState(0);
	const [current, setCurrent] = useState(page);
	const [words, setWords] = useState(q);
	const [hits, setHits] = useState(/** @type {number[]} */ ([]));
	const [hit, setHit] = useState(-1);
	const body = useRef(/** @type {HTMLElement | null} */ (null));
	const drawn = useRef(new Map());
	const id = useId();

	useEffect(() => {
		const stop = new AbortController();
		/** @type {any} */
		let task;
		(async () => {
			if (made)
				for (let wait = 700; ; wait = Math.min(wait * 1.5, 5000)) {
					const answer = await call('HEAD', file.replace('/api/v1', ''), { signal: stop.signal });
					if (answer.status !== 202)
						break;
					setMaking(true);
					await new Promise((done) => setTimeout(done, wait));
					if (stop.signal.aborted)
						return;
				}
			setMaking(false);
			const library = await pdfjs();
			if (stop.signal.aborted)
				return;
			task = library.getDocument({
				url: file, cMapUrl: '/vendor/pdfjs-dist/cmaps/', cMapPacked: true, standardFontDataUrl: '/vendor/pdfjs-dist/standard_fonts/',
				wasmUrl: '/vendor/pdfjs-dist/wasm/', isEvalSupported: false, enableXfa: false, withCredentials: true, rangeChunkSize: 262144,
			});
			const opened = await task.promise;
			const first = await opened.getPage(1);
			const { width, height } = first.getViewport({ scale: 1 });
			if (stop.signal.aborted)
				return;
			setPages(Array.from({ length: opened.numPages }, () => ({ width, height })));
			const room = (body.current?.clientWidth ?? 600) - 28;
			setScale(Math.min(Math.max(room / width, 0.4), 2));
			setPdf(opened);
		})().catch((problem) => {
			if (stop.signal.aborted)
				return;
			if (made)
				other();
			else
				setError(problem);
		});
		return () => {
			stop.abort();
			for (const one of drawn.current.values())
				one.task?.cancel();
			drawn.current.clear();
			task?.destroy();
			highlight('hit', []);
			highlight('hit-now', []);
		};
	}, [file]);

	// Which pages have the words.
	useEffect(() => {
		const wanted = wordsOf(words);
		let gone = false;
		setHits([]);
		setHit(-1);
		if (pdf && wanted.length)
			(async () => {
				/** @type {number[]} */
				const found = [];
				let began = false;
				for (let n = 1; n <= pdf.numPages && !gone && found.length < 5000; n++) {
					const content = await (await pdf.getPage(n)).getTextContent();
					const text = plain(content.items.map((/** @type {any} */ one) => one.str ?? '').join('')).text;
					for (let i = findAll(text, wanted).length; i > 0; i--)
						found.push(n);
					if (gone)
						return;
					setHits([...found]);
					if (!began && found.some((one) => one >= (words === q ? page : 1))) {
						began = true;
						setHit(found.findIndex((one) => one >= (words === q ? page : 1)));
					}
				}
				if (!began && found.length && !gone)
					setHit(0);
			})().catch(() => {});
		return () => {
			gone = true;
		};
	}, [pdf, words]);

	const mark = () => {
		const wanted = wordsOf(words);
		/** @type {Range[]} */
		const all = [];
		/** @type {Range[]} */
		let now = [];
		for (const [n, one] of drawn.current) {
			if (!one.layer || !wanted.length)
				continue;
			const here = ranges(one.layer, wanted);
			all.push(...here);
			if (hit >= 0 && hits[hit] === n)
				now = here.slice(hit - hits.indexOf(n), hit - hits.indexOf(n) + 1);
		}
		highlight('hit', all);
		highlight('hit-now', now);
		return now[0];
	};

	/** @param {number} n */
	const draw = async (n) => {
		const box = body.current?.querySelector(`[data-page="${n}"]`);
		if (!pdf || !box || drawn.current.get(n)?.scale === scale)
			return;
		drawn.current.get(n)?.task?.cancel();
		/** @type {any} */
		const entry = { scale };
		drawn.current.set(n, entry);
		const library = await pdfjs();
		const sheet = await pdf.getPage(n);
		const viewport = sheet.getViewport({ scale });
		const sharp = Math.min(devicePixelRatio || 1, 2);
		const canvas = document.createElement('canvas');
		canvas.width = Math.floor(viewport.width * sharp);
		canvas.height = Math.floor(viewport.height * sharp);
		canvas.setAttribute('aria-hidden', 'true');
		entry.task = sheet.render({ canvas, canvasContext: /** @type {any} */ (canvas.getContext('2d')), viewport, transform: sharp === 1 ? undefined : [sharp, 0, 0, sharp, 0, 0] });
		const layer = document.createElement('div');
		layer.className = 'textLayer';
		try {
			await entry.task.promise;
			const text = new library.TextLayer({ textContentSource: sheet.streamTextContent(), container: layer, viewport });
			await text.render();
		} catch {
			return;
		}
		if (drawn.current.get(n) !== entry)
			return;
		entry.layer = layer;
		if (Math.abs(viewport.width / scale - pages[n - 1].width) > 1 || Math.abs(viewport.height / scale - pages[n - 1].height) > 1)
			setPages((old) => old.map((one, i) => (i === n - 1 ? { width: viewport.width / scale, height: viewport.height / scale } : one)));
		box.replaceChildren(canvas, layer);
		mark();
	};

	// Draw what is in sight, forget what is far away.
	useEffect(() => {
		const box = body.current;
		if (!box || !pages.length || !scale)
			return undefined;
		for (const [n, one] of drawn.current)
			if (one.scale !== scale) {
				one.task?.cancel();
				drawn.current.delete(n);
			}
		const seen = new IntersectionObserver((entries) => {
			for (const entry of entries) {
				const n = Number(/** @type {HTMLElement} */ (entry.target).dataset.page);
				if (entry.isIntersecting)
					draw(n);
				else if (drawn.current.size > 12 && drawn.current.has(n)) {
					drawn.current.get(n).task?.cancel();
					drawn.current.delete(n);
					entry.target.replaceChildren();
				}
			}
		}, { root: box, rootMargin: '600px 0px' });
		for (const one of box.querySelectorAll('[data-page]'))
			seen.observe(one);
		const scrolled = () => {
			const middle = box.scrollTop + box.clientHeight / 3;
			let n = 1;
			for (const one of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll('[data-page]')))
				if (one.offsetTop <= middle)
					n = Number(one.dataset.page);
			setCurrent(n);
		};
		box.addEventListener('scroll', scrolled, { passive: true });
		return () => {
			seen.disconnect();
			box.removeEventListener('scroll', scrolled);
		};
	}, [pdf, pages.length, scale]);

	/** @param {number} n */
	const turn = (n) => {
		const target = Math.min(Math.max(n, 1), pages.length);
		const box = body.current;
		const sheet = /** @type {HTMLElement | null | undefined} */ (box?.querySelector(`[data-page="${target}"]`));
		if (box && sheet)
			box.scrollTop = sheet.offsetTop - 8;
	};
	useEffect(() => {
		if (pages.length && scale && page > 1)
			turn(page);
	}, [pdf]);
	useEffect(() => {
		const n = hits[hit];
		if (!n)
			return;
		(async () => {
			const near = mark();
			if (!near)
				turn(n);
			await draw(n);
			const range = mark();
			const box = body.current;
			if (range && box) {
				const where = range.getBoundingClientRect(), frame = box.getBoundingClientRect();
				if (where.top < frame.top + 20 || where.bottom > frame.bottom - 20)
					box.scrollTop += where.top - frame.top - box.clientHeight / 3;
			}
		})();
	}, [hit, hits.length > 0 && hits[hit]]);

	/** @param {number} by */
	const step = (by) => hits.length && setHit((hit + by + hits.length) % hits.length);
	if (error)
		return html`<div class="viewer"><div class="viewer-bar"><span class="viewer-name">${name}</span>${bar}</div><div class="viewer-body"><${Empty} title=${t('viewer.failed')} icon="alert"><p>${error.name === 'PasswordException' ? t('viewer.password') : error.message}</p><p><${Button} onClick=${other}>${t('viewer.astext')}<//></p><//></div></div>`;
	return html`<div class="viewer"><div class="viewer-bar" role="toolbar" aria-label=${t('viewer.bar')}>
		<span class="viewer-pages"><${Tool} icon="up" label=${t('viewer.before')} disabled=${current <= 1} onClick=${() => turn(current - 1)} />
			<input class="page-input" inputmode="numeric" aria-label=${t('viewer.page')} value=${String(current)} onChange=${(/** @type {any} */ event) => turn(Number(event.target.value) || current)} /><span class="muted">/ ${pages.length || '–'}</span>
			<${Tool} icon="down" label=${t('viewer.next')} disabled=${current >= pages.length} onClick=${() => turn(current + 1)} /></span>
		<span><${Tool} icon="zoomout" label=${t('viewer.smaller')} onClick=${() => setScale(Math.max(0.3, scale / 1.2))} /><${Tool} icon="zoomin" label=${t('viewer.larger')} onClick=${() => setScale(Math.min(4, scale * 1.2))} />
			<${Tool} icon="columns" label=${t('viewer.fit')} onClick=${() => pages.length && setScale(((body.current?.clientWidth ?? 600) - 28) / pages[0].width)} /></span>
		<form class="find" role="search" aria-label=${t('viewer.find')} onSubmit=${(/** @type {Event} */ event) => {
			event.preventDefault();
			step(1);
		}}><input id=${`${id}-find`} type="search" placeholder=${t('viewer.find')} aria-label=${t('viewer.find')} value=${words} onInput=${(/** @type {any} */ event) => !event.isComposing && setWords(event.target.value)} onCompositionEnd=${(/** @type {any} */ event) => setWords(event.target.value)} />
			<span class="muted find-count" role="status">${words.trim() ? `${hits.length ? hit + 1 : 0}/${hits.length}` : ''}</span>
			${words.trim() && html`<${Tool} icon="up" label=${t('viewer.hit.before')} onClick=${() => step(-1)} disabled=${!hits.length} /><${Tool} icon="down" label=${t('viewer.hit.next')} onClick=${() => step(1)} disabled=${!hits.length} />`}</form>${bar}</div>
		${made && html`<p class="viewer-note">${t('viewer.made')}</p>`}
		<div class="viewer-body pdf" tabindex="0" role="region" aria-label=${name} ref=${(/** @type {HTMLElement | null} */ box) => {
			body.current = box;
			if (box) {
				box.style.setProperty('--total-scale-factor', String(scale));
				box.style.setProperty('--scale-factor', String(scale));
			}
		}}>${!pdf && (making ? html`<div class="state" role="status"><p>${t('viewer.making')}</p><progress aria-label=${t('viewer.making')}></progress></div>` : html`<${Loading} />`)}
			${pages.map((one, i) => html`<div class="sheet" key=${i} data-page=${i + 1} ref=${(/** @type {HTMLElement | null} */ sheet) => {
				if (sheet) {
					sheet.style.width = `${Math.round(one.width * scale)}px`;
					sheet.style.height = `${Math.round(one.height * scale)}px`;
				}
			}}></div>`)}</div></div>`;
}
