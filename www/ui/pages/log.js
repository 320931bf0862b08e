// log.js - what was done in the archive, newest first: each line is a signed commit.

import { html, url, useLoad, useRows, t, word, language } from '../lib/view.js';
import { get } from '../lib/api.js';
import { Head, Loaded, Moment, Signature, Copyable, Icon, Empty, Tool } from '../lib/widgets.js';

/** @param {import('../app.js').PageProps} props */
export default function Log({ query, path }) {
	const before = query.get('before') ?? '';
	useRows();
	const load = useLoad((signal) => get('/log', { limit: 50, before }, signal), [before, language.value]);
	return html`<${Head} title=${t('nav.log')} note=${t('log.note')}><${Tool} icon="refresh" label=${t('refresh')} onClick=${load.reload} /><${Tool} icon="print" label=${t('print')} onClick=${() => print()} /><//>
		<${Loaded} load=${load} what=${t('nav.log')}>${(/** @type {any} */ data) => data.actions.length ? html`<div class="table-box" tabindex="0" role="region" aria-label=${t('nav.log')}><table class="table list tight"><thead><tr><th>${t('log.n')}</th><th>${t('col.when')}</th><th>${t('col.who')}</th><th>${t('col.what')}</th><th>${t('col.number')}</th><th>${t('fact.records')}</th><th>${t('proof.signature')}</th><th>${t('proof.commit')}</th></tr></thead>
			<tbody>${data.actions.map((/** @type {any} */ one) => html`<tr><td class="muted">${one.action}</td><td class="nowrap"><${Moment} at=${one.at} seconds /></td><td class="nowrap">${one.name ?? one.account}</td><td class="nowrap">${word(`did.${one.act}`, one.act)}</td>
				<td class="mono">${one.number ? html`<a data-row href=${`/records/${encodeURIComponent(one.number)}`}>${one.number}</a>` : one.subject}</td><td class="num">${one.records}</td><td class="nowrap"><${Signature} signature=${one.signature} /></td><td class="nowrap"><${Copyable} text=${one.commit} short=${10} label=${t('proof.commit')} /></td></tr>`)}</tbody></table></div>
			<nav class="pager screen" aria-label=${t('pages')}>${before && html`<a class="button" href=${path}><${Icon} name="left" />${t('page.newest')}</a>`}${data.actions.length >= 50 && html`<a class="button" href=${url(path, query, { before: data.actions[data.actions.length - 1].action })}>${t('page.next')}<${Icon} name="right" /></a>`}</nav>` : html`<${Empty} title=${t('log.none')} icon="history" />`}<//>`;
}
