// door.js - before anybody is in: log-in with its second factor, and the page on which custodians unseal.

import { html, useEffect, useRef, useState, useId, t, moment, language, speak } from '../lib/view.js';
import { session, status, get, post, look, forget } from '../lib/api.js';
import { Icon, Button, Notice, Labelled, ErrorSummary, Copyable, useTitle, described } from '../lib/widgets.js';

/** @param {{ children: any, title: string, wrong?: boolean }} props */
function Gate({ children, title, wrong }) {
	useTitle(title, wrong);
	const other = language.value === 'en' ? 'zh-CN' : 'en';
	return html`<div class="gate"><header><span class="brand"><${Icon} name="file" /><b>${t('product')}</b></span>
		<button type="button" class="tool language" lang=${other} onClick=${() => speak(other)}><${Icon} name="globe" />${other === 'en' ? 'English' : '中文'}</button></header>
		<main><h1 id="title" tabindex="-1">${title}</h1>${status.value?.demonstration && html`<${Notice} kind="warn">${t('demo.gate')}<//>`}${children}</main>
		<footer class="muted">${t('product.line')}${status.value?.program ? ` · ${status.value.program}` : ''}</footer></div>`;
}

/** @typedef {{ field: string, id?: string, text: string }} Wrong */

export function LogIn() {
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const [code, setCode] = useState('');
	const [step, setStep] = useState(/** @type {'password' | 'code' | 'enrol'} */ ('password'));
	const [enrol, setEnrol] = useState(/** @type {any} */ (undefined));
	const [wrong, setWrong] = useState(/** @type {Wrong[]} */ ([]));
	const [busy, setBusy] = useState(false);
	const id = useId();
	const [codes, setCodes] = useState(/** @type {{ list: string[], enter: any } | undefined} */ (undefined));
	const codeField = useRef(/** @type {HTMLInputElement | null} */ (null));
	useEffect(() => {
		if (step !== 'password')
			codeField.current?.focus();
	}, [step]);

	/** @param {Event} event */
	const submit = async (event) => {
		event.preventDefault();
		const missing = [];
		if (!name.trim())
			missing.push({ field: 'name', id: `${id}-name`, text: t('login.name.missing') });
		if (!password)
			missing.push({ field: 'password', id: `${id}-password`, text: t('login.password.missing') });
		if (step !== 'password' && !/^\d{6}$/.test(code.trim()) && !(step === 'code' && code.trim().length >= 8))
			missing.push({ field: 'code', id: `${id}-code`, text: t('login.code.missing') });
		setWrong(missing);
		if (missing.length)
			return;
		setBusy(true);
		try {
			const body = { name: name.trim(), password, ...(step === 'password' ? {} : { code: code.trim() }) };
			const who = await post(step === 'enrol' ? '/session/enrol' : '/session', body);
			forget();
			const now = who.account ? who : await get('/session');
			if (who.recovery?.length)
				return setCodes({ list: who.recovery, enter: now });
			session.value = now;
			get('/status').then((now) => {
				status.value = now;
			}, () => {});
		} catch (error) {
			const problem = /** @type {import('../lib/api.js').Problem} */ (error);
			if (problem.code === 'second_factor' && step === 'password') {
				setStep('code');
			} else if (problem.code === 'enrol' && step !== 'enrol') {
				setEnrol(problem.body.enrol);
				setStep('enrol');
			} else {
				if (step !== 'password')
					setCode('');
				const field = step === 'password' ? 'password' : 'code';
				setWrong([{ field, id: `${id}-${field}`, text: problem.message }]);
			}
		} finally {
			setBusy(false);
		}
	};
	/** @param {string} field */
	const said = (field) => wrong.find((one) => one.field === field)?.text;
	if (codes)
		return html`<${Gate} title=${t('recovery.title')}><p>${t('recovery.text')}</p><ul class="recovery mono">${codes.list.map((one) => html`<li>${one}</li>`)}</ul>
			<p class="actions screen"><${Button} kind="primary" onClick=${() => {
				session.value = codes.enter;
			}}>${t('recovery.done')}<//><${Button} icon="print" onClick=${() => print()}>${t('print')}<//></p><//>`;
	return html`<${Gate} title=${step === 'enrol' ? t('enrol.title') : t('login.title')} wrong=${wrong.length > 0}>
		<${ErrorSummary} wrong=${wrong} />
		<form class="stacked" onSubmit=${submit} novalidate>
		${step === 'password' && html`
			<${Labelled} id=${`${id}-name`} label=${t('login.name')} wrong=${said('name')}><input id=${`${id}-name`} autocomplete="username" autofocus value=${name} aria-invalid=${said('name') ? 'true' : undefined}
				aria-describedby=${described(`${id}-name`, '', said('name'))} onInput=${(/** @type {any} */ event) => setName(event.target.value)} /><//>
			<${Labelled} id=${`${id}-password`} label=${t('login.password')} wrong=${said('password')}><input id=${`${id}-password`} type="password" autocomplete="current-password" value=${password}
				aria-invalid=${said('password') ? 'true' : undefined} aria-describedby=${described(`${id}-password`, '', said('password'))} onInput=${(/** @type {any} */ event) => setPassword(event.target.value)} /><//>`}
		${step === 'enrol' && html`<p>${t('enrol.why')}</p><ol class="steps"><li>${t('enrol.scan')}${enrol?.qr && html`<img class="qr" alt=${t('enrol.qr')} src=${`data:image/svg+xml;utf8,${encodeURIComponent(enrol.qr)}`} />`}
			<p class="hint">${t('enrol.hand')} <${Copyable} text=${enrol?.secret ?? ''} label=${t('enrol.secret')} /></p></li><li>${t('enrol.type')}</li></ol>`}
		${step === 'code' && html`<p>${t('login.second', { name })}</p>`}
		${step !== 'password' && html`<${Labelled} id=${`${id}-code`} label=${t('login.code')} hint=${step === 'code' ? t('login.code.hint') : ''} wrong=${said('code')}>
			<input id=${`${id}-code`} ref=${codeField} class="code" inputmode="numeric" autocomplete="one-time-code" maxlength=${step === 'code' ? 40 : 6} value=${code} aria-invalid=${said('code') ? 'true' : undefined}
			aria-describedby=${described(`${id}-code`, step === 'code', said('code'))} onInput=${(/** @type {any} */ event) => setCode(event.target.value)} /><//>`}
		<p class="actions"><${Button} type="submit" kind="primary" busy=${busy}>${step === 'password' ? t('login.next') : t('login.enter')}<//>
		${step !== 'password' && html`<${Button} onClick=${() => {
			setStep('password');
			setCode('');
			setWrong([]);
		}}>${t('back')}<//>`}</p></form><//>`;
}

