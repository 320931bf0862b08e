// choose.js - which series a new record belongs to; and the drafts that wait.

import { html, useLoad, useRows, t, label, language } from '../lib/view.js';
import { allSeries, get, remove } from '../lib/api.js';
import { Head, Loaded, Icon, Moment, Tool, Badge } from '../lib/widgets.js';

export default function Choose() {
	useRows();
	const load = useLoad(() => allSeries(), [language.value]);
	const drafts = useLoad((signal) => get('/drafts', undefined, signal), []);
	const titles = new Map((load.data ?? []).map((one) => [one.code, label(one.title)]));
	return html`<${Head} title=${t('choose.title')} note=${t('choose.note')} />
		<${Loaded} load=${load}>${(/** @type {import('../types').SeriesRow[]} */ series) => html`<ul class="series-list">${series.filter((one) => one.code !== 'ACC' && one.code !== 'DEF').map((one) => html`<li><a data-row href=${`/file/${encodeURIComponent(one.code)}`}><strong>${label(one.title)}</strong><span class="muted">${one.code}</span></a>
			<p><span class="muted">${t('series.number')}</span> <code>${one.number}</code></p><p><span class="muted">${t('col.department')}</span> ${one.departments?.length ? one.departments.join(t('comma')) : t('series.any')}</p>
			<p>${one.sensitivity !== 'internal' && html`<${Badge} kind="warn" icon="lock">${t(`sensitivity.${one.sensitivity}`)}<//> `}<a href=${`/file/${encodeURIComponent(one.code)}/batch`}><${Icon} name="upload" />${t('batch.each')}</a></p></li>`)}</ul>`}<//>
		${drafts.data?.drafts?.length > 0 && html`<section class="card"><h2>${t('home.drafts')}</h2><ul class="lines">${drafts.data.drafts.map((/** @type {any} */ one) => html`<li><a href=${`/file/${encodeURIComponent(one.series ?? 'GEN')}?draft=${one.draft}`}>${one.title || t('draft.untitled')}</a> <span class="muted">${titles.get(one.series) ?? one.series ?? ''} · <${Moment} at=${one.changed} /></span>
				<${Tool} icon="trash" label=${t('draft.remove')} onClick=${() => remove(`/drafts/${one.draft}`).then(drafts.reload, drafts.reload)} /></li>`)}</ul></section>`}`;
}
