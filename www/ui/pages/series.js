// series.js - the definitions behind the forms, in words and as they are written.

import { html, useLoad, useRows, t, label, word, language, number } from '../lib/view.js';
import { allSeries, get } from '../lib/api.js';
import { Head, Loaded, Go, Badge, Copyable, mayFile } from '../lib/widgets.js';
import { Commands } from './record.js';

/** @param {import('../app.js').PageProps} props */
export default function SeriesPage({ match }) {
	return match[0] ? html`<${One} code=${match[0]} />` : html`<${All} />`;
}

function All() {
	useRows();
	const load = useLoad(() => allSeries(true), [language.value]);
	return html`<${Head} title=${t('nav.definitions')} note=${t('definitions.note')} /><${Loaded} load=${load} what=${t('nav.definitions')}>${(/** @type {import('../types').SeriesRow[]} */ rows) => html`<table class="table"><thead><tr><th>${t('series.code')}</th><th>${t('col.series')}</th><th>${t('series.number')}</th><th>${t('col.department')}</th><th>${t('series.sensitivity')}</th><th>${t('series.version')}</th><th>${t('fact.records')}</th></tr></thead>
		<tbody>${rows.map((one) => html`<tr><td class="mono nowrap"><a data-row href=${`/series/${encodeURIComponent(one.code)}`}>${one.code}</a></td><td class="nowrap">${label(one.title)}</td><td><code>${one.number}</code></td><td>${one.departments?.join(t('comma')) ?? t('series.any')}</td><td class="nowrap">${word(`sensitivity.${one.sensitivity}`, one.sensitivity)}</td><td class="num">${one.version}</td><td class="num">${number(one.records)}</td></tr>`)}</tbody></table>`}<//>`;
}

/** @param {{ code: string }} props */
function One({ code }) {
	const load = useLoad((signal) => get(`/series/${encodeURIComponent(code)}`, undefined, signal), [code, language.value]);
	return html`<${Loaded} load=${load} what=${t('nav.definitions')}>${(/** @type {import('../types').Series} */ one) => html`<${Head} title=${label(one.title)} crumbs=${[[t('nav.definitions'), '/series'], [one.code, undefined]]}>${mayFile() && one.code !== 'ACC' && one.code !== 'DEF' && html`<${Go} kind="primary" icon="plus" href=${`/file/${encodeURIComponent(one.code)}`}>${t('nav.file')}<//>`}<${Go} icon="list" href=${`/records?series=${encodeURIComponent(one.code)}`}>${t('series.records')}<//><//>
		<div class="columns"><div><section class="card"><h2>${t('record.fields')}</h2><table class="table"><thead><tr><th>${t('field.label')}</th><th>${t('field.name')}</th><th>${t('field.type')}</th><th>${t('field.required')}</th><th>${t('field.rest')}</th></tr></thead><tbody>${one.fields.map((field) => html`<tr><td>${field.label}</td><td class="mono">${field.name}</td><td class="nowrap">${word(`kind.${field.type}`, field.type)}${field.several ? ` · ${t('field.several')}` : ''}</td>
			<td>${field.required ? t('yes') : field.required_when ? t('field.when', { field: one.fields.find((other) => other.name === field.required_when?.field)?.label ?? field.required_when.field, values: field.required_when.values.map((value) => one.fields.find((other) => other.name === field.required_when?.field)?.choices?.find((choice) => choice.name === value)?.label ?? value).join(t('comma')) }) : html`<span class="muted">${t('no')}</span>`}</td>
			<td>${field.sensitive && html`<${Badge} kind="warn" icon="lock">${t('masked')}<//> `}${(field.choices ?? field.columns ?? []).map((choice) => choice.label).join(t('comma'))}</td></tr>`)}</tbody></table></section>${one.text && html`<section class="card"><h2>${t('series.text')}</h2><${Commands} lines=${one.text.trimEnd().split('\n')} /></section>`}</div>
		<aside><section class="card"><dl class="facts"><dt>${t('series.code')}</dt><dd class="mono">${one.code}</dd><dt>${t('series.number')}</dt><dd><code>${one.number}</code></dd>${one.given && html`<dt>${t('series.given')}</dt><dd><code>${one.given}</code></dd>`}<dt>${t('col.department')}</dt><dd>${one.departments?.map((other) => other.name).join(t('comma')) ?? t('series.any')}</dd>
			<dt>${t('retention')}</dt><dd>${one.retention.map((other) => html`<div>${other.title} <span class="muted">${other.code}</span></div>`)}</dd><dt>${t('series.sensitivity')}</dt><dd>${word(`sensitivity.${one.sensitivity}`, one.sensitivity)}</dd><dt>${t('series.version')}</dt><dd>${one.version}${one.record_number && html` · <a href=${`/records/${encodeURIComponent(one.record_number)}`}>${one.record_number}</a>`}</dd><dt>SHA-256</dt><dd><${Copyable} text=${one.definition} short=${16} label="SHA-256" /></dd></dl></section></aside></div>`}<//>`;
}
