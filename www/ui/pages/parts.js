// parts.js - where files are dropped, and what becomes of each.

import { html, useRef, useState, useId, t, size, number } from '../lib/view.js';
import { filesOf } from '../lib/upload.js';
import { Icon, Tool, Button, Badge } from '../lib/widgets.js';

/** @param {{ add: (files: Iterable<File>) => void, id?: string, folders?: boolean, small?: boolean }} props */
export function Drop({ add, id, folders, small }) {
	const [over, setOver] = useState(false);
	const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
	const folder = useRef(/** @type {HTMLInputElement | null} */ (null));
	const own = useId();
	/** @param {any} event */
	const chosen = (event) => {
		add([...event.target.files]);
		event.target.value = '';
	};
	return html`<div class="drop ${over ? 'over' : ''} ${small ? 'small' : ''}" id=${id ?? own} tabindex="-1"
		onDragOver=${(/** @type {DragEvent} */ event) => {
			event.preventDefault();
			setOver(true);
		}} onDragLeave=${() => setOver(false)} onDrop=${async (/** @type {DragEvent} */ event) => {
			event.preventDefault();
			setOver(false);
			if (event.dataTransfer)
				add(await filesOf(event.dataTransfer));
		}}><${Icon} name="upload" /><span>${t('drop.here')}</span>
		<${Button} onClick=${() => chooser.current?.click()}>${t('drop.choose')}<//>${folders && html`<${Button} onClick=${() => folder.current?.click()}>${t('drop.folder')}<//>`}
		<input type="file" multiple class="behind" tabindex="-1" aria-label=${t('drop.choose')} ref=${chooser} onChange=${chosen} />
		${folders && html`<input type="file" multiple webkitdirectory class="behind" tabindex="-1" aria-label=${t('drop.folder')} ref=${folder} onChange=${chosen} />`}</div>`;
}

/** @param {{ one: import('../lib/upload.js').Sending }} props */
export function Sent({ one }) {
	if (one.state === 'done')
		return html`<${Badge} kind="good" icon="check" title=${one.sha256}>${t('upload.done')}<//><span class="muted mono part-sha"> ${one.sha256?.slice(0, 12)}…</span>`;
	if (one.state === 'failed')
		return html`<${Badge} kind="bad" icon="alert">${one.problem}<//>`;
	if (one.state === 'lost')
		return html`<${Badge} kind="warn" icon="alert">${t('upload.lost')}<//>`;
	if (one.state === 'waiting')
		return html`<span class="muted">${t('upload.waiting')}</span>`;
	return html`<progress max=${one.size || 1} value=${one.sent} aria-label=${one.name}></progress><span class="muted"> ${one.state === 'checking' ? t('upload.checking') : `${number(Math.floor((one.sent / (one.size || 1)) * 100))} %`}</span>`;
}

/** @param {{ uploads: ReturnType<typeof import('../lib/upload.js').useUploads> }} props */
export function Sendings({ uploads }) {
	return uploads.list.length ? html`<ul class="parts sending" aria-label=${t('record.parts')}>${uploads.list.map((one) => html`<li key=${one.key}><span class="part-name"><${Icon} name="file" />${one.name}</span><span class="muted part-facts">${size(one.size)}</span>
		<span class="part-state" role="status"><${Sent} one=${one} /></span>
		<input class="part-note-input" placeholder=${t('part.note')} aria-label=${`${t('part.note')} ${one.name}`} value=${one.note} onInput=${(/** @type {any} */ event) => uploads.change(one.key, { note: event.target.value })} />
		<span class="nowrap">${one.state === 'failed' && html`<${Tool} icon="refresh" label=${t('again')} onClick=${() => uploads.again(one.key)} />`}<${Tool} icon="trash" label=${`${t('part.remove')} ${one.name}`} onClick=${() => uploads.drop(one.key)} /></span></li>`)}</ul>` : null;
}
