// play.mjs ROOT MUNIMENT - a day with the archive in a browser, played on the real server: unseal from two windows, log in, drop
// files, watch them being filed and indexed, search by keyboard, open a hit at its page, revise, run into a conflict, compare,
// print, check the proof on the command line as the panel says; in both languages, with axe on every page, no policy violated.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const [, , root, program] = process.argv;
if (!existsSync(join(root, 'www/ui/node_modules')) || !existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium')) {
	console.log('1..0 # SKIP no browser or no www/ui/node_modules: run scripts/install');
	process.exit(0);
}
const { World, CUSTODIANS, OPERATOR, axe } = await import('./world.mjs');

let n = 0, failed = 0;
/** @param {string} name @param {() => Promise<void>} fn */
async function step(name, fn) {
	n++;
	try {
		await fn();
		console.log(`ok ${n} - ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${n} - ${name}`);
		for (const line of String(error.stack ?? error).split('\n').slice(0, 12))
			console.log(`# ${line}`);
		if (process.env.MUNIMENT_PICTURES)
			await page?.screenshot({ path: join(process.env.MUNIMENT_PICTURES, `failed-${n}.png`) }).catch(() => {});
	}
}
/** @param {any} is @param {string} what */
function need(is, what) {
	if (!is)
		throw new Error(what);
}
/** @param {string[]} found @param {string} where */
function none(found, where) {
	need(found.length === 0, `${where}: ${found.join('; ')}`);
}

const world = new World(root, program);
/** @type {any} */
let page;
/** @type {string[]} */
let wrong = [];
process.on('SIGTERM', () => world.end().then(() => process.exit(1)));

