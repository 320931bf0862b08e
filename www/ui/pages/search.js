// search.js - what was found, in its sentence, with its page; narrowed by facets, kept as a saved search.

import { html, navigate, url, useLoad, useRows, useState, useKeys, t, word, number, language } from '../lib/view.js';
import { get, address } from '../lib/api.js';
import { Head, Loading, Failed, Empty, Marked, Chip, Icon, Menu, Notice, DayFilter } from '../lib/widgets.js';
import { SaveView } from './views.js';

const FACETS = ['series', 'department', 'type', 'year'];
const LIMIT = 20;

/** @param {any} facet */
const titleOf = (facet) => (facet.kind === 'type' ? word(`type.${facet.value}`, facet.title) : facet.title || facet.value);

/** @param {{ rows: any[], start: number, open: (hit: any) => string }} props */
function Hits({ rows, start, open }) {
	return html`<ol class="hits" start=${start}>${rows.map((hit) => html`<li class="hit"><h2><a data-row href=${open(hit)}><${Marked} text=${hit.marked ?? hit.title} /></a></h2>
		<p class="hit-facts"><span class="mono">${hit.number}</span><span>${hit.series_title}</span><span>${hit.department}</span><span>${hit.date}</span>${hit.version > 1 && html`<span>v${hit.version}</span>`}</p>
		${hit.snippet && html`<p class="snippet"><${Marked} text=${hit.snippet} /></p>`}
		${hit.part && html`<p class="hit-part"><${Icon} name="file" /><a href=${open(hit)}>${hit.part}${hit.page ? ` · ${t('page.n', { n: hit.page })}` : ''}${hit.label ? ` · ${hit.label}` : ''}</a>${hit.ocr && html` <span class="muted">${t('ocr')}</span>`}${hit.parts > 1 && html` <span class="muted">${t('parts.more', { n: hit.parts - 1 })}</span>`}</p>`}</li>`)}</ol>`;
}

