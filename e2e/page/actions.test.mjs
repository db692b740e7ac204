// What can be done on the page, and that a host that cannot has no button for it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { comparisonTool, everything, findings, fitted, kol, portraitTool, real, show, startHost, startServer, target, twenty } from './rig.mjs'

const host = await startHost()
const server = await startServer(process.env.KOL_PORTRAIT)
after(async () => { await host.close(); await server.close() })

const one = { kolId: kol, label: 'Mia, "the" cook', targetAudience: target }
const many = { kolIds: twenty.slice(0, 12), targetAudience: target }
const portrait = { tool: portraitTool, input: one, result: await server.call(portraitTool, one) }
const comparison = { tool: comparisonTool, input: many, result: await server.call(comparisonTool, many) }

async function shown(t, options) {
	const view = await show(host, server, options)
	t.after(async () => {
		assert.deepEqual(view.trouble, [])
		assert.deepEqual(view.requests, [])
		await view.close()
	})
	const action = (name) => view.frame.locator(`[data-action=${name}]`)
	return {
		...view, action,
		// saved is the file that the host is given when a button is pressed.
		saved: async (name) => {
			const before = (await view.seen()).files.length
			await action(name).click()
			await view.page.waitForFunction((n) => window.seen.files.length > n, before)
			return (await view.seen()).files.at(-1).contents[0].resource
		},
	}
}

// rowsOf reads CSV.
const rowsOf = (csv) => csv.replace('\ufeff', '').trimEnd().split('\r\n')
	.map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain))

test('copy as text', async (t) => {
	const view = await shown(t, portrait)
	await view.page.context().grantPermissions(['clipboard-read'], { origin: host.host })
	await view.action('copy').click()
	await view.frame.getByText('Copied').first().waitFor()
	await view.page.bringToFront()
	await view.page.evaluate(() => window.focus())
	const copied = await view.page.evaluate(() => navigator.clipboard.readText())
	assert.equal(copied.replaceAll('\r\n', '\n'), portrait.result.content[0].text)
})

test('CSV of a portrait: every row, also those not shown', async (t) => {
	const view = await shown(t, portrait)
	const { uri, mimeType, text } = await view.saved('csv')
	assert.match(uri, /SAMPLE.*\.csv$/)
	assert.equal(mimeType, 'text/csv')
	assert.match(text, /^\ufeff/)
	const [head, ...rows] = rowsOf(text)
	assert.ok(rows.every((row) => row.length === head.length), 'lines are not alike')
	const guangdong = rows.find((row) => row.includes('Guangdong') && row.includes('Provinces'))
	for (const cell of [kol, 'Mia, "the" cook', '2026-03-08', '11.9', '145.7']) assert.ok(guangdong.includes(cell), `${cell}: ${guangdong}`)
	assert.equal(rows.filter((row) => row.includes('Provinces')).length, 36)
	assert.ok(rows.every((row) => row.at(-1) === 'SAMPLE 示例'))
	const paid = await shown(t, { ...portrait, result: real(portrait.result) })
	assert.equal(rowsOf((await paid.saved('csv')).text)[0].length, head.length - 1)
})

test('CSV of a comparison', async (t) => {
	const view = await shown(t, comparison)
	const rows = rowsOf((await view.saved('csv')).text)
	assert.equal(rows.length, 13)
	const row = rows.find((cells) => cells.includes(kol))
	for (const cell of ['9.3', '45.2']) assert.ok(row.some((c) => c.startsWith(cell)), `${cell}: ${row}`)
})

for (const [face, options, drawn] of [['portrait', portrait, /SAMPLE[^]*Guangdong/], ['comparison', comparison, /SAMPLE/]]) {
	test(`images of a block of the ${face}`, async (t) => {
		const view = await shown(t, options)
		await view.action('image').click()
		const select = view.frame.locator('select[data-key=image]')
		if (face === 'portrait') await select.selectOption('provinces')
		const image = await view.saved('svg')
		assert.equal(image.mimeType, 'image/svg+xml')
		assert.match(image.text, /^<svg[^]*<\/svg>$/)
		assert.match(image.text, drawn)
		assert.doesNotMatch(image.text, /foreignObject|href|<script|NaN|undefined/)
		const png = await view.saved('png')
		assert.equal(png.mimeType, 'image/png')
		assert.deepEqual([...Buffer.from(png.blob, 'base64').subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10])
		// Decoded, it holds what a drawing has: many colours, and no pixel that is clear.
		const { width, height, colours, clear } = await view.page.evaluate(async (blob) => {
			const image = Object.assign(new Image(), { src: 'data:image/png;base64,' + blob })
			await image.decode()
			const context = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height }).getContext('2d')
			context.drawImage(image, 0, 0)
			const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)
			return { width: image.width, height: image.height, colours: new Set(pixels).size, clear: pixels.some((p) => p >>> 24 < 255) }
		}, png.blob)
		assert.ok(width >= 1200 && height >= 200 && colours > 20 && !clear, JSON.stringify({ width, height, colours, clear }))
	})
}

test('use in the chat', async (t) => {
	const view = await shown(t, portrait)
	await view.action('chat').click()
	await view.page.waitForFunction('window.seen.contexts.length')
	const [{ content: [{ type, text }] }] = (await view.seen()).contexts
	assert.equal(type, 'text')
	for (const what of [kol, 'Mia, "the" cook', '67% women', '9.3%', 'Sample']) assert.ok(text.includes(what), text)
})

