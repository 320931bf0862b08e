// pictures.mjs ROOT MUNIMENT FOLDER - pages of a demonstration for the README and the user's guide: FOLDER/zh, FOLDER/en.
import { join } from 'node:path';

const [, , root, program, out] = process.argv;
const { World, OPERATOR, folder } = await import('./world.mjs');
const world = new World(root, program);
try {
	await world.init();
	await world.start(true);
	await world.samples();
	const filer = await world.person(OPERATOR, ['reader', 'filer', 'operator']);
	const { rows } = JSON.parse(await world.cli('list', '--json', '--limit', '100'));
	/** @param {string} series */
	const of = (series) => rows.find((/** @type {any} */ one) => one.series === series);
	const problem = of('QR-QM-001');
	const report = rows.find((/** @type {any} */ one) => one.type === 'pdf' && one.series === 'GEN');
	await world.cli('revise', problem.number, '--title', `${problem.title}（核对稿）`, '--field', '处理责任人=沈一鸣', '--reason', '题名补充，换人处理');
	await world.browser();
	/** @type {[string, string][]} */
	const pages = [['search', '/search?q=灭菌'], ['list', '/records'], ['record', `/records/${report.record}?q=召回`], ['file', '/file/QR-QM-001'], ['differences', `/records/${problem.record}/differences`], ['verification', '/verification']];
	for (const [language, name] of [['zh-CN', 'zh'], ['en', 'en']]) {
		const { page } = await world.window({ width: 1280, height: 720, language });
		await world.login(page, filer);
		await page.goto(`${world.address}/verification`);
		if (name === 'zh') {
			await page.getByRole('button', { name: '完整校验' }).click();
			await page.locator('.verdict').waitFor({ timeout: 60000 });
		}
		for (const [called, path] of pages) {
			await page.goto(world.address + path);
			await page.locator('#title').waitFor();
			if (called === 'record')
				await page.locator('.sheet canvas').first().waitFor();
			await page.waitForTimeout(900);
			await page.screenshot({ path: join(folder(join(out, name)), `${called}.png`) });
		}
	}
} finally {
	await world.chrome?.close();
	await world.end();
}
