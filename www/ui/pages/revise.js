// revise.js - a new version of a record: what changes, and why. When somebody was faster, both versions are shown
// beside what was typed here, and each difference is decided by a person.

import { html, navigate, useLoad, useState, useGuard, useId, useMemo, t, label, language, size } from '../lib/view.js';
import { get, call } from '../lib/api.js';
import { Head, Loaded, Button, Go, Labelled, ErrorSummary, Notice, Icon, described, announce, mayFile, Failed, Moment } from '../lib/widgets.js';
import { useUploads } from '../lib/upload.js';
import { FieldInput, missing, isRequired, typedOf } from './fields.js';
import { wrongOf, Links } from './file.js';
import { Drop, Sendings } from './parts.js';

/** @typedef {import('../types').Shown} Shown */

/** @param {import('../app.js').PageProps} props */
export default function Revise({ match }) {
	const [record] = match;
	const load = useLoad(async (signal) => {
		const shown = /** @type {Shown} */ (await get(`/records/${record}`, undefined, signal));
		const series = /** @type {import('../types').Series} */ (await get(`/series/${encodeURIComponent(shown.series)}`, { definition: shown.definition }, signal));
		return { shown, series };
	}, [record, language.value]);
	if (!mayFile())
		return html`<${Failed} what=${t('denied.title')} error=${{ status: 403, code: 'denied', message: t('denied.file') }} />`;
	return html`<${Loaded} load=${load} what=${t('act.revise')}>${(/** @type {any} */ data) => html`<${Form} ...${data} />`}<//>`;
}

/** @param {Shown} shown */
function read(shown) {
	/** @type {Record<string, string>} */
	const values = {};
	/** @type {Record<string, string>} */
	const masked = {};
	for (const one of shown.fields) {
		const text = typedOf(one);
		if (text === undefined)
			masked[one.name] = one.text;
		else
			values[one.name] = text;
	}
	return { values, masked };
}

