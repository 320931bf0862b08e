// record.js - a record with its bones: head, fields, parts with the viewer beside, links, versions, log, proof.

import { html, navigate, url, useLoad, useState, useKeys, recall, remember, t, size, word, number, language } from '../lib/view.js';
import { get, address } from '../lib/api.js';
import { Loaded, Badge, Button, Go, Icon, Menu, Signature, Moment, Copyable, Notice, mayFile, useTitle } from '../lib/widgets.js';
import { Viewer } from './viewer.js';

/** @typedef {import('../types').Shown} Shown */

/** @param {import('../app.js').PageProps} props */
export default function Record({ match, query }) {
	const [id] = match;
	const version = query.get('version') ?? '';
	const load = useLoad(async (signal) => {
		if (/^[0-9a-f]{32}$/.test(id))
			return get(`/records/${id}`, { version }, signal);
		const { record } = await get(`/numbers/${encodeURIComponent(id)}`, undefined, signal);
		return get(`/records/${record}`, { version }, signal);
	}, [id, version, language.value]);
	return html`<${Loaded} load=${load} what=${t('record')}>${(/** @type {Shown} */ record) => html`<${Whole} record=${record} query=${query} reload=${load.reload} />`}<//>`;
}

/** @param {{ record: Shown, query: URLSearchParams, reload: () => void }} props */
function Whole({ record, query }) {
	const here = `/records/${record.record}`;
	const wanted = query.get('part');
	const part = record.parts.find((one) => one.id === wanted || one.name === wanted) ?? record.parts[0];
	const [wide, setWide] = useState(recall('viewer.wide', false));
	const newest = record.history?.[0]?.version ?? record.versions;
	const old = record.version < record.versions;
	// Names of columns stand in the definition only.
	const definition = useLoad((signal) => (record.fields.some((one) => one.type === 'rows') ? get(`/series/${encodeURIComponent(record.series)}`, { definition: record.definition }, signal).catch(() => undefined) : Promise.resolve(undefined)), [record.definition, language.value]);
	/** @param {string} name */
	const columnsOf = (name) => definition.data?.fields.find((/** @type {any} */ one) => one.name === name)?.columns;
	useTitle(`${record.number} ${record.title}`);
	useKeys({
		'[': () => turn(-1),
		']': () => turn(1),
		e: () => mayFile() && !old && navigate(`${here}/revise`),
	});
	/** @param {number} by */
	const turn = (by) => {
		const at = record.parts.findIndex((one) => one.id === part?.id);
		const next = record.parts[at + by];
		if (next)
			navigate(url(here, query, { part: next.id, page: '' }), { replace: true, keep: true });
	};
	const current = record.history.find((one) => one.version === record.version) ?? record.history[0];
	const own = record.series === 'ACC' || record.series === 'DEF';
	/** @type {[string, string][]} */
	const sections = [['fields', t('record.fields')], ['parts', t('record.parts')], ['links', t('record.links')], ['versions', t('record.versions')], ['log', t('record.log')], ['proof', t('record.proof')]];
	return html`<header class="head record-head">
			<nav class="crumbs" aria-label=${t('crumbs')}><ol><li><a href=${url('/records', { series: record.series })}>${record.series_title}</a></li><li>${record.department}</li><li>${record.date}</li></ol></nav>
			<div class="head-line"><h1 tabindex="-1" id="title">${record.title}</h1><div class="actions screen">
				${mayFile() && !own && !old && html`<${Go} kind="primary" icon="edit" href=${`${here}/revise`}>${t('act.revise')}<//>`}
				${mayFile() && !own && html`<${Go} icon="copy" href=${url(`/file/${encodeURIComponent(record.series)}`, { from: record.record })}>${t('act.copy')}<//>`}
				<${Menu} label=${t('print')} icon="print" side="end"><a href=${address(`/records/${record.record}/sheet.pdf`, { version: record.version })} target="_blank">${t('act.sheet')}</a><button type="button" onClick=${() => print()}>${t('act.print')}</button><//></div></div>
			<p class="head-facts"><span class="mono"><${Copyable} text=${record.number} label=${t('col.number')} /></span>
				${old ? html`<${Badge} kind="warn" icon="history">${t('state.superseded')}<//>` : html`<${Badge} kind="good" icon="check">${t('state.current')}<//>`}
				<span>${t('version.of', { n: record.version, all: record.versions })}</span>
				<span><${Moment} at=${record.at} /> ${record.name ?? record.account} ${word(`did.${current?.act}`, current?.act ?? '')}</span>
				<${Signature} signature=${current?.signature} />
				<span class="muted">${t('retention')}${t('colon')}${record.retention.map((one) => (typeof one === 'string' ? word(`retention.${one}`, one) : one.title)).join(t('comma'))}</span></p></header>
		${old && html`<${Notice} kind="warn" title=${t('old.title', { n: record.version })}><p>${t('old.text')} <a href=${here}>${t('old.current', { n: newest })}</a></p><//>`}
		<nav class="sections screen" aria-label=${t('record.sections')}>${sections.map(([name, text]) => html`<a href=${`#${name}`} onClick=${(/** @type {Event} */ event) => {
			event.preventDefault();
			const section = document.getElementById(name);
			section?.scrollIntoView({ block: 'start' });
			section?.querySelector('h2')?.focus({ preventScroll: true });
		}}>${text}</a>`)}</nav>
		<div class="record ${part ? 'with-viewer' : ''} ${wide ? 'wide' : ''}"><div class="record-facts">
			<${Section} id="fields" title=${t('record.fields')}><dl class="fields">${record.fields.filter((one) => one.text !== '').map((one) => html`<dt>${one.label}</dt><dd>${one.type === 'rows' ? html`<${Rows} field=${one} columns=${columnsOf(one.name)} />` : html`${one.text}${one.value === undefined && one.type !== 'rows' ? html` <${Badge} icon="lock" title=${t('masked.why')}>${t('masked')}<//>` : ''}`}</dd>`)}</dl>
				${record.fields.length === 0 && html`<p class="muted">${t('record.fields.none')}</p>`}
				<dl class="fields more"><dt>${t('col.series')}</dt><dd>${record.series_title} <span class="muted">${record.series}</span></dd><dt>${t('col.department')}</dt><dd>${record.department}</dd><dt>${t('col.date')}</dt><dd>${record.date}</dd>${record.reason && html`<dt>${t('reason.version')}</dt><dd>${record.reason}</dd>`}</dl><//>
			<${Section} id="parts" title=${t('record.parts')} note=${record.parts.length ? t('parts.n', { n: record.parts.length }) : ''}>${record.parts.length ? html`<ul class="parts">${record.parts.map((one) => html`<li class=${one.id === part?.id ? 'current' : ''}>
					<a href=${url(here, query, { part: one.id, page: '' })} aria-current=${one.id === part?.id ? 'true' : undefined} onClick=${(/** @type {Event} */ event) => {
						event.preventDefault();
						navigate(url(here, query, { part: one.id, page: '' }), { replace: true, keep: true });
					}}><${Icon} name=${one.media.startsWith('image/') ? 'picture' : 'file'} /><span>${one.name}</span></a>
					<span class="muted part-facts">${size(one.size)} · ${one.text ? (one.text.reason === 'ok' ? t('page.count', { n: one.text.pages }) : word(`text.${one.text.reason}`, one.text.sentence ?? one.text.reason)) : t('text.waiting')}${/** @type {any} */ (one.text)?.ocr ? ` · ${t('ocr')}` : ''}</span>
					<span class="part-hash muted">SHA-256 <${Copyable} text=${one.sha256} short=${12} label="SHA-256" /></span>
					${one.note && html`<span class="part-note">${one.note}</span>`}
					<a class="tool screen" download href=${address(`/records/${record.record}/parts/${one.id}`, { version: record.version, download: 1 })} title=${t('viewer.download')} aria-label=${`${t('viewer.download')} ${one.name}`}><${Icon} name="download" /></a></li>`)}</ul>`
				: html`<p class="muted">${t('record.parts.none')}</p>`}<//>
			<${Section} id="links" title=${t('record.links')}>${record.links.length ? html`<ul class="lines">${record.links.map((one) => html`<li><span class="muted">${word(`rel.${one.rel}`, one.rel)}</span> <a class="mono" href=${`/records/${one.record}`}>${one.number ?? one.record}</a></li>`)}</ul>` : html`<p class="muted">${t('record.links.none')}</p>`}<//>
			<${Section} id="versions" title=${t('record.versions')} note=${record.versions > 1 ? html`<a href=${`${here}/differences`}>${t('act.compare')}</a>` : ''}><ol class="timeline">${record.history.map((one) => html`<li class=${one.version === record.version ? 'current' : ''}>
				<p><strong>${one.version === record.version ? t('version.n', { n: one.version }) : html`<a href=${url(here, one.version === newest ? {} : { version: one.version })}>${t('version.n', { n: one.version })}</a>`}</strong> <span>${word(`did.${one.act}`, one.act)}</span> <${Moment} at=${one.at} seconds /> <span>${one.name ?? one.account}</span> <${Signature} signature=${one.signature} /></p>
				${one.reason && html`<p class="muted">${t('reason')}${t('colon')}${one.reason}</p>`}${one.commit && html`<p class="muted">${t('proof.commit')} <${Copyable} text=${one.commit} short=${12} label=${t('proof.commit')} /></p>`}
				${one.version > 1 && html`<p class="screen"><a href=${url(`${here}/differences`, { from: one.version - 1, to: one.version })}>${t('version.compare', { n: one.version - 1 })}</a></p>`}</li>`)}</ol><//>
			<${Section} id="log" title=${t('record.log')}><${Log} record=${record} /><//>
			<${Section} id="proof" title=${t('record.proof')}><${Proof} record=${record} /><//>
		</div>${part && html`<div class="record-viewer screen"><${Viewer} record=${record.record} version=${record.version} part=${part} page=${Number(query.get('page')) || undefined} q=${query.get('q') ?? ''} wide=${wide} widen=${() => {
			remember('viewer.wide', !wide);
			setWide(!wide);
		}} /></div>`}</div>`;
}

/** @param {{ id: string, title: string, note?: any, children: any }} props */
function Section({ id, title, note, children }) {
	return html`<section class="card" id=${id} aria-labelledby=${`${id}-title`}><h2 id=${`${id}-title`} tabindex="-1">${title}${note && html`<span class="h2-note">${note}</span>`}</h2>${children}</section>`;
}

/** A field of rows, as a table. @param {{ field: import('../types').ShownField, columns?: { label: string }[] }} props */
function Rows({ field, columns }) {
	const lines = field.text.split('\n').filter(Boolean).map((line) => line.split(' | '));
	return html`<table class="table inner">${columns && html`<thead><tr>${columns.map((one) => html`<th>${one.label}</th>`)}</tr></thead>`}<tbody>${lines.map((cells) => html`<tr>${cells.map((cell, i) => html`<td class=${i === 0 ? 'nowrap' : ''}>${cell}</td>`)}</tr>`)}</tbody></table>`;
}

/** @param {{ record: Shown }} props */
function Log({ record }) {
	const load = useLoad((signal) => get(`/records/${record.record}/log`, undefined, signal), [record.record, record.versions, language.value]);
	return html`<${Loaded} load=${load}>${(/** @type {any} */ data) => html`<table class="table log"><thead><tr><th>${t('col.when')}</th><th>${t('col.who')}</th><th>${t('col.what')}</th></tr></thead><tbody>${(data.versions ?? []).map((/** @type {any} */ one) => html`<tr><td class="nowrap"><${Moment} at=${one.at} seconds /></td><td class="nowrap">${one.name ?? one.account}</td>
		<td>${word(`did.${one.act}`, one.act)} ${t('version.n', { n: one.version })}${one.reason && html`<span class="muted"> · ${one.reason}</span>`}${one.changes?.length > 0 && html`<ul class="changes">${one.changes.map((/** @type {any} */ change) => html`<${Change} change=${change} />`)}</ul>`}</td></tr>`)}</tbody></table>`}<//>`;
}

/** @param {{ change: any }} props */
export function Change({ change }) {
	const name = change.label ?? word(`member.${change.member}`, change.name ?? change.member);
	return html`<li><span>${name}${change.member === 'part' && change.name ? `${t('colon')}${change.name}` : ''}</span> <span class="muted">${word(`change.${change.kind}`, change.kind)}</span>
		${change.before !== undefined && html` <del>${change.before}</del>`}${change.before !== undefined && change.after !== undefined && ' → '}${change.after !== undefined && html`<ins>${change.after}</ins>`}</li>`;
}

/** @param {{ record: Shown }} props */
function Proof({ record }) {
	const load = useLoad((signal) => get(`/records/${record.record}/proof`, { version: record.version }, signal), [record.record, record.version, language.value]);
	return html`<${Loaded} load=${load}>${(/** @type {any} */ proof) => html`<p>${t('proof.why')}</p><dl class="fields"><dt>${t('proof.commit')}</dt><dd><${Copyable} text=${proof.commit} label=${t('proof.commit')} /></dd>
		<dt>${t('proof.volume')}</dt><dd>${typeof proof.volume === 'number' ? t('volume.n', { n: proof.volume }) : proof.volume}</dd><dt>${t('proof.path')}</dt><dd><${Copyable} text=${proof.path ?? record.path} label=${t('proof.path')} /></dd>
		<dt>${t('proof.signature')}</dt><dd><${Signature} signature=${proof.signature} /></dd><dt>${t('proof.fingerprint')}</dt><dd><${Copyable} text=${proof.fingerprint ?? ''} label=${t('proof.fingerprint')} /><br /><span class="muted">${t('proof.fingerprint.hint')}</span></dd>
		<dt>${t('proof.verified')}</dt><dd>${proof.verified ? html`${typeof proof.verified === 'string' ? html`<${Moment} at=${proof.verified} />` : html`<${Moment} at=${proof.verified.at} /> ${proof.verified.good === false ? html`<${Badge} kind="bad" icon="alert">${t('verify.bad')}<//>` : html`<${Badge} kind="good" icon="check">${t('verify.good')}<//>`}`}` : html`<span class="muted">${t('proof.verified.never')}</span> <a href="/verification">${t('proof.verify')}</a>`}</dd></dl>
		${proof.envelopes?.length > 0 && html`<h3>${t('proof.envelopes')}</h3><table class="table inner"><thead><tr><th>${t('proof.kind')}</th><th>${t('batch.size')}</th><th>SHA-256</th></tr></thead><tbody>${proof.envelopes.map((/** @type {any} */ one) => html`<tr><td>${word(`envelope.${one.kind}`, one.kind)}</td><td class="nowrap">${size(one.bytes)}</td><td><${Copyable} text=${one.sha256} short=${24} label="SHA-256" /></td></tr>`)}</tbody></table>`}
		<h3>${t('proof.check')}</h3><p class="muted">${t('proof.check.text')}</p><${Commands} lines=${proof.commands ?? []} />`}<//>`;
}

/** @param {{ lines: (string | { text?: string, command: string })[] }} props */
export function Commands({ lines }) {
	const all = lines.map((one) => (typeof one === 'string' ? one : one.command)).join('\n');
	return html`<div class="commands"><pre tabindex="0">${lines.map((one) => (typeof one === 'string' ? `${one}\n` : `${one.text ? `# ${one.text}\n` : ''}${one.command}\n`))}</pre><${Button} class="small screen" icon="copy" onClick=${() => navigator.clipboard.writeText(all).catch(() => {})}>${t('copy')}<//></div>`;
}
