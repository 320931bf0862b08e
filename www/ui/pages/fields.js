// fields.js - inputs made from a series definition: one component a kind of field, all of them giving the text that
// people would type (which is what the archive reads), so that paper, command line and browser say the same.

import { html, useState, t, moment } from '../lib/view.js';
import { Tool, Button, Labelled, described, DateInput, dateOf, narrow } from '../lib/widgets.js';

/** @typedef {import('../types').Field} Field */

/** The same with a time of day. @param {string} text */
export function instantOf(text) {
	const found = /^(.*?\d日?)[\sT]+(\d{1,2})\s*[:：时]\s*(\d{1,2})分?(?:[:：](\d{2}))?$/.exec(narrow(text));
	return found ? `${dateOf(found[1])} ${found[2].padStart(2, '0')}:${found[3].padStart(2, '0')}${found[4] ? `:${found[4]}` : ''}` : narrow(text);
}

/** @param {string} text */
function moneyOf(text) {
	const found = /^[¥￥]?\s*(\d[\d,]*)(?:\.(\d{1,2}))?\s*元?$/.exec(narrow(text));
	return found ? `${found[1].replace(/,/g, '')}.${(found[2] ?? '').padEnd(2, '0')}` : narrow(text);
}

/** @type {Record<string, (text: string) => string>} */
const TIDY = { date: dateOf, instant: instantOf, money: moneyOf, integer: narrow, code: (text) => narrow(text).toUpperCase(), phone: narrow, id_card: (text) => narrow(text).toUpperCase() };

/** Whether the field must be filled, given the others. @param {Field} field @param {Record<string, string>} values */
export function isRequired(field, values) {
	const when = field.required_when;
	return Boolean(field.required) || Boolean(when && (values[when.field] ?? '').split(';').some((one) => when.values.includes(one.trim())));
}

/** A value as `show` gives it, as the text that is typed. @param {import('../types').ShownField} shown */
export function typedOf(shown) {
	if (shown.value === undefined || shown.value === null)
		return shown.type === 'rows' ? shown.text.split(' | ').join('|') : undefined;
	if (Array.isArray(shown.value))
		return shown.value.join(';');
	if (shown.type === 'money' || shown.type === 'instant' || shown.type === 'rows')
		return shown.text.split(' | ').join('|');
	return String(shown.value);
}

/**
 * @param {{ field: Field, id: string, value: string, change: (value: string) => void, wrong?: string, required: boolean, masked?: string, people?: string }} props
 *   masked: what stands there already and may not be seen; people: id of a datalist of names
 */
export function FieldInput({ field, id, value, change, wrong, required, masked, people }) {
	const { type } = field;
	const choices = field.choices ?? [];
	const group = type === 'rows' || (type === 'choice' && (field.several || choices.length <= 6));
	/** @type {string[]} */
	const hints = [];
	if (type === 'date')
		hints.push(t('hint.date'));
	if (type === 'instant')
		hints.push(t('hint.instant'));
	if (type === 'money')
		hints.push(t('hint.money'));
	if (type === 'code')
		hints.push(t('hint.code'));
	if (field.sensitive || ['phone', 'address', 'id_card'].includes(type))
		hints.push(t('hint.sensitive'));
	if (masked !== undefined)
		hints.push(t('hint.masked', { value: masked }));
	if (field.required_when && required)
		hints.push(t('hint.required_when'));
	const hint = hints.join(' ');
	/** @param {any} event */
	const typed = (event) => change(event.target.value);
	const tidy = TIDY[type];
	const common = {
		id, 'aria-required': required ? 'true' : undefined, 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': described(id, hint, wrong),
		onBlur: tidy ? () => value && tidy(value) !== value && change(tidy(value)) : undefined,
	};
	return html`<${Labelled} id=${id} label=${field.label} required=${required} hint=${hint} wrong=${wrong} group=${group} wide=${type === 'long_text' || type === 'rows'}>
		${type === 'long_text' ? html`<textarea ...${common} rows=${Math.min(12, Math.max(3, value.split('\n').length + 1))} value=${value} onInput=${typed}></textarea>`
		: type === 'choice' && group ? html`<div class="choices" id=${id} tabindex="-1">${choices.map((one) => {
			const chosen = field.several ? value.split(';').includes(one.name) : value === one.name;
			return html`<label class="choice"><input type=${field.several ? 'checkbox' : 'radio'} name=${id} value=${one.name} checked=${chosen} onChange=${() => {
				if (!field.several)
					return change(one.name);
				const now = value.split(';').filter(Boolean);
				change((chosen ? now.filter((other) => other !== one.name) : choices.map((other) => other.name).filter((other) => other === one.name || now.includes(other))).join(';'));
			}} />${one.label}</label>`;
		})}${!field.several && value && !required && html`<button type="button" class="button quiet small" onClick=${() => change('')}>${t('choice.clear')}</button>`}</div>`
		: type === 'choice' ? html`<select ...${common} value=${value} onChange=${typed}><option value="">${t('choose')}</option>${choices.map((one) => html`<option value=${one.name}>${one.label}</option>`)}</select>`
		: type === 'date' ? html`<${DateInput} common=${common} value=${value} change=${change} />`
		: type === 'instant' ? html`<span class="with-tool"><input ...${common} class="w-instant" inputmode="numeric" placeholder="2026-01-31 09:30" value=${value} onInput=${typed} /><${Button} class="small" onClick=${() => change(moment(new Date().toISOString()))}>${t('now')}<//></span>`
		: type === 'money' ? html`<span class="with-unit"><span aria-hidden="true">¥</span><input ...${common} class="w-money" inputmode="decimal" value=${value} onInput=${typed} /></span>`
		: type === 'integer' ? html`<input ...${common} class="w-money" inputmode="numeric" value=${value} onInput=${typed} />`
		: type === 'rows' ? html`<${RowsInput} field=${field} id=${id} value=${value} change=${change} />`
		: html`<input ...${common} class=${type === 'code' || type === 'phone' || type === 'id_card' ? 'mono' : ''} list=${type === 'person' ? people : undefined} autocomplete="off" maxlength=${field.max_chars} value=${value} onInput=${typed} />`}<//>`;
}

