// list.js - records in a table: query form, columns, density, selection, export of exactly this view.
//
// What is shown follows from the address alone. Pages are by key (`after`), so that a list of a million rows costs no
// more than one of ten; the way back is the stack of keys in the history entry.

import { html, navigate, url, useLoad, useRows, useKeys, useState, useEffect, useId, recall, remember, t, number, language, label, moment } from '../lib/view.js';
import { get, address, allSeries, session } from '../lib/api.js';
import { Head, Loading, Failed, Empty, Icon, Button, Go, Menu, Tool, Badge, Moment, Dialog, mayFile, announce, DayFilter } from '../lib/widgets.js';
import { SaveView } from './views.js';

/** @typedef {import('../types').Row} Row */

/** @type {Record<string, { width: string, sort?: [string, string], cell: (row: Row, href: string) => any }>} */
const COLUMNS = {
	number: { width: 'w-number', sort: ['number', ''], cell: (row, href) => html`<a class="mono" href=${href} data-row>${row.number}</a>` },
	title: { width: 'w-title', cell: (row, href) => html`<a class="plain" href=${href} tabindex="-1">${row.title}</a>${row.destroyed ? html` <${Badge} kind="bad" icon="trash">${t('state.destroyed')}<//>` : ''}` },
	series: { width: 'w-series', cell: (row) => row.series_title },
	department: { width: 'w-department', cell: (row) => row.department },
	date: { width: 'w-date', sort: ['oldest', 'newest'], cell: (row) => row.date },
	version: { width: 'w-version', cell: (row) => (row.version > 1 ? t('version.n', { n: row.version }) : html`<span class="muted">1</span>`) },
	type: { width: 'w-type', cell: (row) => t(`type.${row.type}`) },
	parts: { width: 'w-parts', cell: (row) => row.parts },
	at: { width: 'w-at', sort: ['filed', 'filed_down'], cell: (row) => html`<${Moment} at=${row.at} />` },
	name: { width: 'w-name', cell: (row) => row.name ?? row.account },
};
const USUAL = ['number', 'title', 'series', 'department', 'date', 'type', 'version', 'at', 'name'];
const FILTERS = ['series', 'department', 'type', 'from', 'to'];
const TYPES = ['pdf', 'docx', 'xlsx', 'pptx', 'odt', 'ofd', 'txt', 'html', 'mail', 'image', 'form', 'other'];
const LIMITS = [20, 50, 100, 200];

/** @param {import('../app.js').PageProps} props */
export default function List({ query, path }) {
	const [series, setSeries] = useState(/** @type {import('../types').SeriesRow[]} */ ([]));
	const [picked, setPicked] = useState(/** @type {Set<string>} */ (new Set()));
	const [settings, setSettings] = useState(false);
	useEffect(() => {
		allSeries().then(setSeries, () => {});
	}, [language.value]);
	const limit = Number(query.get('limit') ?? recall('limit', 50));
	const tight = (query.get('density') ?? recall('density', 'tight')) === 'tight';
	const code = query.get('series') ?? '';
	const usual = recall('columns', USUAL).filter((/** @type {string} */ name) => !(code && name === 'series'));
	const columns = (query.get('columns')?.split(',') ?? usual).filter((/** @type {string} */ name) => name in COLUMNS);
	const asked = new URLSearchParams();
	for (const name of [...FILTERS, 'order', 'after'])
		for (const value of query.getAll(name))
			if (value)
				asked.append(name, value);
	const view = new URLSearchParams(asked);
	view.delete('after');
	asked.set('limit', String(limit));
	const load = useLoad((signal) => get('/records', asked, signal), [asked.toString(), language.value]);
	useRows();
	const data = load.data;
	/** @type {Row[]} */
	const rows = data?.rows ?? [];
	const order = query.get('order') ?? 'newest';
	/** @type {string[]} */
	const stack = history.state?.stack ?? [];
	const next = data?.next && (typeof data.next === 'string' ? data.next : JSON.stringify(data.next));
	const goNext = () => next && navigate(url(path, query, { after: next }), { state: { stack: [...stack, query.get('after') ?? ''] } });
	const goBack = () => (stack.length ? navigate(url(path, query, { after: stack[stack.length - 1] }), { state: { stack: stack.slice(0, -1) } }) : navigate(url(path, query, { after: '' })));
	const current = () => {
		const row = document.activeElement?.closest('tr[data-record]');
		return row instanceof HTMLElement ? row.dataset.record : undefined;
	};
	/** @param {string} record */
	const pick = (record) => {
		const now = new Set(picked);
		if (!now.delete(record))
			now.add(record);
		setPicked(now);
	};
	useKeys({
		x: () => {
			const record = current();
			if (record)
				pick(record);
		},
		']': () => goNext(),
		'[': () => query.get('after') && goBack(),
	});
	useEffect(() => setPicked(new Set()), [asked.toString()]);
	const chosen = series.find((one) => one.code === code);
	const title = chosen ? label(chosen.title) : t('nav.all');
	const all = rows.length > 0 && rows.every((row) => picked.has(row.record));
	const filtered = FILTERS.some((name) => name !== 'series' && query.get(name));
	const copy = async () => {
		const text = rows.filter((row) => picked.has(row.record)).map((row) => row.number).join('\n');
		await navigator.clipboard.writeText(text).catch(() => {});
		announce(t('bulk.copied', { n: picked.size }));
	};
	const save = () => {
		/** @param {any} value what a spreadsheet would take for a formula is made text */
		const cell = (value) => {
			const text = String(value ?? '');
			return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`;
		};
		/** @type {Record<string, (row: Row) => any>} */
		const plain = { series: (row) => row.series_title, at: (row) => moment(row.at), name: (row) => row.name ?? row.account };
		const chosenRows = rows.filter((row) => picked.has(row.record));
		const lines = [[t('bulk.cover', { title, n: chosenRows.length, name: session.value?.name ?? '', at: moment(new Date().toISOString()) })], columns.map((/** @type {string} */ name) => t(`col.${name}`)),
			...chosenRows.map((row) => columns.map((/** @type {string} */ name) => (plain[name] ?? ((/** @type {any} */ one) => one[name]))(row)))];
		const link = document.createElement('a');
		link.href = URL.createObjectURL(new Blob(['\ufeff', lines.map((line) => line.map(cell).join(',')).join('\r\n'), '\r\n'], { type: 'text/csv' }));
		link.download = `${title}.csv`;
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 10000);
	};
	return html`<${Head} title=${title} note=${chosen ? t('list.note', { rule: chosen.number, code: chosen.code }) : ''}>
			<${SaveView} name=${title} />${mayFile() && html`<${Go} kind="primary" icon="plus" href=${code ? `/file/${encodeURIComponent(code)}` : '/file'}>${t('nav.file')}<//>`}<//>
		<${QueryForm} key=${query.toString()} query=${query} path=${path} series=${series} />
		<div class="toolbar screen">
			<p role="status">${data ? html`<strong>${t('list.count', { n: data.count })}</strong>` : ''}${query.get('after') ? html` <span class="muted">${t('list.page', { n: stack.length + 1 })}</span>` : ''}</p>
			${picked.size > 0 && html`<div class="bulk" role="region" aria-label=${t('bulk')}><strong>${t('bulk.n', { n: picked.size })}</strong>
				<${Button} icon="copy" class="small" onClick=${copy}>${t('bulk.copy')}<//>
				<${Menu} label=${t('bulk.sheets')} icon="print">${rows.filter((row) => picked.has(row.record)).slice(0, 50).map((row) => html`<a href=${address(`/records/${row.record}/sheet.pdf`)} target="_blank">${row.number}</a>`)}<//>
				<${Button} class="small" icon="download" onClick=${save}>${t('bulk.export')}<//>
				<${Button} class="small quiet" onClick=${() => setPicked(new Set())}>${t('bulk.none')}<//></div>`}
			<div class="toolbar-end"><${Tool} icon="refresh" label=${t('refresh')} onClick=${load.reload} />
				<${Tool} icon="rows" label=${tight ? t('density.loose') : t('density.tight')} onClick=${() => {
					remember('density', tight ? 'loose' : 'tight');
					navigate(url(path, query, { density: tight ? 'loose' : 'tight' }), { replace: true, keep: true, state: history.state ?? {} });
				}} />
				<${Tool} icon="columns" label=${t('columns')} onClick=${() => setSettings(true)} />
				<${Tool} icon="print" label=${t('print')} onClick=${() => print()} />
				<${Menu} label=${t('export')} icon="download" side="end"><a href=${address('/records.csv', view)} download>${t('export.csv')}</a><a href=${address('/records.xlsx', view)} download>${t('export.xlsx')}</a><p class="menu-note">${t('export.note')}</p><//></div></div>
		${load.state === 'loading' && html`<${Loading} />`}
		${load.state === 'failed' && html`<${Failed} error=${load.error} retry=${load.reload} what=${title} />`}
		${data && !rows.length && html`<${Empty} title=${filtered ? t('list.none.filtered') : t('list.none')}>${filtered ? html`<p><a href=${url(path, { series: code })}>${t('filter.clear')}</a></p>`
			: mayFile() && html`<p><${Go} kind="primary" icon="plus" href=${code ? `/file/${encodeURIComponent(code)}` : '/file'}>${t('list.first')}<//></p>`}<//>`}
		${rows.length > 0 && html`<div class="table-box" tabindex="0" role="region" aria-label=${title}><table class="table list ${tight ? 'tight' : ''} ${load.again ? 'again' : ''}"><caption class="unseen">${title}</caption>
			<thead><tr><th class="w-check screen"><input type="checkbox" aria-label=${t('bulk.all')} checked=${all} onChange=${() => setPicked(all ? new Set() : new Set(rows.map((row) => row.record)))} /></th>
			${columns.map((name) => html`<${Heading} name=${name} order=${order} query=${query} path=${path} />`)}<th class="w-act screen">${t('col.act')}</th></tr></thead>
			<tbody>${rows.map((row) => {
				const href = `/records/${row.record}`;
				return html`<tr data-record=${row.record} class=${picked.has(row.record) ? 'picked' : ''}><td class="screen"><input type="checkbox" aria-label=${t('bulk.one', { number: row.number })} checked=${picked.has(row.record)} onChange=${() => pick(row.record)} /></td>
					${columns.map((name) => html`<td class=${COLUMNS[name].width} title=${name === 'title' ? row.title : undefined}>${COLUMNS[name].cell(row, href)}</td>`)}
					<td class="screen nowrap act"><a href=${href}>${t('act.open')}</a>${mayFile() && !row.destroyed && row.series !== 'ACC' && row.series !== 'DEF' && html` <a href=${`${href}/revise`}>${t('act.revise')}</a>`}</td></tr>`;
			})}</tbody></table></div>
			<nav class="pager screen" aria-label=${t('pages')}>${query.get('after') && html`<${Button} icon="left" onClick=${goBack}>${t('page.before')}<//>`}
				<label class="inline"><span>${t('page.rows')}</span><select value=${String(limit)} onChange=${(/** @type {any} */ event) => {
					remember('limit', Number(event.target.value));
					navigate(url(path, query, { limit: event.target.value, after: '' }));
				}}>${LIMITS.map((n) => html`<option value=${n}>${n}</option>`)}</select></label>
				${next && rows.length >= limit && html`<${Button} onClick=${goNext}>${t('page.next')}<${Icon} name="right" /><//>`}</nav>`}
		<p class="print-only print-note">${t('list.print', { n: rows.length, all: data?.count ?? 0, name: session.value?.name ?? '' })}</p>
		<${ColumnSettings} open=${settings} close=${() => setSettings(false)} columns=${columns} choose=${(/** @type {string[] | undefined} */ names) => {
			remember('columns', names ?? USUAL);
			navigate(url(path, query, { columns: names ? names.join(',') : '' }), { replace: true, keep: true, state: history.state ?? {} });
		}} />`;
}

/** @param {{ name: string, order: string, query: URLSearchParams, path: string }} props */
function Heading({ name, order, query, path }) {
	const { sort, width } = COLUMNS[name];
	if (!sort)
		return html`<th scope="col" class=${width}>${t(`col.${name}`)}</th>`;
	const [up, down] = sort;
	const is = order === up ? 'ascending' : order === down && down ? 'descending' : undefined;
	return html`<th scope="col" class=${width} aria-sort=${is}><a class="sort" href=${url(path, query, { order: is === 'ascending' && down ? down : is === 'descending' || !down ? up : down, after: '' })}>${t(`col.${name}`)}
		${is && html`<${Icon} name=${is === 'ascending' ? 'up' : 'down'} />`}</a></th>`;
}

/** @param {{ query: URLSearchParams, path: string, series: import('../types').SeriesRow[] }} props */
function QueryForm({ query, path, series }) {
	const id = useId();
	const [open, setOpen] = useState(Boolean(query.get('type') || query.get('from') || query.get('to')) || recall('query.open', false));
	const [code, setCode] = useState(query.get('series') ?? '');
	const departments = [...new Set(series.filter((one) => !code || one.code === code).flatMap((one) => one.departments ?? []))];
	const chosen = query.get('department') ?? '';
	if (chosen && !departments.includes(chosen))
		departments.push(chosen);
	/** @param {any} event */
	const submit = (event) => {
		event.preventDefault();
		const form = new FormData(event.target);
		/** @type {Record<string, string>} */
		const wanted = { after: '' };
		for (const name of FILTERS)
			if (form.has(name))
				wanted[name] = String(form.get(name)).trim();
		navigate(url(path, query, wanted), { keep: true });
	};
	return html`<form class="query screen" onSubmit=${submit} aria-label=${t('query')}>
		<span class="pair"><label for=${`${id}-s`}>${t('col.series')}</label><select id=${`${id}-s`} name="series" value=${code} onChange=${(/** @type {any} */ event) => setCode(event.target.value)}><option value="">${t('any')}</option>${series.map((one) => html`<option value=${one.code}>${label(one.title)}</option>`)}</select></span>
		<span class="pair"><label for=${`${id}-d`}>${t('col.department')}</label><select id=${`${id}-d`} name="department" value=${chosen}><option value="">${t('any')}</option>${departments.map((one) => html`<option value=${one}>${one}</option>`)}</select></span>
		${open && html`<span class="pair"><label for=${`${id}-t`}>${t('col.type')}</label><select id=${`${id}-t`} name="type" value=${query.get('type') ?? ''}><option value="">${t('any')}</option>${TYPES.map((one) => html`<option value=${one}>${t(`type.${one}`)}</option>`)}</select></span>
		<span class="pair"><label for=${`${id}-f`}>${t('query.from')}</label><${DayFilter} id=${`${id}-f`} name="from" value=${query.get('from') ?? ''} /></span>
		<span class="pair"><label for=${`${id}-u`}>${t('query.to')}</label><${DayFilter} id=${`${id}-u`} name="to" value=${query.get('to') ?? ''} /></span>`}
		<span class="query-end"><${Button} type="submit" kind="primary" icon="search">${t('query.go')}<//><${Go} href=${path}>${t('query.reset')}<//>
		<button type="button" class="button quiet" aria-expanded=${open ? 'true' : 'false'} onClick=${() => {
			remember('query.open', !open);
			setOpen(!open);
		}}>${open ? t('query.fold') : t('query.unfold')}<${Icon} name=${open ? 'up' : 'down'} /></button></span></form>`;
}

/** @param {{ open: boolean, close: () => void, columns: string[], choose: (names: string[] | undefined) => void }} props */
function ColumnSettings({ open, close, columns, choose }) {
	const rest = Object.keys(COLUMNS).filter((name) => !columns.includes(name));
	/** @param {number} at @param {number} by */
	const move = (at, by) => {
		const now = [...columns];
		const [one] = now.splice(at, 1);
		now.splice(at + by, 0, one);
		choose(now);
	};
	return html`<${Dialog} open=${open} close=${close} title=${t('columns')}><ul class="choose">${columns.map((name, i) => html`<li key=${name}><label><input type="checkbox" checked disabled=${columns.length === 1 || name === 'number'} onChange=${() => choose(columns.filter((one) => one !== name))} />${t(`col.${name}`)}</label>
		<span><${Tool} icon="up" label=${t('move.up')} disabled=${i === 0} onClick=${() => move(i, -1)} /><${Tool} icon="down" label=${t('move.down')} disabled=${i === columns.length - 1} onClick=${() => move(i, 1)} /></span></li>`)}
		${rest.map((name) => html`<li key=${name}><label><input type="checkbox" onChange=${() => choose([...columns, name])} />${t(`col.${name}`)}</label></li>`)}</ul>
		<p class="actions end"><${Button} onClick=${() => choose(undefined)}>${t('columns.usual')}<//><${Button} kind="primary" onClick=${close}>${t('close')}<//></p><//>`;
}