/** @param {{ shown: Shown, series: import('../types').Series }} props */
function Form({ shown, series }) {
	const id = useId();
	const [base, setBase] = useState(shown);
	const before = useMemo(() => read(base), [base]);
	const [title, setTitle] = useState(shown.title);
	const [values, setValues] = useState(before.values);
	const [removed, setRemoved] = useState(/** @type {string[]} */ ([]));
	const [links, setLinks] = useState(shown.links.map((one) => ({ rel: one.rel, number: one.number ?? one.record })));
	const [reason, setReason] = useState('');
	const [wrong, setWrong] = useState(/** @type {import('../lib/widgets.js').Wrong[]} */ ([]));
	const [busy, setBusy] = useState(false);
	const [conflict, setConflict] = useState(/** @type {{ base: Shown, head: Shown } | undefined} */ (undefined));
	const [done, setDone] = useState(false);
	const uploads = useUploads();
	const idOf = (/** @type {string} */ field) => `${id}-${field}`;
	const said = (/** @type {string} */ field) => wrong.find((one) => one.field === field)?.text;

	/** @type {Record<string, string>} */
	const changed = {};
	for (const field of series.fields) {
		const now = (values[field.name] ?? '').trim(), was = (before.values[field.name] ?? '').trim();
		if (now !== was && !(before.masked[field.name] !== undefined && now === ''))
			changed[field.name] = now;
	}
	const linksNow = JSON.stringify(links.filter((one) => one.number.trim()));
	const linksChanged = linksNow !== JSON.stringify(base.links.map((one) => ({ rel: one.rel, number: one.number ?? one.record })));
	const count = Object.keys(changed).length + (title.trim() !== base.title ? 1 : 0) + removed.length + uploads.list.length + (linksChanged ? 1 : 0);
	useGuard(() => (!done && count > 0 ? t('file.leave') : undefined));

	/** @param {Event} [event] @param {number} [over] the version that is revised */
	const submit = async (event, over = base.version) => {
		event?.preventDefault();
		const found = missing(series.fields, values, idOf, before.masked);
		if (!title.trim())
			found.unshift({ field: 'title', id: idOf('title'), text: t('wrong.missing', { label: t('col.title') }) });
		if (count === 0)
			found.push({ field: '', text: t('revise.nothing') });
		if ([...reason.trim()].length < 2)
			found.push({ field: 'reason', id: idOf('reason'), text: t('revise.reason.missing') });
		for (const one of uploads.list)
			if (one.state !== 'done')
				found.push({ field: 'parts', id: idOf('parts'), text: t(one.state === 'failed' ? 'wrong.upload.failed' : 'wrong.upload.busy', { name: one.name }) });
		setWrong(found);
		if (found.length)
			return;
		setBusy(true);
		try {
			const { data } = await call('PATCH', `/records/${base.record}`, {
				headers: { 'If-Match': `"${over}"` },
				body: {
					...(title.trim() !== base.title ? { title: title.trim() } : {}), ...(Object.keys(changed).length ? { fields: changed } : {}), ...(removed.length ? { remove: removed } : {}), ...(linksChanged ? { links: JSON.parse(linksNow) } : {}),
					...(uploads.list.length ? { parts: uploads.list.map((one) => ({ upload: one.upload, name: one.name, ...(one.media ? { media: one.media } : {}), ...(one.note ? { note: one.note } : {}) })) } : {}), reason: reason.trim(),
				},
			});
			setDone(true);
			announce(t('revise.done', { n: data.version }));
			setTimeout(() => navigate(`/records/${base.record}`));
		} catch (error) {
			const problem = /** @type {import('../lib/api.js').Problem} */ (error);
			const head = problem.body.head;
			if (problem.status === 412 && head)
				setConflict({ base: problem.body.base ?? base, head });
			else
				setWrong(wrongOf(problem, idOf, series.fields));
		} finally {
			setBusy(false);
		}
	};
	if (conflict)
		return html`<${Conflict} ...${conflict} series=${series} title=${title} changed=${changed} masked=${before.masked} back=${() => setConflict(undefined)} decide=${(/** @type {string} */ newTitle, /** @type {Record<string, string>} */ decided) => {
			const now = read(conflict.head);
			setBase(conflict.head);
			setTitle(newTitle);
			setValues({ ...now.values, ...decided });
			setRemoved(removed.filter((one) => conflict.head.parts.some((part) => part.id === one)));
			setConflict(undefined);
		}} />`;
	return html`<${Head} title=${t('revise.title', { title: base.title })} plain=${`${t('act.revise')} ${base.number}`} wrong=${wrong.length > 0} crumbs=${[[base.series_title, `/records?series=${encodeURIComponent(base.series)}`], [base.number, `/records/${base.record}`], [t('act.revise'), undefined]]}
			note=${t('revise.note', { n: base.version, next: base.version + 1 })}><${Go} href=${`/records/${base.record}`}>${t('cancel')}<//><//>
		<${ErrorSummary} wrong=${wrong} />
		<form class="form" onSubmit=${submit} novalidate><div class="form-main"><section class="card"><h2>${t('file.head')}</h2>
			<${Labelled} id=${idOf('title')} label=${t('col.title')} required wide wrong=${said('title')}><input id=${idOf('title')} maxlength="500" value=${title} aria-invalid=${said('title') ? 'true' : undefined} aria-describedby=${described(idOf('title'), '', said('title'))} onInput=${(/** @type {any} */ event) => setTitle(event.target.value)} /><//></section>
			<section class="card"><h2>${t('record.fields')}</h2>${series.fields.map((field) => html`<div class=${field.name in changed ? 'changed' : ''} key=${`${field.name}-${base.version}`}><${FieldInput} field=${field} id=${idOf(field.name)} value=${values[field.name] ?? ''} required=${isRequired(field, values)} wrong=${said(field.name)} masked=${before.masked[field.name]}
				change=${(/** @type {string} */ value) => setValues((old) => ({ ...old, [field.name]: value }))} /></div>`)}</section></div>
		<div class="form-side"><section class="card why"><h2>${t('revise.why')}</h2><${Labelled} id=${idOf('reason')} label=${t('reason')} required wide wrong=${said('reason')} hint=${t('revise.reason.hint')}><textarea id=${idOf('reason')} rows="2" aria-required="true" aria-invalid=${said('reason') ? 'true' : undefined} aria-describedby=${described(idOf('reason'), true, said('reason'))} value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea><//></section>
			<section class="card"><h2>${t('record.parts')}</h2><ul class="parts">${base.parts.map((one) => {
				const gone = removed.includes(one.id), replaced = uploads.list.some((other) => other.name === one.name);
				return html`<li class=${gone ? 'gone' : ''}><span class="part-name"><${Icon} name="file" />${one.name}</span><span class="muted part-facts">${size(one.size)}${replaced ? ` · ${t('part.replaced')}` : ''}</span>
					<label class="choice"><input type="checkbox" checked=${gone} onChange=${() => setRemoved(gone ? removed.filter((other) => other !== one.id) : [...removed, one.id])} />${t('part.take')}<span class="unseen"> ${one.name}</span></label></li>`;
			})}</ul><${Drop} id=${idOf('parts')} add=${uploads.add} small /><${Sendings} uploads=${uploads} /><p class="hint">${t('revise.parts.hint')}</p></section>
			<section class="card"><h2>${t('record.links')}</h2><${Links} links=${links} change=${setLinks} wrong=${said('links')} id=${idOf('links')} /></section></div>
		<div class="form-end"><${Button} type="submit" kind="primary" icon="check" busy=${busy}>${t('revise.submit', { n: base.version + 1 })}<//><span class="muted" role="status">${t('revise.count', { n: count })}</span></div></form>`;
}

