// batch.js - many files, each a record of its own: dropped, sent, filed one after the other, and watched being indexed.

import { html, useLoad, useState, useEffect, useRef, useGuard, useId, t, label, language, size } from '../lib/view.js';
import { get, call, listen } from '../lib/api.js';
import { Head, Loaded, Button, Labelled, ErrorSummary, Notice, Badge, Tool, described, mayFile, Failed } from '../lib/widgets.js';
import { useUploads } from '../lib/upload.js';
import { FieldInput, missing, isRequired } from './fields.js';
import { Drop, Sent } from './parts.js';

/** @param {import('../app.js').PageProps} props */
export default function Batch({ match }) {
	const [code] = match;
	const load = useLoad((signal) => get(`/series/${encodeURIComponent(code)}`, undefined, signal), [code, language.value]);
	if (!mayFile())
		return html`<${Failed} what=${t('denied.title')} error=${{ status: 403, code: 'denied', message: t('denied.file') }} />`;
	return html`<${Loaded} load=${load} what=${t('batch.each')}>${(/** @type {any} */ series) => html`<${Form} series=${series} />`}<//>`;
}

/** @typedef {{ title: string, state: 'ready' | 'filing' | 'filed' | 'refused', number?: string, record?: string, problem?: string, indexed?: boolean, existing?: boolean }} Filed */

