// docs.js - the API, explorable: swagger-ui over openapi.json, loaded only here.

import { html, useEffect, useRef, useState, t } from '../lib/view.js';
import { loadScript } from '../lib/workers.js';
import { Head, Failed, Loading } from '../lib/widgets.js';

const VENDOR = '/vendor/swagger-ui-dist';

export default function Docs() {
	const box = useRef(/** @type {HTMLElement | null} */ (null));
	const [error, setError] = useState(/** @type {any} */ (undefined));
	const [there, setThere] = useState(false);
	useEffect(() => {
		const sheet = document.createElement('link');
		sheet.rel = 'stylesheet';
		sheet.href = `${VENDOR}/swagger-ui.css`;
		document.head.append(sheet);
		loadScript('/vendor/swagger-ui-dist/swagger-ui-bundle.js').then(() => {
			/** @type {any} */ (globalThis).SwaggerUIBundle({ url: '/api/v1/openapi.json', domNode: box.current, deepLinking: false, docExpansion: 'list', defaultModelsExpandDepth: 0, validatorUrl: null, tryItOutEnabled: false });
			setThere(true);
		}).catch(setError);
		return () => sheet.remove();
	}, []);
	return html`<${Head} title=${t('nav.docs')} note=${html`${t('docs.note')} <a href="/api/v1/openapi.json" download>openapi.json</a>`} />${error ? html`<${Failed} error=${error} />` : !there && html`<${Loading} />`}<div class="swagger" ref=${box}></div>`;
}