export function Sealed() {
	const [passphrase, setPassphrase] = useState('');
	const [given, setGiven] = useState(/** @type {any} */ (undefined));
	const [wrong, setWrong] = useState(/** @type {Wrong[]} */ ([]));
	const [busy, setBusy] = useState(false);
	const id = useId();
	useEffect(() => {
		const timer = setInterval(async () => {
			const now = await get('/status').catch(() => undefined);
			if (!now)
				return;
			status.value = now;
			if (!now.sealed) {
				clearInterval(timer);
				await look();
			}
		}, 4000);
		return () => clearInterval(timer);
	}, []);
	/** @param {Event} event */
	const submit = async (event) => {
		event.preventDefault();
		if (!passphrase) {
			setWrong([{ field: 'passphrase', id, text: t('sealed.missing') }]);
			return;
		}
		setBusy(true);
		setWrong([]);
		try {
			const answer = await post('/unseal', { passphrase });
			setPassphrase('');
			setGiven(answer);
			if (answer.unsealed)
				await look();
		} catch (error) {
			const problem = /** @type {import('../lib/api.js').Problem} */ (error);
			setWrong([{ field: 'passphrase', id, text: problem.status === 503 && problem.wait ? `${problem.message} ${t('wait', { n: problem.wait })}` : problem.message }]);
		} finally {
			setBusy(false);
		}
	};
	const partial = given && !given.unsealed ? given : status.value?.unsealing;
	return html`<${Gate} title=${t('sealed.title')} wrong=${wrong.length > 0}><${ErrorSummary} wrong=${wrong} />
		<p>${t('sealed.why')}</p>
		${partial && html`<${Notice} kind="good" role="status" title=${partial.by?.length ? t('sealed.first', { who: partial.by.join(t('comma')) }) : t('sealed.one')}><p>${t('sealed.until', { at: moment(partial.until, true).slice(11) })}</p><//>`}
		<form class="stacked" onSubmit=${submit} novalidate><${Labelled} id=${id} label=${t('sealed.passphrase')} hint=${t('sealed.hint')} wrong=${wrong[0]?.text}>
			<input id=${id} type="password" autocomplete="off" value=${passphrase} aria-invalid=${wrong.length ? 'true' : undefined} aria-describedby=${described(id, true, wrong[0])}
			onInput=${(/** @type {any} */ event) => setPassphrase(event.target.value)} /><//>
		<p class="actions"><${Button} type="submit" kind="primary" icon="unlock" busy=${busy}>${t('sealed.give')}<//></p></form>
		<details class="more"><summary>${t('sealed.works')}</summary><p>${t('sealed.works.text')}</p></details><//>`;
}