test('full screen and back', async (t) => {
	const view = await shown(t, portrait)
	await view.action('fullscreen').click()
	await view.frame.waitForSelector(':root[data-mode=fullscreen]')
	await view.frame.locator('[data-action=fullscreen], [data-action=inline]').click()
	await view.frame.waitForSelector(':root[data-mode=inline]')
	assert.deepEqual((await view.seen()).modes, ['fullscreen', 'inline'])
})

test('a host that can do nothing', async (t) => {
	for (const options of [portrait, comparison]) {
		const view = await shown(t, { ...options, capabilities: {}, context: { availableDisplayModes: ['inline'] } })
		const offered = await view.frame.locator('[data-action]').evaluateAll((all) => all.map((e) => e.dataset.action))
		assert.deepEqual(offered, ['copy']) // it needs nobody's help
	}
	const view = await shown(t, { ...portrait, capabilities: { ...everything, downloadFile: undefined }, context: { availableDisplayModes: undefined } })
	const offered = await view.frame.locator('[data-action]').evaluateAll((all) => all.map((e) => e.dataset.action))
	assert.deepEqual(offered, ['copy', 'chat'])
})

test('a block: show all, filter, the map', async (t) => {
	const view = await shown(t, { ...portrait, result: real(portrait.result) })
	const provinces = view.frame.locator('#block-provinces')
	const rows = provinces.locator('tbody tr')
	const shownRows = async () => (await rows.evaluateAll((all) => all.filter((row) => row.checkVisibility()).length))
	assert.equal(await shownRows(), 10)
	await provinces.locator('button[aria-expanded=false]').click()
	assert.equal(await shownRows(), 36)
	await provinces.locator('input').pressSequentially('jiang')
	await view.frame.waitForFunction(() => [...document.querySelectorAll('#block-provinces tbody tr')].filter((row) => row.checkVisibility()).length < 10)
	const names = (await rows.evaluateAll((all) => all.filter((row) => row.checkVisibility()).map((row) => row.innerText))).join()
	assert.match(names, /Jiangsu[^]*Zhejiang/)
	assert.equal(await view.frame.evaluate(() => document.activeElement.value), 'jiang')
	await provinces.locator('input').fill('')
	const tile = () => provinces.locator('[role=img]').innerText()
	assert.match(await tile(), /GD\s*146/)
	await provinces.getByRole('button', { name: 'Share', exact: true }).click()
	assert.match(await tile(), /GD\s*12%/)
	assert.equal(await provinces.getByRole('button', { name: 'Share', exact: true }).getAttribute('aria-pressed'), 'true')
	assert.deepEqual(await findings(view.frame), [])
})

test('a comparison: sort, choose, show all', async (t) => {
	const view = await shown(t, { ...comparison, width: 1000 })
	const table = view.frame.locator('#block-creators table')
	const column = (name) => table.locator(`tbody .${name}`).allInnerTexts()
	const ranks = (await column('rank')).map(Number)
	assert.deepEqual(ranks, ranks.map((_, i) => i + 1))
	await table.locator('thead th.women button').click()
	const women = (await column('women')).map(parseFloat)
	assert.deepEqual(women, women.toSorted((a, b) => b - a))
	assert.equal(await table.locator('th.women').getAttribute('aria-sort'), 'descending')
	await table.locator('thead th.women button').click()
	assert.deepEqual((await column('women')).map(parseFloat), women.toReversed())
	await table.locator('thead th.rank button').click()

	const overlay = view.frame.locator('#block-overlay')
	const boxes = table.locator('tbody input[type=checkbox]')
	const chosen = () => boxes.evaluateAll((all) => all.flatMap((box, i) => (box.checked ? [i] : [])))
	assert.deepEqual(await chosen(), [0, 1])
	assert.match(await overlay.innerText(), /diff/)
	await boxes.nth(4).check()
	assert.match(await overlay.innerText(), /spread/)
	assert.equal(await boxes.nth(5).isDisabled(), true) // at most three
	await boxes.nth(0).uncheck()
	await boxes.nth(1).uncheck()
	assert.deepEqual(await chosen(), [4])
	assert.doesNotMatch(await overlay.innerText(), /diff|spread/)

	const narrow = await shown(t, { ...comparison, width: 360 })
	const rows = narrow.frame.locator('#block-creators tbody tr')
	const visible = () => rows.evaluateAll((all) => all.filter((row) => row.checkVisibility()).length)
	assert.equal(await visible(), 10)
	await narrow.frame.locator('#block-creators button[aria-expanded=false]').click()
	assert.equal(await visible(), 12)
	await narrow.frame.locator('select[data-key=sort]').selectOption('median')
	const years = (await rows.locator('.median').allInnerTexts()).map((text) => parseFloat(text.match(/[\d.]+$/)))
	assert.deepEqual(years, years.toSorted((a, b) => a - b))
	await fitted(narrow)
})

test('a portrait out of the comparison, and back', async (t) => {
	const view = await shown(t, comparison)
	await view.frame.locator('[data-action=open]').nth(2).click()
	await view.frame.waitForSelector('main[data-state=portrait]')
	const [{ name, arguments: args }] = view.calls
	assert.equal(name, portraitTool)
	assert.ok(many.kolIds.includes(args.kolId))
	assert.deepEqual(args.targetAudience, target)
	assert.match(await view.frame.innerText('main'), new RegExp(args.kolId))
	assert.match(await view.frame.innerText('#block-about'), /stored/i)
	await view.action('back').click()
	await view.frame.waitForSelector('main[data-state=comparison]')
	assert.equal(await view.frame.evaluate(() => document.activeElement.dataset.key), args.kolId)
})
