// accounts.js - who may work here. Accounts are records; they are made by those who run the archive.

import { html, useLoad, t, word, language } from '../lib/view.js';
import { get } from '../lib/api.js';
import { Head, Loaded, Badge, Moment, Empty } from '../lib/widgets.js';
import { Commands } from './record.js';

export default function Accounts() {
	const load = useLoad((signal) => get('/accounts', undefined, signal), [language.value]);
	return html`<${Head} title=${t('nav.accounts')} note=${t('accounts.note')} />
		<${Loaded} load=${load} what=${t('nav.accounts')}>${(/** @type {any} */ data) => data.accounts.length ? html`<table class="table"><thead><tr><th>${t('accounts.id')}</th><th>${t('accounts.name')}</th><th>${t('accounts.role')}</th><th>${t('accounts.login')}</th><th>${t('accounts.since')}</th></tr></thead><tbody>${data.accounts.map((/** @type {any} */ one) => html`<tr><td class="mono">${one.record ? html`<a href=${`/records/${one.record}`}>${one.id}</a>` : one.id}</td><td>${one.name}</td><td>${one.roles?.length ? one.roles.map((/** @type {string} */ role) => word(`role.${role}`, role)).join(t('comma')) : html`<span class="muted">–</span>`}</td>
			<td>${one.password === false ? html`<span class="muted">${t('accounts.none')}</span>` : one.second_factor ? html`<${Badge} kind="good" icon="check">${t('accounts.second')}<//>` : one.password ? html`<${Badge} kind="warn" icon="alert">${t('accounts.first')}<//>` : html`<span class="muted">–</span>`}${one.wait > 0 ? html` <${Badge} kind="bad" icon="lock">${t('accounts.locked')}<//>` : ''}</td><td><${Moment} at=${one.since} /></td></tr>`)}</tbody></table>` : html`<${Empty} title=${t('accounts.empty')} icon="user" />`}<//>
		<section class="card"><h2>${t('accounts.how')}</h2><p>${t('accounts.how.text')}</p><${Commands} lines=${[{ text: t('accounts.cmd.add'), command: `muniment account add '${t('accounts.example')}' --reason '${t('accounts.example.reason')}'` }, { text: t('accounts.cmd.password'), command: `muniment account password '${t('accounts.example')}'` }, { text: t('accounts.cmd.role'), command: `muniment account role '${t('accounts.example')}' filer` }]} /></section>`;
}