/** @param {{ series: import('../types').Series }} props */
function Form({ series }) {
	const id = useId();
	const uploads = useUploads();
	const [filed, setFiled] = useState(/** @type {Record<string, Filed>} */ ({}));
	const departments = series.departments ?? [];
	const [department, setDepartment] = useState(departments.length === 1 ? departments[0].name : '');
	const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
	const [wrong, setWrong] = useState(/** @type {import('../lib/widgets.js').Wrong[]} */ ([]));
	const [going, setGoing] = useState(false);
	const [indexed, setIndexed] = useState(/** @type {Set<string>} */ (new Set()));
	const busy = useRef(false);
	const idOf = (/** @type {string} */ field) => `${id}-${field}`;
	const said = (/** @type {string} */ field) => wrong.find((one) => one.field === field)?.text;
	/** @param {string} key @param {Partial<Filed>} change */
	const set = (key, change) => setFiled((old) => ({ ...old, [key]: { ...(old[key] ?? { title: '', state: 'ready' }), ...change } }));
	const titleOf = (/** @type {import('../lib/upload.js').Sending} */ one) => filed[one.key]?.title || one.name.replace(/\.[^.]{1,5}$/, '');

	// The index says when it has put something; how far it is, the status says.
	const records = Object.values(filed).filter((one) => one.state === 'filed');
	const waiting = records.filter((one) => !indexed.has(one.record ?? ''));
	const look = useRef(() => {});
	look.current = async () => {
		const now = waiting.length ? await get('/status').catch(() => undefined) : undefined;
		if (now?.lag?.index === 0 && !now.extracting)
			setIndexed((old) => new Set([...old, ...waiting.map((one) => one.record ?? '')]));
	};
	useEffect(() => listen((name, data) => {
		if (name === 'record' && data.event === 'indexed')
			look.current();
	}), []);
	useEffect(() => {
		if (!waiting.length)
			return undefined;
		const timer = setInterval(() => look.current(), 2000);
		return () => clearInterval(timer);
	}, [waiting.length]);

	// Whatever was sent is filed, in the order of the list, one at a time.
	useEffect(() => {
		if (!going || busy.current)
			return;
		const one = uploads.list.find((other) => other.state === 'done' && (filed[other.key]?.state ?? 'ready') === 'ready');
		if (!one) {
			if (!uploads.busy)
				setGoing(false);
			return;
		}
		busy.current = true;
		set(one.key, { state: 'filing', title: titleOf(one) });
		call('POST', '/records', {
			headers: { 'Idempotency-Key': one.key },
			body: { series: series.code, title: titleOf(one), ...(department ? { department } : {}), fields: Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim())), parts: [{ upload: one.upload, name: one.name, ...(one.media ? { media: one.media } : {}) }] },
		}).then(
			({ data }) => set(one.key, { state: 'filed', number: data.number, record: data.record, existing: data.existing }),
			(error) => set(one.key, { state: 'refused', problem: error.message })
		).finally(() => {
			busy.current = false;
			setFiled((old) => ({ ...old }));
		});
	}, [going, filed, uploads.list]);
	useGuard(() => (going || uploads.busy ? t('file.leave') : undefined));

	/** @param {Event} event */
	const submit = (event) => {
		event.preventDefault();
		const found = missing(series.fields, values, idOf);
		if (departments.length && !department)
			found.unshift({ field: 'department', id: idOf('department'), text: t('wrong.missing', { label: t('col.department') }) });
		if (!uploads.list.length)
			found.push({ field: 'parts', id: idOf('parts'), text: t('batch.nofiles') });
		setWrong(found);
		if (!found.length) {
			for (const one of uploads.list)
				if (filed[one.key]?.state === 'refused')
					set(one.key, { state: 'ready', problem: undefined });
			setGoing(true);
		}
	};
	const all = uploads.list.length;
	const done = records.length;
	const refused = Object.values(filed).filter((one) => one.state === 'refused').length;
	return html`<${Head} title=${t('batch.title', { series: label(series.title) })} wrong=${wrong.length > 0} note=${t('batch.note')} crumbs=${[[t('nav.file'), '/file'], [label(series.title), `/file/${encodeURIComponent(series.code)}`], [t('batch.each'), undefined]]} />
		<${ErrorSummary} wrong=${wrong} />
		<form class="form one" onSubmit=${submit} novalidate><section class="card"><h2>${t('batch.same')}</h2>
			<${Labelled} id=${idOf('department')} label=${t('col.department')} required=${departments.length > 0} wrong=${said('department')}>${departments.length ? html`<select id=${idOf('department')} value=${department} onChange=${(/** @type {any} */ event) => setDepartment(event.target.value)}><option value="">${t('choose')}</option>${departments.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select>`
				: html`<input id=${idOf('department')} aria-describedby=${described(idOf('department'), '', said('department'))} value=${department} onInput=${(/** @type {any} */ event) => setDepartment(event.target.value)} />`}<//>
			<details open=${series.fields.some((one) => one.required)}><summary>${t('batch.fields')}</summary>${series.fields.map((field) => html`<${FieldInput} key=${field.name} field=${field} id=${idOf(field.name)} value=${values[field.name] ?? ''} required=${isRequired(field, values)} wrong=${said(field.name)} change=${(/** @type {string} */ value) => setValues((old) => ({ ...old, [field.name]: value }))} />`)}</details></section>
		<section class="card"><h2>${t('batch.files')}${all > 0 && html`<span class="h2-note" role="status">${t('batch.progress', { done, all })}${refused ? ` · ${t('batch.refused', { n: refused })}` : ''}</span>`}</h2><${Drop} id=${idOf('parts')} add=${uploads.add} folders small=${all > 0} />
			${all > 0 && html`<progress class="whole" max=${all} value=${done} aria-label=${t('batch.progress', { done, all })}></progress>
			<div class="table-box"><table class="table batch"><thead><tr><th>#</th><th>${t('col.part')}</th><th>${t('col.title')}</th><th>${t('batch.size')}</th><th>${t('batch.state')}</th><th>${t('col.number')}</th><th><span class="unseen">${t('col.act')}</span></th></tr></thead><tbody>${uploads.list.map((one, i) => {
				const now = filed[one.key];
				return html`<tr key=${one.key}><td class="muted">${i + 1}</td><td class="part-cell" title=${one.name}>${one.name}</td><td>${now?.state === 'filed' ? html`<a href=${`/records/${now.record}`} target="_blank">${titleOf(one)}</a>` : html`<input aria-label=${`${t('col.title')} ${one.name}`} value=${titleOf(one)} disabled=${now?.state === 'filing'} onInput=${(/** @type {any} */ event) => set(one.key, { title: event.target.value })} />`}</td><td class="nowrap muted">${size(one.size)}</td>
					<td class="nowrap">${now?.state === 'filed' ? html`<${Badge} kind="good" icon="check">${now.existing ? t('batch.existing') : indexed.has(now.record ?? '') ? t('batch.indexed') : t('batch.filed')}<//>` : now?.state === 'filing' ? html`<span class="muted">${t('file.busy')}</span>` : now?.state === 'refused' ? html`<${Badge} kind="bad" icon="alert">${now.problem}<//>` : html`<${Sent} one=${one} />`}</td>
					<td class="mono nowrap">${now?.number ?? ''}</td><td>${now?.state !== 'filed' && now?.state !== 'filing' && html`<${Tool} icon="trash" label=${`${t('part.remove')} ${one.name}`} onClick=${() => uploads.drop(one.key)} />`}</td></tr>`;
			})}</tbody></table></div>`}
			${done > 0 && done + refused === all && html`<${Notice} kind=${refused ? 'warn' : 'good'} role="status" title=${t('batch.done', { n: done })}>${refused ? html`<p>${t('batch.done.refused', { n: refused })}</p>` : ''}<//>`}</section>
		<div class="form-end"><${Button} type="submit" kind="primary" icon="check" busy=${going} disabled=${done === all && all > 0}>${going ? t('file.busy') : t('batch.submit', { n: all - done })}<//></div></form>`;
}
