// views.js - a saved view is a name for an address.

import { html, useState, useId, place, t } from '../lib/view.js';
import { put, fresh, viewsTurn } from '../lib/api.js';
import { Button, Dialog, Labelled, ErrorSummary, announce } from '../lib/widgets.js';

/** @param {{ name: string }} props what it is called unless the reader says otherwise */
export function SaveView({ name }) {
	const [open, setOpen] = useState(false);
	const [called, setCalled] = useState(name);
	const [wrong, setWrong] = useState(/** @type {import('../lib/widgets.js').Wrong[]} */ ([]));
	const id = useId();
	/** @param {Event} event */
	const save = async (event) => {
		event.preventDefault();
		if (!called.trim())
			return setWrong([{ field: 'name', id, text: t('view.missing') }]);
		try {
			await put(`/views/${fresh()}`, { content: { name: called.trim(), query: place.value.path + location.search } });
			viewsTurn.value++;
			setOpen(false);
			announce(t('view.saved', { name: called }));
		} catch (error) {
			setWrong([{ field: 'name', text: /** @type {Error} */ (error).message }]);
		}
	};
	return html`<${Button} icon="star" onClick=${() => {
		setCalled(name);
		setWrong([]);
		setOpen(true);
	}}>${t('view.save')}<//>
	<${Dialog} open=${open} close=${() => setOpen(false)} title=${t('view.save')}><form onSubmit=${save} novalidate><${ErrorSummary} wrong=${wrong} />
		<${Labelled} id=${id} label=${t('view.name')} hint=${t('view.hint')} wrong=${wrong[0]?.id ? wrong[0].text : undefined}><input id=${id} maxlength="60" value=${called} onInput=${(/** @type {any} */ event) => setCalled(event.target.value)} /><//>
		<p class="actions end"><${Button} onClick=${() => setOpen(false)}>${t('cancel')}<//><${Button} type="submit" kind="primary">${t('save')}<//></p></form><//>`;
}