/** A password that somebody else gave: nothing else works until there is a new one. */
export function NewPassword() {
	return html`<${Gate} title=${t('password.must')}><p>${t('password.must.text')}</p><${PasswordForm} done=${async () => {
		session.value = await get('/session');
	}} /><//>`;
}

/** @param {{ done: () => void }} props */
export function PasswordForm({ done }) {
	const id = useId();
	const [old, setOld] = useState('');
	const [fresh, setFresh] = useState('');
	const [code, setCode] = useState('');
	const [wrong, setWrong] = useState(/** @type {Wrong[]} */ ([]));
	const [busy, setBusy] = useState(false);
	/** @param {Event} event */
	const save = async (event) => {
		event.preventDefault();
		const found = [];
		if (!old)
			found.push({ field: 'old', id: `${id}-old`, text: t('password.old.missing') });
		if ([...fresh].length < 10)
			found.push({ field: 'new', id: `${id}-new`, text: t('password.short') });
		setWrong(found);
		if (found.length)
			return;
		setBusy(true);
		try {
			await post('/session/password', { old, new: fresh, ...(code.trim() ? { code: code.trim() } : {}) });
			setOld('');
			setFresh('');
			setCode('');
			await done();
		} catch (error) {
			const problem = /** @type {import('../lib/api.js').Problem} */ (error);
			const field = problem.code === 'second_factor' ? 'code' : problem.code === 'invalid' ? 'new' : 'old';
			setWrong([{ field, id: `${id}-${field}`, text: problem.message }]);
		} finally {
			setBusy(false);
		}
	};
	/** @param {string} field */
	const said = (field) => wrong.find((one) => one.field === field)?.text;
	/** @param {string} field @param {any} [hint] */
	const marks = (field, hint) => ({ id: `${id}-${field}`, 'aria-invalid': said(field) ? 'true' : undefined, 'aria-describedby': described(`${id}-${field}`, hint, said(field)) });
	return html`<form class="stacked" onSubmit=${save} novalidate><${ErrorSummary} wrong=${wrong} />
		<input type="text" class="behind" autocomplete="username" tabindex="-1" aria-hidden="true" value=${session.value?.name ?? ''} readonly />
		<${Labelled} id=${`${id}-old`} label=${t('password.old')} wrong=${said('old')}><input ...${marks('old')} type="password" autocomplete="current-password" value=${old} onInput=${(/** @type {any} */ event) => setOld(event.target.value)} /><//>
		<${Labelled} id=${`${id}-new`} label=${t('password.new')} hint=${t('password.hint')} wrong=${said('new')}><input ...${marks('new', true)} type="password" autocomplete="new-password" value=${fresh} onInput=${(/** @type {any} */ event) => setFresh(event.target.value)} /><//>
		<${Labelled} id=${`${id}-code`} label=${t('login.code')} hint=${t('password.code')} wrong=${said('code')}><input ...${marks('code', true)} class="code" inputmode="numeric" autocomplete="one-time-code" value=${code} onInput=${(/** @type {any} */ event) => setCode(event.target.value)} /><//>
		<p class="actions"><${Button} type="submit" kind="primary" busy=${busy}>${t('password.change')}<//></p></form>`;
}
