// home.js - the workbench: what I began, what came last, how the archive is.

import { html, useLoad, useRows, t, number, label, language } from '../lib/view.js';
import { get, allSeries, session, status } from '../lib/api.js';
import { Head, Loaded, Badge, Go, Icon, Moment, mayFile } from '../lib/widgets.js';

export default function Home() {
	useRows();
	const drafts = useLoad((signal) => get('/drafts', undefined, signal), []);
	const latest = useLoad((signal) => get('/records', { order: 'filed_down', limit: 12 }, signal), [language.value]);
	const verified = useLoad((signal) => get('/verification', undefined, signal).catch(() => null), []);
	const series = useLoad(() => allSeries(), [language.value]);
	const titles = new Map((series.data ?? []).map((one) => [one.code, label(one.title)]));
	const now = status.value;
	return html`<${Head} title=${t('home.title', { name: session.value?.name ?? '' })} plain=${t('nav.home')}>${mayFile() && html`<${Go} href="/file" kind="primary" icon="plus">${t('nav.file')}<//>`}<//>
		<div class="columns home"><div>
		<section class="card"><h2>${t('home.drafts')}</h2><${Loaded} load=${drafts}>${(/** @type {any} */ data) => data.drafts?.length
			? html`<ul class="lines">${data.drafts.map((/** @type {any} */ one) => html`<li><a data-row href=${`/file/${encodeURIComponent(one.series ?? 'GEN')}?draft=${one.draft}`}>${one.title || t('draft.untitled')}</a> <span class="muted">${titles.get(one.series) ?? one.series ?? ''} · <${Moment} at=${one.changed} /></span></li>`)}</ul>`
			: html`<p class="muted">${t('home.drafts.none')}</p>`}<//></section>
		<section class="card"><h2>${t('home.latest')}<a class="more-link screen" href="/records?order=filed_down">${t('all')}</a></h2><${Loaded} load=${latest}>${(/** @type {any} */ data) => data.rows.length
			? html`<table class="table"><thead><tr><th>${t('col.number')}</th><th>${t('col.title')}</th><th>${t('col.series')}</th><th>${t('col.department')}</th><th>${t('col.at')}</th></tr></thead>
				<tbody>${data.rows.map((/** @type {any} */ row) => html`<tr><td class="mono nowrap"><a href=${`/records/${row.record}`} data-row>${row.number}</a></td>
				<td class="title">${row.title}${row.version > 1 && html` <span class="muted">v${row.version}</span>`}</td><td>${row.series_title}</td><td>${row.department}</td><td class="nowrap"><${Moment} at=${row.at} /></td></tr>`)}</tbody></table>`
			: html`<p class="muted">${t('home.latest.none')}</p>`}<//></section></div>
		<aside><section class="card"><h2>${t('home.archive')}</h2><dl class="facts">
			<dt>${t('home.state')}</dt><dd>${now?.sealed ? html`<${Badge} kind="warn" icon="lock">${t('state.sealed')}<//>` : html`<${Badge} kind="good" icon="unlock">${t('state.unsealed')}<//>`}</dd>
			${now?.records !== undefined && html`<dt>${t('home.records')}</dt><dd>${number(now.records)}</dd>`}
			${now?.actions !== undefined && html`<dt>${t('home.actions')}</dt><dd>${number(now.actions)}</dd>`}
			${now?.indexed !== undefined && html`<dt>${t('home.indexed')}</dt><dd>${number(now.indexed)}${now.lag?.index ? html` <${Badge} kind="warn" icon="clock">${t('home.lag', { n: now.lag.index })}<//>` : ''}</dd>`}
			<dt>${t('home.verified')}</dt><dd>${verified.data?.result ? html`${verified.data.result.good ? html`<${Badge} kind="good" icon="check">${t('verify.good')}<//>` : html`<${Badge} kind="bad" icon="alert">${t('verify.bad')}<//>`}<br /><a href="/verification"><${Moment} at=${verified.data.ended} /></a>`
				: html`<a href="/verification">${t('home.verify.never')}</a>`}</dd></dl>
			${now?.problems?.length ? html`<ul class="problems">${now.problems.map((one) => html`<li><${Icon} name="alert" />${one}</li>`)}</ul>` : ''}</section>
		<section class="card"><h2>${t('home.keys')}</h2><p class="muted"><kbd>/</kbd> ${t('keys.search')}<br /><kbd>j</kbd> <kbd>k</kbd> ${t('keys.rows')}<br /><kbd>n</kbd> ${t('keys.new')}<br /><kbd>?</kbd> ${t('keys.help')}</p></section></aside></div>`;
}