/** @param {import('../app.js').PageProps} props */
export default function Search({ query, path }) {
	const q = query.get('q') ?? '';
	const offset = Number(query.get('offset') ?? 0) || 0;
	const [kept, keep] = useState(/** @type {Record<string, string>} */ ({}));
	const asked = new URLSearchParams(query);
	asked.set('facets', '1');
	asked.set('limit', String(LIMIT));
	const any = Boolean(q.trim());
	const load = useLoad(async (signal) => {
		if (!any)
			return null;
		const answer = await get('/search', asked, signal);
		const titles = { ...kept };
		for (const facet of answer.facets ?? [])
			titles[`${facet.kind}:${facet.value}`] = titleOf(facet);
		keep(titles);
		return answer;
	}, [query.toString(), language.value]);
	useRows();
	const data = load.data;
	const pages = data ? Math.ceil(data.count / LIMIT) : 0;
	const to = (/** @type {number} */ at) => url(path, query, { offset: at || '' });
	useKeys({
		'[': () => offset > 0 && navigate(to(Math.max(0, offset - LIMIT))),
		']': () => data && offset + LIMIT < data.count && navigate(to(offset + LIMIT)),
	});
	const chips = [...query].filter(([name]) => [...FACETS, 'from', 'to'].includes(name));
	/** @param {string} name @param {string} value */
	const without = (name, value) => url(path, query, { [name]: query.getAll(name).filter((one) => one !== value), offset: '' });
	/** @param {any} hit */
	const open = (hit) => url(`/records/${hit.record}`, { q, part: hit.part, page: hit.page });
	return html`<${Head} title=${t('search.title')} plain=${q ? `${q} · ${t('search.title')}` : t('search.title')}>${any && data && html`<${SaveView} name=${q} />
			<${Menu} label=${t('export')} icon="download" side="end"><a href=${address('/search.csv', query)} download>${t('export.csv')}</a><a href=${address('/search.xlsx', query)} download>${t('export.xlsx')}</a><p class="menu-note">${t('export.note')}</p><//>`}<//>
		${!any && html`<div class="card"><h2>${t('search.how')}</h2><table class="table plain"><tbody>${[1, 2, 3, 4, 5, 6, 7].map((n) => html`<tr><td class="mono nowrap"><a href=${url('/search', { q: t(`search.example.${n}`) })}>${t(`search.example.${n}`)}</a></td>
			<td>${t(`search.example.${n}.means`)}</td></tr>`)}</tbody></table></div>`}
		${any && load.state === 'loading' && html`<${Loading} />`}
		${any && load.state === 'failed' && html`<${Failed} error=${load.error} retry=${load.reload} />`}
		${any && data && html`<div class="search ${load.again ? 'again' : ''}"><aside class="facets screen" aria-label=${t('facets')}>
			<form class="facet" key=${`${query.get('from')}-${query.get('to')}`} onSubmit=${(/** @type {any} */ event) => {
				event.preventDefault();
				const form = new FormData(event.target);
				navigate(url(path, query, { from: String(form.get('from') ?? ''), to: String(form.get('to') ?? ''), offset: '' }));
			}}><h2>${t('facet.date')}</h2><label><span>${t('from')}</span><${DayFilter} name="from" value=${query.get('from') ?? ''} /></label>
				<label><span>${t('to')}</span><${DayFilter} name="to" value=${query.get('to') ?? ''} /></label><button class="button small" type="submit">${t('apply')}</button></form>
			${FACETS.map((kind) => {
				const rows = (data.facets ?? []).filter((/** @type {any} */ one) => one.kind === kind);
				return rows.length ? html`<section class="facet"><h2>${t(`facet.${kind}`)}</h2><ul>${rows.map((/** @type {any} */ one) => {
					const on = query.getAll(kind).includes(one.value);
					return html`<li><a class=${on ? 'on' : ''} aria-current=${on ? 'true' : undefined} href=${on ? without(kind, one.value) : url(path, query, { [kind]: [...query.getAll(kind), one.value], offset: '' })}>
						<span class="box" aria-hidden="true">${on && html`<${Icon} name="check" />`}</span><span class="facet-name">${titleOf(one)}</span><span class="count">${number(one.count)}</span></a></li>`;
				})}</ul></section>` : '';
			})}</aside>
		<section class="found" aria-label=${t('search.results')}>
			<div class="found-head"><p role="status"><strong>${t(data.exact === false ? 'search.about' : 'search.count', { n: data.count })}</strong>
				${data.took_us !== undefined && html`<span class="muted"> · ${t('search.took', { ms: Math.max(1, Math.round(data.took_us / 1000)) })}</span>`}</p>
				<label class="inline screen"><span>${t('order')}</span><select value=${query.get('order') ?? 'relevance'} onChange=${(/** @type {any} */ event) => navigate(url(path, query, { order: event.target.value === 'relevance' ? '' : event.target.value, offset: '' }))}>
				${['relevance', 'newest', 'oldest'].map((one) => html`<option value=${one}>${t(`order.${one}`)}</option>`)}</select></label></div>
			${chips.length > 0 && html`<p class="chips">${chips.map(([name, value]) => html`<${Chip} label=${t(`facet.${name}`)} value=${kept[`${name}:${value}`] ?? value} to=${without(name, value)} />`)}
				<a class="clear" href=${url(path, { q })}>${t('filter.clear')}</a></p>`}
			${data.lag > 0 && html`<${Notice} kind="info">${t('search.lag', { n: data.lag })}<//>`}
			${data.count === 0 && html`<${Empty} title=${t('search.none', { q })} icon="search"><ul><li>${t('search.none.shorter')}</li><li>${t('search.none.number')}</li>${chips.length > 0 && html`<li><a href=${url(path, { q })}>${t('search.none.filters')}</a></li>`}</ul><//>`}
			<${Hits} rows=${data.hits} start=${offset + 1} open=${open} />
			${(data.near ?? []).length > 0 && html`<h2 class="near">${t('search.near')}</h2><${Hits} rows=${data.near} start=${1} open=${open} />`}
			${pages > 1 && html`<nav class="pager screen" aria-label=${t('pages')}>${offset > 0 ? html`<a class="button" href=${to(Math.max(0, offset - LIMIT))}><${Icon} name="left" />${t('page.before')}</a>` : ''}
				<span class="muted">${t('page.of', { n: offset / LIMIT + 1, all: pages })}</span>${offset + LIMIT < data.count ? html`<a class="button" href=${to(offset + LIMIT)}>${t('page.next')}<${Icon} name="right" /></a>` : ''}</nav>`}
		</section></div>`}`;
}