/** @param {{ base: Shown, head: Shown, series: import('../types').Series, title: string, changed: Record<string, string>, masked: Record<string, string>, back: () => void, decide: (title: string, values: Record<string, string>) => void }} props */
function Conflict({ base, head, series, title, changed, masked, back, decide }) {
	const was = read(base).values, theirs = read(head).values;
	const fields = series.fields.filter((field) => (changed[field.name] ?? was[field.name] ?? '') !== (theirs[field.name] ?? '') || (was[field.name] ?? '') !== (theirs[field.name] ?? ''));
	const rows = [...(title !== head.title || base.title !== head.title ? [{ name: '', label: t('col.title'), was: base.title, theirs: head.title, mine: title, mineChanged: title !== base.title }] : []),
		...fields.map((field) => ({ name: field.name, label: label(field.label), was: was[field.name] ?? '', theirs: theirs[field.name] ?? '', mine: changed[field.name] ?? was[field.name] ?? '', mineChanged: field.name in changed }))];
	const [mine, setMine] = useState(() => Object.fromEntries(rows.map((row) => [row.name, row.mineChanged])));
	const id = useId();
	const last = head;
	return html`<${Head} title=${t('conflict.title')} wrong plain=${`${t('conflict.title')} ${head.number}`} />
		<${Notice} kind="warn" role="alert" title=${t('conflict.who', { name: last?.name ?? last?.account ?? '', n: head.version })}><p>${t('conflict.text', { base: base.version, head: head.version })}</p><p class="muted"><${Moment} at=${last?.at} /> ${last?.reason ?? ''}</p><//>
		<section class="card"><table class="table diff conflict"><thead><tr><th scope="col">${t('differences.member')}</th><th scope="col">${t('conflict.base', { n: base.version })}</th><th scope="col">${t('conflict.theirs', { n: head.version })}</th><th scope="col">${t('conflict.mine')}</th></tr></thead>
			<tbody>${rows.map((row) => html`<tr><th scope="row">${row.label}</th><td class="muted">${row.was || '–'}</td>
				<td class=${mine[row.name] ? '' : 'after'}><label class="choice"><input type="radio" name=${`${id}-${row.name}`} checked=${!mine[row.name]} onChange=${() => setMine({ ...mine, [row.name]: false })} /><span>${masked[row.name] ?? (row.theirs || '–')}</span></label></td>
				<td class=${mine[row.name] ? 'after' : ''}><label class="choice"><input type="radio" name=${`${id}-${row.name}`} checked=${mine[row.name]} onChange=${() => setMine({ ...mine, [row.name]: true })} /><span>${row.mine || '–'}</span></label></td></tr>`)}</tbody></table>
			${!rows.length && html`<p>${t('conflict.none')}</p>`}</section>
		<p class="actions"><${Button} kind="primary" onClick=${() => decide(rows.find((row) => row.name === '' && mine['']) ? title : head.title, Object.fromEntries(rows.filter((row) => row.name && mine[row.name]).map((row) => [row.name, row.mine])))}>${t('conflict.go', { n: head.version })}<//>
		<a class="button" href=${`/records/${head.record}`} target="_blank">${t('conflict.look', { n: head.version })}</a><${Button} onClick=${back}>${t('back')}<//></p>`;
}
