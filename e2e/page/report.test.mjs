// The report of the command line, opened from a file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findings, kol, overflow, startHost, twenty } from './rig.mjs'

const host = await startHost()
after(host.close)
const folder = mkdtempSync(join(tmpdir(), 'page-'))

// report writes a report and returns its address.
function report(name, ...args) {
	const file = join(folder, name + '.html')
	const target = ['--gender', 'female', '--ages', '25-44', '--places', 'Guangdong,Zhejiang']
	execFileSync(process.env.KOL_PORTRAIT, ['--env', 'sample', 'portrait', ...args, ...target, '--format', 'html', '--output', file],
		{ env: { HOME: folder, PORTRAIT_STORE: 'memory:', LOG_LEVEL: 'error' }, stdio: 'pipe' })
	return 'file://' + file
}

const portrait = report('portrait', kol, '--label', 'Mia')
const comparison = report('comparison', ...twenty)
const chinese = report('chinese', kol, '--language', 'zh')

async function opened(t, url, look) {
	const tab = await host.tab(look)
	await tab.page.goto(url)
	t.after(async () => {
		assert.deepEqual(tab.trouble, [])
		assert.deepEqual(tab.requests, [url])
		await tab.close()
	})
	return { ...tab, frame: tab.page.mainFrame() }
}

for (const [url, state, words, ...looks] of [
	[portrait, 'portrait', ['Mia', '67% women', '67.1%', '9.3%', '146'], [1200, 'dark']], [chinese, 'portrait', ['女性 67%', '9.3%', '广东'], [320, 'light']],
	[comparison, 'comparison', ['20 creators', 'fits best', 'Side by side'], [320, 'dark'], [1200, 'light']],
]) {
	for (const [width, theme] of looks) {
		test(`${url.match(/\w+(?=\.html)/)}, ${width} px, ${theme}`, async (t) => {
			const { frame } = await opened(t, url, { width, theme, locale: url === chinese ? 'en-US' : 'zh-CN' }) // the report's language, not the reader's
			assert.equal(await frame.getAttribute('main', 'data-state'), state)
			const text = (await frame.innerText('main')).replaceAll('\u2060', '')
			for (const what of [...words, url === chinese ? '示例' : 'Sample: invented figures']) assert.ok(text.includes(what), `${what} is not in: ${text}`)
			assert.equal(await frame.getAttribute(':root', 'data-theme'), theme)
			assert.equal(await overflow(frame), 0)
			assert.notEqual(await frame.title(), '')
			// The sample mark keeps axe from judging contrast; shown.test.mjs does without it.
			await frame.addStyleTag({ content: '* { background-image: none !important }' })
			assert.deepEqual(await findings(frame), [])
		})
	}
}

test('a portrait out of the comparison, without a host', async (t) => {
	const { frame } = await opened(t, comparison, { width: 1000 })
	await frame.locator('[data-action=open]').nth(3).click()
	await frame.waitForSelector('main[data-state=portrait]')
	assert.match(await frame.innerText('main'), /Followers of 5c1e|Followers of 5d21/)
	await frame.click('[data-action=back]')
	await frame.waitForSelector('main[data-state=comparison]')
})

test('what a report offers: table and images as files, and nothing of charges', async (t) => {
	const { page, frame } = await opened(t, portrait)
	assert.doesNotMatch(await frame.innerText('#block-about'), /charge|request/i)
	await frame.click('[data-action=image]')
	const offered = await frame.locator('[data-action]').evaluateAll((all) => all.map((e) => e.dataset.action))
	assert.deepEqual(offered.toSorted(), ['csv', 'image', 'png', 'svg'])
	for (const [action, begins] of [['csv', '\ufeffKOL'], ['svg', '<svg'], ['png', '\ufffdPNG']]) {
		const [download] = await Promise.all([page.waitForEvent('download'), frame.click(`[data-action=${action}]`)])
		assert.match(download.suggestedFilename(), new RegExp(`SAMPLE.*\\.${action}$`))
		const text = readFileSync(await download.path(), 'utf8')
		assert.ok(text.startsWith(begins), text.slice(0, 20))
		assert.ok(action === 'png' || /Guangdong|Women/.test(text))
	}
})

for (const [url, landscape] of [[portrait, false], [chinese, false], [comparison, true]]) {
	test(`${url.match(/\w+(?=\.html)/)} on paper`, async (t) => {
		const { page, frame } = await opened(t, url, { width: 1000, theme: 'dark' })
		const pdf = (await page.pdf({ format: 'A4', landscape, preferCSSPageSize: true })).toString('latin1')
		const pages = pdf.match(/\/Type \/Page\b/g).length
		assert.ok(pages >= 1 && pages <= 2, `${pages} pages`)
		await page.emulateMedia({ media: 'print' })
		assert.equal(await frame.evaluate(() => getComputedStyle(document.querySelector('main')).backgroundColor), 'rgb(255, 255, 255)')
		assert.equal(await frame.evaluate(() => [...document.querySelectorAll('.actions button, select')].filter((e) => e.checkVisibility()).length), 0)
		assert.match(await frame.innerText('main'), /^(Sample|示例)/)
	})
}
