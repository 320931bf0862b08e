// jobs.js - long work: what runs, how far it is, what came of it.

import { html, useLoad, useState, useEffect, t, word, number, period, language } from '../lib/view.js';
import { get, post, remove, listen } from '../lib/api.js';
import { Head, Loaded, Badge, Button, Moment, Empty, Menu, Notice, mayFile } from '../lib/widgets.js';

/** @typedef {import('../types').Job} Job */

const KINDS = ['verify', 'reindex', 'compact'];
const STATES = /** @type {Record<string, [string, string]>} */ ({ waiting: ['calm', 'clock'], running: ['calm', 'refresh'], done: ['good', 'check'], failed: ['bad', 'alert'], cancelled: ['warn', 'x'] });

export default function Jobs() {
	const load = useLoad((signal) => get('/jobs', undefined, signal), [language.value]);
	const [live, setLive] = useState(/** @type {Record<string, Job>} */ ({}));
	const [error, setError] = useState('');
	useEffect(() => listen((name, data) => {
		if (name === 'job' && data.job)
			setLive((old) => ({ ...old, [data.job]: { ...old[data.job], ...data } }));
	}), []);
	const known = new Map((load.data?.jobs ?? []).map((/** @type {Job} */ one) => [one.job, one]));
	for (const [job, one] of Object.entries(live))
		known.set(job, { .../** @type {any} */ (known.get(job) ?? {}), ...one });
	const jobs = /** @type {Job[]} */ ([...known.values()]).sort((a, b) => ((b.since ?? b.started ?? '') < (a.since ?? a.started ?? '') ? -1 : 1));
	const active = jobs.some((one) => one.state === 'running' || one.state === 'waiting');
	useEffect(() => {
		if (!active)
			return undefined;
		const timer = setInterval(load.reload, 3000);
		return () => clearInterval(timer);
	}, [active]);
	/** @param {string} verb */
	const begin = async (verb) => {
		setError('');
		try {
			await post('/jobs', { verb, args: {} });
			load.reload();
		} catch (problem) {
			setError(/** @type {Error} */ (problem).message);
		}
	};
	return html`<${Head} title=${t('nav.jobs')} note=${t('jobs.note')}>${mayFile() && html`<${Menu} label=${t('jobs.begin')} icon="plus" side="end">${KINDS.map((kind) => html`<button type="button" onClick=${() => begin(kind)}>${t(`verb.${kind}`)}<span class="muted menu-sub">${t(`verb.${kind}.means`)}</span></button>`)}<//>`}<//>
		${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}
		<${Loaded} load=${load} what=${t('nav.jobs')}>${() => jobs.length ? html`<table class="table jobs"><thead><tr><th>${t('jobs.what')}</th><th>${t('jobs.state')}</th><th>${t('jobs.progress')}</th><th>${t('col.who')}</th><th>${t('jobs.since')}</th><th>${t('jobs.ended.at')}</th><th class="screen">${t('col.act')}</th></tr></thead><tbody>${jobs.map((one) => html`<${Row} one=${one} reload=${load.reload} />`)}</tbody></table>`
			: html`<${Empty} title=${t('jobs.none')} icon="jobs"><p>${t('jobs.none.text')}</p><//>`}<//>`;
}

/** @param {{ one: Job, reload: () => void }} props */
function Row({ one, reload }) {
	const [kind, icon] = STATES[one.state] ?? ['calm', 'info'];
	const going = one.state === 'running' || one.state === 'waiting';
	const p = one.progress;
	const result = one.result ?? one.reply;
	const facts = result && typeof result === 'object' ? Object.entries(result).filter(([, value]) => typeof value === 'number' || typeof value === 'boolean').slice(0, 6) : [];
	return html`<tr><td>${word(`verb.${one.verb}`, one.verb)}</td><td class="nowrap"><${Badge} kind=${kind} icon=${icon}>${word(`job.${one.state}`, one.state)}<//></td>
		<td>${going ? html`<progress max=${p?.total || 1} value=${p?.total ? p.done : undefined} aria-label=${word(`verb.${one.verb}`, one.verb)}></progress> <span class="muted">${p ? `${word(`stage.${p.stage}`, p.stage)} ${p.total ? `${number(p.done)}/${number(p.total)}` : number(p.done)}${p.eta ? ` · ${t('jobs.eta', { eta: period(p.eta) })}` : ''}` : ''}</span>`
			: one.error ? html`<span class="bad-text">${one.error.text ?? /** @type {any} */ (one.error).detail ?? ''}</span>` : html`<span class="muted">${facts.map(([name, value]) => `${word(`fact.${name}`, name)} ${typeof value === 'boolean' ? (value ? '✓' : '✗') : number(/** @type {number} */ (value))}`).join(' · ')}</span>`}</td>
		<td class="nowrap">${one.name ?? one.account ?? ''}</td><td class="nowrap"><${Moment} at=${one.since ?? one.started} seconds /></td><td class="nowrap"><${Moment} at=${one.ended} seconds /></td>
		<td class="screen">${going && html`<${Button} class="small" icon="x" onClick=${() => remove(`/jobs/${one.job}`).then(reload, reload)}>${t('jobs.cancel')}<//>`}</td></tr>`;
}
