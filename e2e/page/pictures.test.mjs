// The pictures of docs/images, of sample data and made-up names. With PICTURES=make they are
// made anew, for which there must be pdftoppm (Debian's poppler-utils); a picture that
// differs is no fault, since fonts do from machine to machine.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { comparisonTool, fitted, kol, portraitTool, show, startHost, startServer, target, twenty } from './rig.mjs'

const folder = new URL('../../docs/images/', import.meta.url).pathname
const make = process.env.PICTURES === 'make'
const home = mkdtempSync(join(tmpdir(), 'page-'))

const font = "Roboto, 'Noto Sans CJK SC', sans-serif" // Debian's fonts-roboto-unhinted, where it is installed
const labels = ['Mia cooks', 'Little Wok', 'Slow Sunday', 'Kitchen Lab', 'Bao and Tea', 'Home with Yu', 'Green Bowl', 'Tasty Lane', 'Momo bakes', 'Chef Rui', 'Daily Bento', 'Oat & Honey']
const one = (label) => ({ tool: portraitTool, input: { kolId: kol, label, targetAudience: target } })
const many = { tool: comparisonTool, input: { kolIds: twenty.slice(0, 12), labels, targetAudience: target } }
const pictures = {
	'portrait-light': { ...one('Mia cooks'), width: 720, height: 1150 },
	'portrait-dark-zh': { ...one('米娅的厨房'), width: 720, height: 1150, theme: 'dark', locale: 'zh-CN' },
	comparison: { ...many, width: 1000, height: 1400 },
	narrow: { ...one('Mia cooks'), width: 360, height: 900 },
}

const host = make && await startHost()
const server = make && await startServer(process.env.KOL_PORTRAIT, { PORTRAIT_STORE: `sqlite:${home}/portraits.db` })
if (make) after(async () => { await host.close(); await server.close() })

for (const [name, { input, tool, locale = 'en-US', ...look }] of Object.entries(pictures)) {
	picture(name, look.width, async (t, path) => {
		const result = await server.call(tool, { ...input, language: locale.slice(0, 2) })
		const view = await show(host, server, { tool, input, result, locale, scale: 2, context: { styles: { variables: { '--font-sans': font } } }, ...look })
		t.after(view.close)
		await fitted(view)
		assert.equal(await view.frame.locator('main[data-sample]').count(), 1)
		const height = (await view.frame.evaluate(lastWhole, look.height)) + 16
		await view.page.screenshot({ path, clip: { x: 0, y: 0, width: look.width, height } })
	})
}

picture('print', 794, async (t, path) => { // A4 at 96 dpi
	const [report, paper] = [join(home, 'report.html'), join(home, 'report.pdf')]
	execFileSync(process.env.KOL_PORTRAIT, ['--env', 'sample', 'portrait', kol, '--label', 'Mia cooks', '--gender', 'female', '--ages', '25-44', '--places', 'Guangdong,Zhejiang', '--format', 'html', '--output', report],
		{ env: { HOME: home, PORTRAIT_STORE: `sqlite:${home}/portraits.db`, LOG_LEVEL: 'error' }, stdio: 'pipe' })
	const view = await host.tab()
	t.after(view.close)
	await view.page.goto('file://' + report)
	await view.page.addStyleTag({ content: `:root { --font-sans: ${font} }` })
	await view.page.pdf({ path: paper, preferCSSPageSize: true })
	execFileSync('pdftoppm', ['-png', '-singlefile', '-scale-to-x', 794 * 2, '-scale-to-y', '-1', paper, path.replace(/\.png$/, '')])
})

// lastWhole is where the last block ends of those that are whole above a height.
function lastWhole(height) {
	const blocks = [...document.querySelectorAll('section:not(:has(.layer)), .layer')].map((block) => block.getBoundingClientRect())
	return Math.max(...blocks.map(({ bottom }) => bottom).filter((end) => end < height && !blocks.some(({ top, bottom }) => top < end - 1 && bottom > end + 1)))
}

// picture makes a picture where that is wanted, and checks that there is one as wide as it.
function picture(name, width, draw) {
	test(name, async (t) => {
		const path = `${folder}${name}.png`
		if (make) await draw(t, path)
		const committed = existsSync(path) ? readFileSync(path) : Buffer.alloc(24)
		assert.equal(committed.readUInt32BE(16), width * 2, `${path} is no picture of this: go test -tags e2e ./e2e -run TestPage/pictures -pictures`)
	})
}
