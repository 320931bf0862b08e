// differences.js - two versions of a record: fields, parts, and the text of parts.

import { html, navigate, url, useLoad, t, language, word, size } from '../lib/view.js';
import { get } from '../lib/api.js';
import { Head, Loaded, Icon, Badge, Moment, Empty } from '../lib/widgets.js';

/** @param {import('../app.js').PageProps} props */
export default function Differences({ match, query, path }) {
	const [record] = match;
	const shown = useLoad((signal) => get(`/records/${record}`, undefined, signal), [record, language.value]);
	const head = shown.data;
	const to = Number(query.get('to') ?? head?.version ?? 0);
	const from = Number(query.get('from') ?? Math.max(1, to - 1));
	const load = useLoad((signal) => (to ? get(`/records/${record}/differences`, { from, to }, signal) : new Promise(() => {})), [record, from, to, language.value]);
	return html`<${Loaded} load=${shown} what=${t('differences')}>${(/** @type {import('../types').Shown} */ now) => {
		/** @param {string} name @param {number} value */
		const choice = (name, value) => html`<label class="inline"><span>${t(`differences.${name}`)}</span><select value=${String(value)} onChange=${(/** @type {any} */ event) => navigate(url(path, query, { from, to, [name]: event.target.value }), { replace: true, keep: true })}>
			${now.history.map((one) => html`<option value=${one.version}>${t('version.n', { n: one.version })}</option>`)}</select></label>`;
		const facts = (/** @type {number} */ n) => now.history.find((one) => one.version === n);
		return html`<${Head} title=${t('differences.title', { title: now.title })} plain=${`${t('differences')} · ${now.number}`} crumbs=${[[now.series_title, url('/records', { series: now.series })], [now.number, `/records/${record}`], [t('differences'), undefined]]} />
			<div class="toolbar">${choice('from', from)}<${Icon} name="right" />${choice('to', to)}</div>
			<${Loaded} load=${load}>${(/** @type {any} */ data) => {
				const fields = data.fields ?? [], parts = data.parts ?? [], text = data.text ?? [];
				const row = (/** @type {any} */ one) => html`<tr><th scope="row">${one.label ?? word(`member.${one.member}`, one.name ?? one.member)}<br /><span class="muted">${word(`change.${one.kind}`, one.kind ?? '')}</span></th><td class="before">${one.before ?? html`<span class="muted">–</span>`}</td><td class="after">${one.after ?? html`<span class="muted">–</span>`}</td></tr>`;
				const heading = (/** @type {number} */ n) => html`<th scope="col">${t('version.n', { n })} <span class="muted"><${Moment} at=${facts(n)?.at} /> ${facts(n)?.name ?? ''}</span></th>`;
				if (!fields.length && !parts.length && !text.length)
					return html`<${Empty} title=${t('differences.none')} icon="check" />`;
				return html`<section class="card"><h2>${t('record.fields')}</h2>${fields.length ? html`<table class="table diff"><thead><tr><th scope="col" class="w-name">${t('differences.member')}</th>${heading(from)}${heading(to)}</tr></thead><tbody>${fields.map(row)}</tbody></table>` : html`<p class="muted">${t('differences.fields.none')}</p>`}</section>
					<section class="card"><h2>${t('record.parts')}</h2>${parts.length ? html`<table class="table"><thead><tr><th>${t('col.part')}</th><th>${t('col.what')}</th><th>${t('version.n', { n: from })}</th><th>${t('version.n', { n: to })}</th></tr></thead><tbody>${parts.map((/** @type {any} */ one) => html`<tr><td>${one.name ?? one.label}</td><td><${Badge} kind=${one.kind === 'removed' ? 'bad' : one.kind === 'added' ? 'good' : 'warn'}>${word(`change.${one.kind}`, one.kind)}<//></td>
						<td class="muted">${bytes(one.before)}</td><td class="muted">${bytes(one.after)}</td></tr>`)}</tbody></table>` : html`<p class="muted">${t('differences.parts.none')}</p>`}</section>
					${text.map((/** @type {any} */ one) => html`<section class="card"><h2>${t('differences.text', { part: one.part ?? one.name })}</h2>${(one.hunks ?? []).length ? html`<div class="text-diff">${one.hunks.map((/** @type {any} */ hunk) => html`${hunk.op === 'skipped' && html`<p class="skip">${t('differences.skipped', { n: hunk.count ?? 0 })}</p>`}${(hunk.lines ?? []).map((/** @type {string} */ line) => {
						const sign = hunk.op === 'added' ? '+' : hunk.op === 'removed' ? '−' : ' ';
						return html`<p class=${hunk.op}><span class="sign" aria-hidden="true">${sign}</span>${sign !== ' ' && html`<span class="unseen">${word(`change.${hunk.op}`, hunk.op)}</span>`}${line}</p>`;
					})}`)}</div>${one.exact === false && html`<p class="hint">${t('differences.inexact')}</p>`}` : html`<p class="muted">${one.sentence ?? t('differences.text.none')}</p>`}</section>`)}`;
			}}<//>`;
	}}<//>`;
}

/** @param {any} n */
function bytes(n) {
	return n === undefined ? '–' : /^\d+$/.test(String(n)) ? size(Number(n)) : String(n);
}
