// help.js - the guide in the program: how each job is done, what words mean, which keys there are.

import { html, t } from '../lib/view.js';
import { Head } from '../lib/widgets.js';

const JOBS = ['find', 'read', 'file', 'many', 'revise', 'prove', 'seal'];
const WORDS = ['record', 'part', 'version', 'action', 'series', 'slip', 'volume', 'custodian', 'checkpoint'];
const KEYS = [['/', 'keys.search'], ['n', 'keys.new'], ['j k', 'keys.rows'], ['Enter', 'keys.open'], ['x', 'keys.select'], ['[ ]', 'keys.pages'], ['e', 'keys.revise'], ['?', 'keys.help'], ['Esc', 'keys.close']];

export default function Help() {
	return html`<${Head} title=${t('nav.help')} note=${t('help.note')} /><div class="columns"><div>${JOBS.map((one) => html`<section class="card help"><h2>${t(`help.${one}`)}</h2>${t(`help.${one}.text`).split('\n').map((line) => html`<p>${line}</p>`)}</section>`)}</div>
		<aside><section class="card"><h2>${t('keys.title')}</h2><table class="keys"><tbody>${KEYS.map(([key, text]) => html`<tr><th scope="row">${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</th><td>${t(text)}</td></tr>`)}</tbody></table><p class="muted">${t('keys.note')}</p></section>
		<section class="card"><h2>${t('help.words')}</h2><dl class="words">${WORDS.map((one) => html`<dt>${t(`word.${one}`)}</dt><dd>${t(`word.${one}.means`)}</dd>`)}</dl></section>
		<section class="card"><h2>${t('help.grammar')}</h2><table class="table plain"><tbody>${[1, 2, 3, 4, 5, 6, 7].map((n) => html`<tr><td class="mono">${t(`search.example.${n}`)}</td><td>${t(`search.example.${n}.means`)}</td></tr>`)}</tbody></table></section></aside></div>`;
}