try {
	await world.init();
	await world.start(false);
	await world.browser();
	const first = await world.window(), second = await world.window({ language: 'en' });
	page = first.page;
	wrong = first.wrong;
	page.setDefaultTimeout(15000);
	second.page.setDefaultTimeout(15000);

	await step('sealed: two custodians unseal from two windows', async () => {
		await page.goto(world.address);
		await page.getByRole('heading', { name: '卷宗库已封存' }).waitFor();
		none(await axe(world, page), 'sealed');
		await page.getByLabel('保管人口令').fill('no such passphrase');
		await page.getByRole('button', { name: '启封' }).click();
		await page.getByRole('alert').waitFor();
		need((await page.title()).startsWith('错误：'), 'the title says that something is wrong');
		await page.getByLabel('保管人口令').fill(CUSTODIANS[0]);
		await page.getByRole('button', { name: '启封' }).click();
		await page.getByText('还需一位').waitFor();
		await second.page.goto(world.address);
		await second.page.getByLabel('Passphrase of a custodian').fill(CUSTODIANS[1]);
		await second.page.getByRole('button', { name: 'Unseal' }).click();
		await second.page.getByRole('heading', { name: 'Log in' }).waitFor();
		await page.getByRole('heading', { name: '登录' }).waitFor();
	});

	const filer = await world.person(OPERATOR, ['reader', 'filer', 'operator']);
	const reader = await world.person('沈一鸣', ['reader']);

	await step('log in: what is wrong is said, the second factor is set up, recovery codes are shown once', async () => {
		none(await axe(world, page), 'log-in');
		await page.getByRole('button', { name: '下一步' }).click();
		await page.getByText('请填写姓名或账户号').first().waitFor();
		await page.getByLabel('姓名或账户号').fill(OPERATOR);
		await page.getByLabel('密码').fill('wrong password');
		await page.getByRole('button', { name: '下一步' }).click();
		await page.locator('.summary').waitFor();
		await world.login(page, filer);
		need(await page.getByRole('heading', { level: 1 }).innerText(), 'a heading');
	});

	await step('the first page is small and quick', async () => {
		const fresh = await first.context.newPage();
		/** @type {{ url: string, bytes: number }[]} */
		const loaded = [];
		const cdp = await first.context.newCDPSession(fresh);
		await cdp.send('Network.enable');
		await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
		const names = new Map();
		cdp.on('Network.requestWillBeSent', (event) => names.set(event.requestId, event.request.url));
		cdp.on('Network.loadingFinished', (event) => loaded.push({ url: names.get(event.requestId), bytes: event.encodedDataLength }));
		const began = Date.now();
		await fresh.goto(world.address);
		await fresh.locator('#title').waitFor();
		const ready = Date.now() - began;
		await fresh.waitForTimeout(700);
		const asked = [...names.values()].filter((url) => !url.startsWith('data:') && !url.endsWith('/events'));
		const bytes = loaded.reduce((sum, one) => sum + one.bytes, 0);
		console.log(`# ${asked.length} requests, ${(bytes / 1024).toFixed(1)} KB, ready after ${ready} ms`);
		need(asked.length <= 20, `${asked.length} requests: ${asked.map((url) => new URL(url).pathname).join(' ')}`);
		need(bytes < 100 * 1024, `${bytes} bytes`);
		await fresh.close();
	});

	const corpus = join(root, '../shared/corpus');
	/** @type {string[]} */
	let files;
	if (existsSync(corpus)) {
		/** @param {string} folder @returns {string[]} */
		const walk = (folder) => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? walk(join(folder, name)) : /\.(pdf|docx|txt)$/.test(name) ? [join(folder, name)] : []));
		files = walk(corpus).filter((name) => !name.includes('scans'));
		await world.samples();
	} else {
		const samples = await world.samples();
		files = readdirSync(samples).filter((name) => /\.(pdf|docx|txt)$/.test(name)).map((name) => join(samples, name));
	}

	await step('drop files, watch them being filed and indexed', async () => {
		await page.goto(`${world.address}/file/EXT/batch`);
		await page.getByLabel('部门').fill('质量管理部');
		await page.locator('input[type=file]').first().setInputFiles(files);
		await page.getByRole('button', { name: /归档 \d+ 份/ }).click();
		await page.getByText(`${files.length} 份已归档`).waitFor({ timeout: 60000 });
		none(await axe(world, page), 'batch');
		for (let i = 0; i < 60 && (await page.getByText('已归档，可检索').count()) < files.length; i++)
			await page.waitForTimeout(1000);
		need((await page.getByText('已归档，可检索').count()) === files.length, 'all of them can be found');
	});

	await step('search by keyboard, open a hit at its page, with the words marked', async () => {
		await page.goto(world.address);
		await page.locator('#title').waitFor();
		await page.keyboard.press('/');
		await page.keyboard.type(existsSync(corpus) ? '责任到人' : '灭菌');
		await page.keyboard.press('Enter');
		await page.locator('.hit').first().waitFor();
		none(await axe(world, page), 'search');
		await page.locator('#title').focus();
		await page.keyboard.press('j');
		need(await page.evaluate(() => document.activeElement?.hasAttribute('data-row')), 'j goes to the first hit');
		const pdf = page.locator('.hit', { hasText: '.pdf' }).first().locator('h2 a');
		if (await pdf.count())
			await pdf.focus();
		await page.keyboard.press('Enter');
		await page.locator('.record-viewer').waitFor();
		await page.locator('.sheet canvas, .viewer-body pre').first().waitFor({ timeout: 30000 });
		for (let i = 0; i < 40 && !(await page.evaluate(() => /** @type {any} */ (CSS).highlights?.get('hit')?.size)); i++)
			await page.waitForTimeout(250);
		need(await page.evaluate(() => /** @type {any} */ (CSS).highlights?.get('hit')?.size > 0), 'the words are marked');
		none(await axe(world, page), 'record');
		await page.goto(`${world.address}/search?q=${encodeURIComponent('谁负责灭菌')}`);
		await page.locator('h2.near').waitFor();
		need(await page.locator('h2.near + .hits .hit').count(), 'what comes near is shown where nothing is found');
	});

	await step('facets and chips stand in the address; a search is saved and found again', async () => {
		await page.goto(`${world.address}/search?q=${encodeURIComponent('质量')}`);
		await page.locator('.facet li a').first().click();
		await page.locator('.chip').first().waitFor();
		need(/series=|department=|type=|year=/.test(page.url()), 'the address has the filter');
		await page.getByRole('button', { name: '收藏' }).click();
		await page.getByLabel('视图名称').fill('质量文件');
		await page.keyboard.press('Enter');
		await page.getByRole('navigation', { name: '主导航' }).getByText('质量文件').click();
		await page.locator('.chip').first().waitFor();
	});

	await step('a form that is wrong says where; a draft keeps itself; stored HTML is text', async () => {
		await page.goto(`${world.address}/file/QR-QC-001`);
		await page.getByRole('button', { name: '提交归档' }).click();
		await page.locator('.summary').waitFor();
		none(await axe(world, page), 'form with errors');
		await page.locator('.summary a').first().click();
		need(await page.evaluate(() => document.activeElement?.tagName === 'INPUT'), 'the link goes to the field');
		const evil = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
		await page.getByLabel('题名').fill(evil);
		await page.getByLabel('部门').selectOption('运营部');
		await page.getByLabel('经营者名称').fill(`"><b>${evil}`);
		await page.getByLabel('统一社会信用代码').fill('91350100M000100Y43');
		await page.getByLabel('医疗器械经营许可证号').fill('许可-1');
		await page.getByLabel('医疗器械注册证号').fill('注准-1');
		await page.getByLabel('资质有效期').fill('2028年3月5日');
		await page.getByLabel('审核人').fill(OPERATOR);
		await page.getByLabel('审核日期').fill('20261103');
		await page.getByLabel('补正', { exact: true }).check();
		await page.getByLabel('资质文件附件编号').fill('F-1');
		need((await page.getByLabel('资质有效期').inputValue()) === '2028-03-05', 'days are tidied');
		await page.getByText(/草稿已保存于/).waitFor();
		await page.reload();
		await page.getByLabel('资质文件附件编号').waitFor();
		need((await page.getByLabel('题名').inputValue()) === evil, 'the draft came back');
		mkdirSync(join(world.folder, 'evil'), { recursive: true });
		const name = join(world.folder, 'evil', '<b onclick=alert(1)>附件 &amp; "x".txt');
		writeFileSync(name, '<script>alert(2)</script> 渗漏');
		await page.locator('input[type=file]').first().setInputFiles([name]);
		await page.getByText('已上传').waitFor();
		await page.getByRole('button', { name: '提交归档' }).click();
		await page.getByText('请填写“补正要求”').first().waitFor();
		await page.getByLabel('补正要求').fill('<iframe src=javascript:alert(3)>');
		await page.getByRole('button', { name: '提交归档' }).click();
		await page.getByRole('heading', { name: /已归档/ }).waitFor();
		await page.getByRole('link', { name: '打开' }).click();
		await page.getByRole('heading', { level: 1, name: evil }).waitFor();
		await page.getByText('<iframe src=javascript:alert(3)>').first().waitFor();
		need(!(await page.locator('main img[src=x], main iframe, main b[onclick]').count()), 'no markup came out of it');
		await page.goto(`${world.address}/records`);
		await page.getByText(evil).first().waitFor();
		need((await page.title()).includes('卷宗'), 'nothing ran');
		await page.locator('tbody tr', { hasText: evil }).first().locator('input').check();
		const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '导出所选' }).click()]);
		const csv = readFileSync(await saved.path(), 'utf8');
		need(csv.startsWith('\ufeff') && csv.includes(evil.replace(/"/g, '""')), 'the selection is exported');
		const [whole] = await Promise.all([page.waitForEvent('download'), page.getByText('导出', { exact: true }).click().then(() => page.getByText('CSV（Excel').click())]);
		need(readFileSync(await whole.path(), 'utf8').startsWith('\ufeff'), 'the view is exported');
	});

	const { rows } = JSON.parse(await world.cli('list', '--json', '--limit', '100'));
	const problem = rows.find((/** @type {any} */ one) => one.series === 'QR-QM-001');

	await step('revise; when somebody was faster, both versions are shown and decided', async () => {
		await page.goto(`${world.address}/records/${problem.record}/revise`);
		await page.getByLabel('题名').fill(`${problem.title}（核对稿）`);
		await page.getByLabel('原因').fill('题名补充');
		await world.cli('revise', problem.number, '--field', '处理责任人=沈一鸣', '--reason', '换人处理');
		await page.getByRole('button', { name: '提交为第 2 版' }).click();
		await page.getByRole('heading', { name: '有人先一步修订了' }).waitFor();
		none(await axe(world, page), 'conflict');
		await page.getByRole('button', { name: /以第 2 版为底/ }).click();
		need((await page.getByLabel('题名').inputValue()).endsWith('（核对稿）'), 'what was typed is kept');
		need((await page.getByLabel('处理责任人').inputValue()) === '沈一鸣', 'theirs is taken over');
		await page.getByRole('button', { name: '提交为第 3 版' }).click();
		await page.getByText('第 3 版，共 3 版').waitFor();
	});

	await step('compare versions', async () => {
		await page.goto(`${world.address}/records/${problem.record}/differences?from=1&to=3`);
		await page.locator('td.after', { hasText: '核对稿' }).waitFor();
		need(await page.locator('td.before', { hasText: '沈听雨' }).count(), 'both changes are there');
		none(await axe(world, page), 'differences');
	});

	await step('the proof panel: its commands say yes on the command line', async () => {
		await page.goto(`${world.address}/records/${problem.record}`);
		await page.locator('#proof pre').waitFor();
		const commands = (await page.locator('#proof pre').innerText()).trim();
		const elsewhere = join(world.folder, 'elsewhere');
		mkdirSync(elsewhere);
		symlinkSync(join(root, 'scripts'), join(elsewhere, 'scripts'));
		const { stdout, stderr } = await promisify(execFile)('bash', ['-e', '-c', commands], { cwd: elsewhere, env: { ...world.env, PATH: `${join(program, '..')}:${process.env.PATH}` } });
		need(/Good "git" signature|OK|good/i.test(stdout + stderr), `the commands said: ${stdout}${stderr}`);
	});

	await step('print: A4 pages with the record and without the tools', async () => {
		const pdf = await page.pdf({ preferCSSPageSize: true });
		writeFileSync(join(world.folder, 'print.pdf'), pdf);
		const { stdout } = await promisify(execFile)('pdftotext', ['-layout', join(world.folder, 'print.pdf'), '-']);
		need(stdout.includes(problem.number) && stdout.includes('打印于'), 'number and who printed it');
		need(!stdout.includes('主导航') && !stdout.includes('以此为底稿'), 'no tools');
		const info = await promisify(execFile)('pdfinfo', [join(world.folder, 'print.pdf')]);
		need(/A4/.test(info.stdout), 'A4');
	});

	await step('every page in both languages: axe finds nothing, nothing runs over, no sentence is missing', async () => {
		const pages = ['/', '/search', '/search?q=zzzz', '/records', '/records?series=DOC', `/records/${problem.record}`, `/records/${problem.record}?version=1`, `/records/${problem.record}/revise`, '/file', '/file/QR-SALE-001',
			'/jobs', '/verification', '/log', '/settings', '/accounts', '/series', '/series/QR-QM-001', '/help', '/no/such/page'];
		for (const language of ['English', '中文']) {
			await page.goto(world.address);
			const other = page.getByRole('button', { name: language });
			await other.click();
			await page.waitForFunction((/** @type {string} */ wanted) => document.documentElement.lang === wanted, language === 'English' ? 'en' : 'zh-CN');
			for (const path of pages) {
				await page.goto(world.address + path);
				await page.locator('#title').first().waitFor();
				await page.waitForFunction(() => !document.querySelector('[aria-busy=true]')).catch(() => {});
				if (language === '中文')
					none(await axe(world, page), path);
				need(path === '/no/such/page' || !(await page.locator('main [role=alert]').count()), `${path}: ${await page.locator('main').innerText()}`);
				need((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${path} runs over the edge`);
				const text = await page.evaluate(() => document.body.innerText);
				const missing = text.match(/\b(nav|col|act|record|search|home|job|verb|fact|type|state|error)\.[a-z]+\b/g);
				need(!missing, `${path}: ${missing}`);
			}
		}
	});

	await step('the API can be explored', async () => {
		await page.goto(`${world.address}/docs`);
		await page.getByText('/api/v1/records/{record}', { exact: true }).first().waitFor();
	});

	await step('a reader reads and is told what may not be done', async () => {
		await world.login(second.page, reader);
		await second.page.goto(`${world.address}/file/GEN`);
		await second.page.getByRole('heading', { level: 1 }).waitFor();
		need(!(await second.page.getByRole('button', { name: /Submit|提交归档/ }).count()), 'no form for a reader');
		await second.page.goto(`${world.address}/records/${problem.record}`);
		await second.page.locator('#title').waitFor();
		need(!(await second.page.getByRole('link', { name: /^(Revise|修订)$/ }).count()), 'no way to revise');
	});

	await step('the server restarts: who is logged in stays so', async () => {
		const port = world.port;
		await world.stop();
		await world.start(true, port);
		await page.goto(`${world.address}/records`);
		await page.locator('table.list').waitFor();
	});

	await step('leave, and sealing at once', async () => {
		await page.goto(`${world.address}/settings`);
		await page.getByRole('button', { name: '封存卷宗库' }).first().click();
		await page.getByRole('dialog').getByRole('button', { name: '封存卷宗库' }).click();
		await page.getByRole('heading', { name: '卷宗库已封存' }).waitFor();
	});

	await step('nothing was against the policy, no exception, no error in the console', async () => {
		none([...wrong, ...second.wrong], 'browser');
	});
} catch (error) {
	failed++;
	console.log(`Bail out! ${error.stack ?? error}`);
} finally {
	await world.chrome?.close();
	await world.end();
}
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
