// file.js - filing: the form of a series, files beside it, a draft that keeps itself until it is submitted.
//
// A draft is no record. Its name is also the Idempotency-Key of the submission, so that pressing twice, or again after
// a cut connection, files once.

import { html, navigate, url, useLoad, useState, useEffect, useRef, useGuard, useId, useMemo, place, t, label, moment, language } from '../lib/view.js';
import { get, put, remove, call, fresh } from '../lib/api.js';
import { Head, Loaded, Button, Go, Labelled, ErrorSummary, Notice, Icon, Dialog, described, announce, mayFile, Failed, Tool, DateInput } from '../lib/widgets.js';
import { useUploads } from '../lib/upload.js';
import { FieldInput, missing, isRequired, typedOf, isDay } from './fields.js';
import { Drop, Sendings } from './parts.js';

/** @typedef {{ rel: string, number: string }} LinkTyped */
/** @typedef {{ series: string, series_title: string, title: string, department: string, date: string, number: string, reason: string, fields: Record<string, string>, links: LinkTyped[], parts: import('../lib/upload.js').Sending[], at: string }} Draft */

/** @param {import('../app.js').PageProps} props */
export default function File({ match, query }) {
	const [code] = match;
	const draft = query.get('draft') ?? '';
	const from = query.get('from') ?? '';
	const load = useLoad(async (signal) => {
		const series = get(`/series/${encodeURIComponent(code)}`, undefined, signal);
		const kept = draft ? get(`/drafts/${draft}`, undefined, signal).catch(() => undefined) : undefined;
		const earlier = from ? get(`/records/${from}`, undefined, signal) : undefined;
		const names = get('/accounts', undefined, signal).then((answer) => answer.accounts.map((/** @type {any} */ one) => one.name), () => []);
		return { series: await series, kept: await kept, earlier: await earlier, names: await names };
	}, [code, language.value, from]);
	if (!mayFile())
		return html`<${Failed} what=${t('denied.title')} error=${{ status: 403, code: 'denied', message: t('denied.file') }} />`;
	return html`<${Loaded} load=${load} what=${t('nav.file')}>${(/** @type {any} */ data) => html`<${Form} key=${`${code}-${from}`} ...${data} draft=${draft} />`}<//>`;
}