/** A table of rows; kept as lines with columns between bars. @param {{ field: Field, id: string, value: string, change: (value: string) => void }} props */
function RowsInput({ field, id, value, change }) {
	const columns = field.columns ?? [];
	const blank = () => columns.map(() => '');
	const [rows, setRows] = useState(() => {
		const given = value.split('\n').filter(Boolean).map((line) => {
			const cells = line.split('|').map((cell) => cell.trim());
			return columns.map((_, i) => cells[i] ?? '');
		});
		return given.length ? given : [blank()];
	});
	/** @param {string[][]} next */
	const set = (next) => {
		setRows(next);
		change(next.filter((row) => row.some((cell) => cell.trim())).map((row) => row.map((cell) => cell.replace(/\|/g, '｜').replace(/\s*\n\s*/g, ' ').trim()).join('|')).join('\n'));
	};
	/** @param {number} at @param {number} column @param {string} text */
	const cell = (at, column, text) => set(rows.map((row, i) => (i === at ? row.map((old, j) => (j === column ? text : old)) : row)));
	return html`<div id=${id} tabindex="-1"><table class="table rows-input"><thead><tr><th class="w-no">#</th>${columns.map((one) => html`<th>${one.label}${one.required && html`<span class="required">*</span>`}</th>`)}<th><span class="unseen">${t('col.act')}</span></th></tr></thead>
		<tbody>${rows.map((row, i) => html`<tr><td class="muted">${i + 1}</td>${columns.map((one, j) => {
			const name = t('rows.cell', { column: one.label, n: i + 1 });
			const tidy = TIDY[one.type];
			return html`<td class=${one.type === 'instant' ? 'w-instant' : one.type === 'date' ? 'w-day' : ''}>${one.type === 'choice' ? html`<select aria-label=${name} value=${row[j]} onChange=${(/** @type {any} */ event) => cell(i, j, event.target.value)}><option value=""></option>${(one.choices ?? []).map((choice) => html`<option value=${choice.name}>${choice.label}</option>`)}</select>`
				: html`<input aria-label=${name} value=${row[j]} placeholder=${one.type === 'instant' ? '2026-01-31 09:30' : one.type === 'date' ? '2026-01-31' : undefined}
				onInput=${(/** @type {any} */ event) => cell(i, j, event.target.value)} onBlur=${tidy ? () => row[j] && tidy(row[j]) !== row[j] && cell(i, j, tidy(row[j])) : undefined} />`}</td>`;
		})}<td class="nowrap"><${Tool} icon="trash" label=${t('rows.remove', { n: i + 1 })} onClick=${() => set(rows.length > 1 ? rows.filter((_, j) => j !== i) : [blank()])} /></td></tr>`)}</tbody></table>
		<${Button} class="small" icon="plus" onClick=${() => setRows([...rows, blank()])}>${t('rows.add')}<//></div>`;
}

/** What is wrong as far as can be told here; the archive has the last word. @param {Field[]} fields @param {Record<string, string>} values @param {(name: string) => string} idOf @param {Record<string, string>} [masked] */
export function missing(fields, values, idOf, masked = {}) {
	/** @type {import('../lib/widgets.js').Wrong[]} */
	const wrong = [];
	for (const field of fields) {
		const value = (values[field.name] ?? '').trim();
		if (!value && isRequired(field, values) && masked[field.name] === undefined)
			wrong.push({ field: field.name, id: idOf(field.name), text: t('wrong.missing', { label: field.label }) });
		else if (value && field.type === 'date' && !isDay(value))
			wrong.push({ field: field.name, id: idOf(field.name), text: t('wrong.date', { label: field.label, value }) });
		else if (value && field.type === 'instant' && !(isDay(value.slice(0, 10)) && /^.{10} ([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(value)))
			wrong.push({ field: field.name, id: idOf(field.name), text: t('wrong.instant', { label: field.label, value }) });
		else if (value && field.type === 'money' && !/^-?\d+(\.\d{1,2})?$/.test(value))
			wrong.push({ field: field.name, id: idOf(field.name), text: t('wrong.money', { label: field.label, value }) });
		else if (value && field.type === 'integer' && !/^-?\d+$/.test(value))
			wrong.push({ field: field.name, id: idOf(field.name), text: t('wrong.integer', { label: field.label, value }) });
	}
	return wrong;
}

/** @param {string} text */
export function isDay(text) {
	if (!/^\d{4}-\d\d-\d\d$/.test(text))
		return false;
	const date = new Date(`${text}T00:00:00Z`);
	return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
