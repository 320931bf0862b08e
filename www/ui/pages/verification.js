// verification.js - whether anybody changed anything: the last result, a new run, checkpoints, keys to check with.

import { html, useLoad, useState, useEffect, t, number, word, size, period, language } from '../lib/view.js';
import { get, post, listen, status } from '../lib/api.js';
import { Head, Loaded, Badge, Button, Moment, Notice, Copyable, Icon, mayFile } from '../lib/widgets.js';
import { Commands } from './record.js';

export default function Verification() {
	const load = useLoad((signal) => get('/verification', undefined, signal).catch((error) => (error.status === 404 ? {} : Promise.reject(error))), [language.value]);
	const signers = useLoad((signal) => get('/signers', undefined, signal), []);
	const [job, setJob] = useState(/** @type {any} */ (undefined));
	const [note, setNote] = useState(/** @type {any} */ (undefined));
	const [error, setError] = useState('');
	const [busy, setBusy] = useState(false);
	useEffect(() => listen((name, data) => {
		if (name === 'job' && data.verb === 'verify') {
			setJob(data);
			if (data.state === 'done')
				load.reload();
		}
	}), []);
	useEffect(() => {
		if (!job || (job.state !== 'running' && job.state !== 'waiting'))
			return undefined;
		const timer = setInterval(() => get(`/jobs/${job.job}`).then((now) => {
			setJob(now);
			if (now.state === 'done')
				load.reload();
		}, () => {}), 1500);
		return () => clearInterval(timer);
	}, [job?.job, job?.state]);
	/** @param {string} level */
	const run = async (level) => {
		setError('');
		try {
			setJob({ state: 'waiting', verb: 'verify', ...(await post('/jobs', { verb: 'verify', args: { level } })) });
		} catch (problem) {
			setError(/** @type {Error} */ (problem).message);
		}
	};
	const checkpoint = async () => {
		setBusy(true);
		setError('');
		try {
			setNote(await post('/checkpoints', {}));
		} catch (problem) {
			setError(/** @type {Error} */ (problem).message);
		} finally {
			setBusy(false);
		}
	};
	const going = job && (job.state === 'running' || job.state === 'waiting');
	const may = mayFile();
	const where = status.value?.path ?? 'ARCHIVE';
	return html`<${Head} title=${t('nav.verification')} note=${t('verification.note')}>${may && html`<${Button} kind="primary" icon="shield" busy=${going} onClick=${() => run('full')}>${t('verification.full')}<//><${Button} icon="shield" disabled=${going} onClick=${() => run('sealed')}>${t('verification.sealed')}<//>`}<//>
		${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}
		${going && html`<div class="card" role="status"><p>${t('verification.running')} <span class="muted">${word(`stage.${job.progress?.stage}`, job.progress?.stage ?? '')} ${job.progress?.total ? `${number(job.progress.done)}/${number(job.progress.total)}` : ''}</span></p><progress class="whole" max=${job.progress?.total || 1} value=${job.progress?.total ? job.progress.done : undefined} aria-label=${t('verification.running')}></progress></div>`}
		<${Loaded} load=${load} what=${t('nav.verification')}>${(/** @type {any} */ answer) => {
			const last = { ...answer.result, at: answer.ended };
			if (last.good === undefined)
				return html`<${Notice} kind="info" title=${t('verification.never')}><p>${t('verification.never.text')}</p><//>`;
			return html`<section class="card verdict ${last.good ? 'good' : 'bad'}"><h2><${Icon} name=${last.good ? 'check' : 'alert'} />${last.good ? t('verification.good') : t('verification.found', { n: last.found })}</h2>
				<dl class="facts wide"><dt>${t('verification.when')}</dt><dd><${Moment} at=${last.at} seconds /></dd><dt>${t('verification.level')}</dt><dd>${t(`level.${last.level}`)}</dd>${['volumes', 'commits', 'slips', 'envelopes', 'tombstones', 'keys', 'records'].filter((name) => last[name] !== undefined).map((name) => html`<dt>${t(`fact.${name}`)}</dt><dd>${number(last[name])}</dd>`)}
				${last.bytes !== undefined && html`<dt>${t('fact.bytes')}</dt><dd>${size(last.bytes)}</dd>`}${last.seconds !== undefined && html`<dt>${t('fact.seconds')}</dt><dd>${period(last.seconds)}</dd>`}</dl>
				${last.findings?.length > 0 && html`<table class="table"><thead><tr><th>${t('finding.kind')}</th><th>${t('finding.where')}</th><th>${t('finding.text')}</th></tr></thead><tbody>${last.findings.map((/** @type {any} */ one) => html`<tr><td><${Badge} kind="bad" icon="alert">${one.kind}<//></td><td class="mono">${one.where}</td><td>${one.text}</td></tr>`)}</tbody></table>`}</section>`;
		}}<//>
		<section class="card"><h2>${t('checkpoint.title')}</h2><p>${t('checkpoint.text')}</p>${may && html`<p><${Button} icon="plus" busy=${busy} onClick=${checkpoint}>${t('checkpoint.make')}<//></p>`}
			${note && html`<${Notice} kind="good" role="status" title=${t('checkpoint.made', { n: note.actions ?? 0 })}><p>${t('checkpoint.keep')}</p><//><div class="commands"><pre tabindex="0">${note.text}</pre><a class="button small" download="checkpoint.txt" href=${`data:text/plain;charset=utf-8,${encodeURIComponent(note.text)}`}><${Icon} name="download" />${t('viewer.download')}</a></div>`}</section>
		<section class="card"><h2>${t('signers.title')}</h2><p>${t('signers.text')}</p><${Loaded} load=${signers}>${(/** @type {any} */ data) => html`<p>${t('proof.fingerprint')} <${Copyable} text=${data.fingerprint} label=${t('proof.fingerprint')} /></p><details><summary>${t('signers.lines')}</summary><${Commands} lines=${data.text.trim().split('\n')} /></details>
			<h3>${t('proof.check')}</h3><${Commands} lines=${[
			{ text: t('verification.stock.1'), command: `muniment signers --output allowed_signers\ngit -C ${where}/volumes/0001.git -c gpg.ssh.allowedSignersFile=$PWD/allowed_signers log --show-signature main` },
			{ text: t('verification.stock.2'), command: `muniment --archive ${where} verify` },
			{ text: t('verification.stock.3'), command: `git clone --mirror ${where}/volumes/0001.git clone.git\nscripts/verify-archive.sh clone.git allowed_signers checkpoint` }]} />`}<//></section>`;
}