/** @param {{ series: import('../types').Series, kept: any, earlier: import('../types').Shown | undefined, names: string[], draft: string }} props */
function Form({ series, kept, earlier, names, draft }) {
	const id = useId();
	const [name] = useState(() => draft || fresh());
	const first = useMemo(() => {
		/** @type {Partial<Draft>} */
		const inside = kept?.content ?? {};
		/** @type {Record<string, string>} */
		const fields = { ...inside.fields };
		if (earlier && !inside.fields)
			for (const one of earlier.fields) {
				const text = typedOf(one);
				if (text !== undefined)
					fields[one.name] = text;
			}
		const departments = series.departments ?? [];
		return {
			title: inside.title ?? earlier?.title ?? '', department: inside.department ?? earlier?.department ?? (departments.length === 1 ? departments[0].name : ''),
			date: inside.date ?? '', number: inside.number ?? '', reason: inside.reason ?? '', fields, links: inside.links ?? [], parts: inside.parts ?? [],
		};
	}, []);
	const [title, setTitle] = useState(first.title);
	const [department, setDepartment] = useState(first.department);
	const [date, setDate] = useState(first.date);
	const [given, setGiven] = useState(first.number);
	const [reason, setReason] = useState(first.reason);
	const [values, setValues] = useState(first.fields);
	const [links, setLinks] = useState(/** @type {LinkTyped[]} */ (first.links));
	const uploads = useUploads(first.parts.map((one) => ({ ...one, file: undefined, state: one.state === 'done' ? 'done' : 'lost' })));
	const [wrong, setWrong] = useState(/** @type {import('../lib/widgets.js').Wrong[]} */ ([]));
	const [saved, setSaved] = useState(/** @type {string} */ (kept?.changed ?? ''));
	const [saveError, setSaveError] = useState('');
	const [busy, setBusy] = useState(false);
	const [done, setDone] = useState(/** @type {any} */ (undefined));
	const [copying, setCopying] = useState(false);
	const touched = useRef(false);
	const idOf = (/** @type {string} */ field) => `${id}-${field}`;
	const said = (/** @type {string} */ field) => wrong.find((one) => one.field === field)?.text;

	// The draft keeps itself: a moment after the last change.
	const state = JSON.stringify({ title, department, date, given, reason, values, links, parts: uploads.list.map(({ key, name: called, size, media, note, state: how, upload, sha256 }) => ({ key, name: called, size, media, note, state: how, upload, sha256, sent: 0 })) });
	const [begun] = useState(state);
	const keep = async () => {
		if (done || state === begun)
			return;
		const inside = JSON.parse(state);
		try {
			await put(`/drafts/${name}`, { content: { series: series.code, series_title: label(series.title), title, department, date, number: given, reason, fields: values, links, parts: inside.parts, at: new Date().toISOString() } });
			setSaved(new Date().toISOString());
			setSaveError('');
			touched.current = false;
			if (!new URLSearchParams(location.search).get('draft'))
				navigate(url(place.value.path, place.value.query, { draft: name }), { replace: true, keep: true });
		} catch (error) {
			setSaveError(/** @type {Error} */ (error).message);
		}
	};
	const latest = useRef(keep);
	latest.current = keep;
	useEffect(() => {
		if (state === begun || done)
			return undefined;
		touched.current = true;
		const timer = setTimeout(() => latest.current(), 1200);
		return () => clearTimeout(timer);
	}, [state, done]);
	useGuard(() => (!done && (uploads.busy || (touched.current && saveError)) ? t('file.leave') : undefined));

	/** @param {Event} event */
	const submit = async (event) => {
		event.preventDefault();
		/** @type {import('../lib/widgets.js').Wrong[]} */
		const found = [];
		if (!title.trim())
			found.push({ field: 'title', id: idOf('title'), text: t('wrong.missing', { label: t('col.title') }) });
		if (series.departments?.length && !department)
			found.push({ field: 'department', id: idOf('department'), text: t('wrong.missing', { label: t('col.department') }) });
		if (date && !isDay(date))
			found.push({ field: 'date', id: idOf('date'), text: t('wrong.date', { label: t('col.date'), value: date }) });
		found.push(...missing(series.fields, values, idOf));
		for (const one of uploads.list)
			if (one.state !== 'done')
				found.push({ field: 'parts', id: idOf('parts'), text: t(one.state === 'failed' || one.state === 'lost' ? 'wrong.upload.failed' : 'wrong.upload.busy', { name: one.name }) });
		setWrong(found);
		if (found.length)
			return;
		setBusy(true);
		/** @type {Record<string, string>} */
		const fields = {};
		for (const [field, value] of Object.entries(values))
			if (value.trim())
				fields[field] = value;
		try {
			const { data } = await call('POST', '/records', {
				headers: { 'Idempotency-Key': name },
				body: {
					series: series.code, title: title.trim(), fields, ...(department ? { department } : {}), ...(date ? { date } : {}), ...(given ? { number: given.trim() } : {}), ...(reason ? { reason } : {}),
					...(links.length ? { links: links.filter((one) => one.number.trim()) } : {}),
					parts: uploads.list.map((one) => ({ upload: one.upload, name: one.name, ...(one.media ? { media: one.media } : {}), ...(one.note ? { note: one.note } : {}) })),
				},
			});
			setDone(data);
			announce(t('file.done', { number: data.number }));
			remove(`/drafts/${name}`).catch(() => {});
		} catch (error) {
			setWrong(wrongOf(error, idOf, series.fields));
		} finally {
			setBusy(false);
		}
	};
	if (done)
		return html`<${Head} title=${t('file.done', { number: done.number })}><//><div class="card done"><${Notice} kind="good" title=${done.existing ? t('file.existing') : t('file.kept')}><p>${t('file.kept.text')}</p><//>
			<dl class="facts"><dt>${t('col.number')}</dt><dd class="mono">${done.number}</dd><dt>${t('col.title')}</dt><dd>${title}</dd><dt>${t('proof.commit')}</dt><dd class="mono">${done.commit}</dd></dl>
			<p class="actions"><${Go} kind="primary" href=${`/records/${done.record}`} icon="eye">${t('act.open')}<//><${Go} href=${url(`/file/${encodeURIComponent(series.code)}`, { from: done.record })} icon="copy">${t('act.copy')}<//><a class="button" href=${`/file/${encodeURIComponent(series.code)}?n=${Date.now()}`}><${Icon} name="plus" />${t('file.more')}</a></p></div>`;
	const head = series.departments ?? [];
	return html`<${Head} title=${t('file.title', { series: label(series.title) })} wrong=${wrong.length > 0} crumbs=${[[t('nav.file'), '/file'], [label(series.title), undefined]]}
			note=${html`${t('series.number')} <code>${series.number}</code> · ${t('retention')} ${series.retention.map((one) => one.title || one.code).join(t('comma'))}`}>
			<${Button} icon="copy" onClick=${() => setCopying(true)}>${t('file.copyfrom')}<//><${Go} icon="upload" href=${`/file/${encodeURIComponent(series.code)}/batch`}>${t('batch.each')}<//><//>
		<${ErrorSummary} wrong=${wrong} />
		${earlier && html`<${Notice}>${t('file.copied', { number: earlier.number })}<//>`}
		<form class="form" onSubmit=${submit} novalidate>
			<div class="form-main"><section class="card"><h2>${t('file.head')}</h2>
				<${Labelled} id=${idOf('title')} label=${t('col.title')} required wide wrong=${said('title')}><input id=${idOf('title')} maxlength="500" aria-required="true" aria-invalid=${said('title') ? 'true' : undefined} aria-describedby=${described(idOf('title'), '', said('title'))} value=${title} onInput=${(/** @type {any} */ event) => setTitle(event.target.value)} /><//>
				<${Labelled} id=${idOf('department')} label=${t('col.department')} required=${head.length > 0} wrong=${said('department')} hint=${head.length ? t('hint.department') : t('hint.department.any')}>${head.length
					? html`<select id=${idOf('department')} aria-required="true" aria-describedby=${described(idOf('department'), true, said('department'))} value=${department} onChange=${(/** @type {any} */ event) => setDepartment(event.target.value)}><option value="">${t('choose')}</option>${head.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select>`
					: html`<input id=${idOf('department')} aria-describedby=${described(idOf('department'), true, said('department'))} value=${department} onInput=${(/** @type {any} */ event) => setDepartment(event.target.value)} />`}<//>
				${!series.date_field && html`<${Labelled} id=${idOf('date')} label=${t('col.date')} hint=${t('hint.day')} wrong=${said('date')}><${DateInput} common=${{ id: idOf('date'), 'aria-describedby': described(idOf('date'), true, said('date')) }} value=${date} change=${setDate} /><//>`}
				${series.given && html`<${Labelled} id=${idOf('number')} label=${t('file.number')} hint=${t('hint.number')} wrong=${said('number')}><input class="mono" id=${idOf('number')} aria-describedby=${described(idOf('number'), true, said('number'))} value=${given} onInput=${(/** @type {any} */ event) => setGiven(event.target.value)} /><//>`}</section>
			<section class="card"><h2>${t('record.fields')}</h2>${series.fields.map((field) => html`<${FieldInput} key=${field.name} field=${field} id=${idOf(field.name)} value=${values[field.name] ?? ''} required=${isRequired(field, values)} wrong=${said(field.name)} people=${`${id}-people`}
				change=${(/** @type {string} */ value) => setValues((old) => ({ ...old, [field.name]: value }))} />`)}<datalist id=${`${id}-people`}>${names.map((one) => html`<option value=${one} />`)}</datalist></section></div>
			<div class="form-side"><section class="card"><h2>${t('record.parts')}</h2><${Drop} id=${idOf('parts')} add=${uploads.add} /><${Sendings} uploads=${uploads} /></section>
			<section class="card"><h2>${t('record.links')}</h2><${Links} links=${links} change=${setLinks} wrong=${said('links')} id=${idOf('links')} /></section>
			<section class="card"><${Labelled} id=${idOf('reason')} label=${t('file.note')} hint=${t('hint.note')} wide><input id=${idOf('reason')} aria-describedby=${described(idOf('reason'), true, '')} value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)} /><//></section></div>
			<div class="form-end"><${Button} type="submit" kind="primary" icon="check" busy=${busy}>${busy ? t('file.busy') : t('file.submit')}<//><span class="muted" role="status">${saveError ? html`<span class="bad-text">${t('draft.failed', { why: saveError })}</span>` : saved ? t('draft.saved', { at: moment(saved).slice(11) }) : t('draft.note')}</span>
				${saved && html`<${Button} kind="quiet" icon="trash" onClick=${async () => {
					await remove(`/drafts/${name}`).catch(() => {});
					touched.current = false;
					navigate('/file');
				}}>${t('draft.remove')}<//>`}</div></form>
		<${CopyFrom} open=${copying} close=${() => setCopying(false)} series=${series} />`;
}

/** What the server refused, as errors of fields. @param {any} error @param {(name: string) => string} idOf @param {import('../types').Field[]} fields @returns {import('../lib/widgets.js').Wrong[]} */
export function wrongOf(error, idOf, fields) {
	const known = ['title', 'department', 'date', 'number', 'parts', 'links', 'reason', ...fields.map((one) => one.name)];
	/** @type {{ field?: string, text?: string, rule?: string }[]} */
	const all = error.body?.problems ?? [{ field: error.field, text: error.message, rule: error.rule }];
	return all.map((one) => {
		const field = one.field ?? fields.find((other) => one.text?.startsWith(other.label))?.name ?? '';
		return { field, text: one.text ?? error.message, rule: one.rule, id: known.includes(field) ? idOf(field) : undefined };
	});
}

const RELATIONS = ['basis', 'about', 'answers', 'replaces', 'follows'];

/** @param {{ links: LinkTyped[], change: (links: LinkTyped[]) => void, wrong?: string, id: string }} props */
export function Links({ links, change, wrong, id }) {
	return html`<div id=${id} tabindex="-1">${wrong && html`<p class="field-wrong"><${Icon} name="alert" />${wrong}</p>`}${links.map((one, i) => html`<div class="link-row"><select aria-label=${t('link.rel')} value=${one.rel} onChange=${(/** @type {any} */ event) => change(links.map((old, j) => (j === i ? { ...old, rel: event.target.value } : old)))}>${[...new Set([...RELATIONS, one.rel])].map((rel) => html`<option value=${rel}>${t(`rel.${rel}`)}</option>`)}</select>
		<input class="mono" aria-label=${t('link.number')} placeholder=${t('link.number')} value=${one.number} onInput=${(/** @type {any} */ event) => change(links.map((old, j) => (j === i ? { ...old, number: event.target.value } : old)))} />
		<${Tool} icon="trash" label=${t('link.remove')} onClick=${() => change(links.filter((_, j) => j !== i))} /></div>`)}
		<${Button} class="small" icon="plus" onClick=${() => change([...links, { rel: 'basis', number: '' }])}>${t('link.add')}<//></div>`;
}

/** @param {{ open: boolean, close: () => void, series: import('../types').Series }} props */
function CopyFrom({ open, close, series }) {
	const load = useLoad((signal) => (open ? get('/records', { series: series.code, order: 'filed_down', limit: 20 }, signal) : Promise.resolve({ rows: [] })), [open]);
	return html`<${Dialog} open=${open} close=${close} title=${t('file.copyfrom')} wide><p class="muted">${t('file.copyfrom.text')}</p><${Loaded} load=${load}>${(/** @type {any} */ data) => data.rows.length
		? html`<ul class="lines">${data.rows.map((/** @type {any} */ row) => html`<li><a href=${url(`/file/${encodeURIComponent(series.code)}`, { from: row.record })} onClick=${close}>${row.title}</a> <span class="muted mono">${row.number}</span></li>`)}</ul>` : html`<p>${t('list.none')}</p>`}<//><//>`;
}
