// settings.js - the archive's settings with what each means; my password; my saved views; sealing.

import { html, useLoad, useState, useId, t, language, speak } from '../lib/view.js';
import { get, patch, post, remove, session, status, viewsTurn, look } from '../lib/api.js';
import { Head, Loaded, Button, Labelled, Notice, Dialog, Tool, Confirm, described, announce } from '../lib/widgets.js';
import { PasswordForm } from './door.js';

export default function Settings() {
	const load = useLoad((signal) => (session.value?.roles?.includes('operator') ? get('/settings', undefined, signal) : Promise.resolve({ settings: [] })), [language.value]);
	const views = useLoad((signal) => get('/views', undefined, signal), [viewsTurn.value]);
	const [sealing, setSealing] = useState(false);
	const [error, setError] = useState('');
	const may = session.value?.roles?.includes('operator') ?? false;
	return html`<${Head} title=${t('nav.settings')} />
		<div class="columns"><div>${!may && html`<${Notice}>${t('settings.operator')}<//>`}${may && html`<section class="card"><h2>${t('settings.archive')}</h2><p class="muted">${t('settings.note')}</p><${Loaded} load=${load} what=${t('nav.settings')}>${(/** @type {any} */ data) => html`<table class="table settings"><thead><tr><th>${t('settings.name')}</th><th>${t('settings.value')}</th><th>${t('settings.default')}</th></tr></thead>
			<tbody>${data.settings.map((/** @type {any} */ one) => html`<${Setting} key=${one.name} one=${one} may=${may} done=${load.reload} />`)}</tbody></table>`}<//></section>`}</div>
		<aside><section class="card"><h2>${t('settings.mine')}</h2><${Mine} /></section>
			<section class="card"><h2>${t('nav.views')}</h2><${Loaded} load=${views}>${(/** @type {any} */ data) => data.views?.length ? html`<ul class="lines">${data.views.map((/** @type {any} */ one) => html`<li><a href=${one.query}>${one.name}</a><${Tool} icon="trash" label=${`${t('view.remove')} ${one.name}`} onClick=${async () => {
				await remove(`/views/${one.view}`).catch(() => {});
				viewsTurn.value++;
			}} /></li>`)}</ul>` : html`<p class="muted">${t('view.none')}</p>`}<//></section>
			<section class="card"><h2>${t('settings.seal')}</h2><p>${t('settings.seal.text')}</p>${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}<p><${Button} kind="danger" icon="lock" onClick=${() => setSealing(true)}>${t('settings.seal.do')}<//></p></section></aside></div>
		<${Confirm} open=${sealing} close=${() => setSealing(false)} title=${t('settings.seal.sure')} act=${t('settings.seal.do')} danger done=${async () => {
			setSealing(false);
			try {
				await post('/seal', {});
				if (status.value)
					status.value = { ...status.value, sealed: true };
				await look();
			} catch (problem) {
				setError(/** @type {Error} */ (problem).message);
			}
		}}><p>${t('settings.seal.sure.text')}</p><//>`;
}

/** @param {{ one: any, may: boolean, done: () => void }} props */
function Setting({ one, may, done }) {
	const id = useId();
	const [open, setOpen] = useState(false);
	const [value, setValue] = useState(String(one.value));
	const [wrong, setWrong] = useState('');
	/** @param {Event} event */
	const save = async (event) => {
		event.preventDefault();
		try {
			await patch(`/settings/${encodeURIComponent(one.name)}`, { value });
			setOpen(false);
			announce(t('settings.saved', { name: one.name }));
			done();
		} catch (error) {
			setWrong(/** @type {Error} */ (error).message);
		}
	};
	return html`<tr><td><code>${one.name}</code><br /><span class="muted">${one.meaning}</span></td><td class="mono">${one.value === '' ? html`<span class="muted">${t('settings.empty')}</span>` : String(one.value)}${may && html`<br /><button type="button" class="link screen" onClick=${() => {
			setValue(String(one.value));
			setWrong('');
			setOpen(true);
		}}>${t('settings.change')}<span class="unseen"> ${one.name}</span></button>`}
		<${Dialog} open=${open} close=${() => setOpen(false)} title=${one.name}><form onSubmit=${save} novalidate><p>${one.meaning}</p><${Labelled} id=${id} label=${t('settings.value')} wrong=${wrong} hint=${one.min !== undefined ? t('settings.range', { min: one.min, max: one.max }) : ''}>${one.choices ? html`<select id=${id} value=${value} onChange=${(/** @type {any} */ event) => setValue(event.target.value)}>${one.choices.map((/** @type {string} */ choice) => html`<option>${choice}</option>`)}</select>`
			: html`<input id=${id} class="mono" value=${value} aria-invalid=${wrong ? 'true' : undefined} aria-describedby=${described(id, one.min !== undefined, wrong)} onInput=${(/** @type {any} */ event) => setValue(event.target.value)} />`}<//><p class="actions end"><${Button} onClick=${() => setOpen(false)}>${t('cancel')}<//><${Button} type="submit" kind="primary">${t('save')}<//></p></form><//></td>
		<td class="mono muted">${one.default === '' ? t('settings.empty') : String(one.default)}</td></tr>`;
}

function Mine() {
	const id = useId();
	const [done, setDone] = useState(false);
	return html`<div class="stacked"><${Labelled} id=${`${id}-l`} label=${t('settings.language')}><select id=${`${id}-l`} value=${language.value} onChange=${async (/** @type {any} */ event) => {
			await speak(event.target.value);
			patch('/session', { language: event.target.value === 'en' ? 'en' : 'zh' }).catch(() => {});
		}}><option value="zh-CN">中文</option><option value="en">English</option></select><//></div>
		${done && html`<${Notice} kind="good" role="status">${t('password.done')}<//>`}<details><summary>${t('password.change')}</summary><${PasswordForm} done=${() => setDone(true)} /></details>`;
}
