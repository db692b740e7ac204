// A vendor, and a caller, that send what no page should believe: markup, marks that turn
// text around, 10,000 rows, names of 200 signs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { comparisonTool, findings, fitted, overflow, portraitTool, show, startHost, startServer } from './rig.mjs'

const markup = [
	'<img src=x onerror="globalThis.ran = 1">', '<script>globalThis.ran = 1</script>', '</script><script>globalThis.ran = 1</script>',
	'"><svg onload="globalThis.ran = 1">', "javascript:globalThis.ran = 1", '&lt;b&gt;&amp;', '{0} {1}', '__proto__', 'constructor',
]
const long = (sign) => sign.repeat(200)
const others = ['\u202egnp.exe\u202c', '\u2066\u2067אבג', 'e' + '\u0301'.repeat(100), '=HYPERLINK("http://x")', '@SUM(A1)', '＝1;2', ' ', '']

const share = (names) => names.map((name, i) => ({ name, percent: 0.5 / (i + 2) ** 2 }))
const portraitOf = (names) => ({
	ages: [{ group: '25-34', percent: 0.6 }, { group: names[0], percent: 0.2 }], gender: { male: 0.4, female: 0.6 },
	interests: share(names), provinces: share(['广东', ...names]), cities: share(names), devices: share(names).map((row) => ({ ...row, desc: row.name })),
	dateKey: '2026-03-08',
})
const portraits = {
	markup: portraitOf(markup),
	bidi: portraitOf(others),
	long: portraitOf([long('W'), long('宽'), long('a b '), long('<b>'), 'M'.repeat(200)]),
	rows: portraitOf(Array.from({ length: 10_000 }, (_, i) => `名${i}`)),
}

const vendor = createServer((request, response) => {
	const query = new URL(request.url, 'http://vendor').searchParams
	const id = query.get('kolId') ?? query.get('userId')
	const found = portraits[id]
	response.setHeader('content-type', 'application/json')
	response.end(JSON.stringify({ code: found ? 0 : 400, message: markup[0] + long('W'), data: found ?? null, recordTime: null, requestId: markup[1] }))
})
await new Promise((listening) => vendor.listen(0, '127.0.0.1', listening))
const env = { JUSTONEAPI_TOKEN: 'nobody', JUSTONEAPI_BASE_URL: `http://127.0.0.1:${vendor.address().port}`, JUSTONEAPI_MAX_RPS: '1000' }

const host = await startHost()
const server = await startServer(process.env.KOL_PORTRAIT, env, [])
after(async () => { await host.close(); await server.close(); vendor.close() })

// intact checks what must hold of the page whatever it was sent.
async function intact(view) {
	assert.equal(await ran(view.frame), false)
	assert.equal(await overflow(view.frame), 0)
	assert.deepEqual(await view.frame.evaluate(() => [...document.querySelectorAll('main img, main script, main iframe, main [onerror], main [onload], main a[href^=javascript]')].map((e) => e.outerHTML)), [])
	assert.deepEqual(view.trouble, [])
	assert.deepEqual(view.requests, [])
}

// ran tells whether a script of somebody else's ran, once all that could load has.
const ran = (frame) => frame.evaluate(async () => {
	for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame)
	return 'ran' in globalThis
})

for (const id of Object.keys(portraits)) {
	for (const width of ['markup', 'bidi'].includes(id) ? [320] : [320, 1200]) {
		test(`${id}, ${width} px`, async (t) => {
			const args = { kolId: id, label: id === 'long' ? long('W').slice(0, 60) : markup[0] }
			const view = await show(host, server, { tool: portraitTool, input: args, result: await server.call(portraitTool, args), width })
			t.after(view.close)
			assert.equal(await view.frame.getAttribute('main', 'data-state'), 'portrait')
			await intact(view)
			await view.frame.evaluate(() => {
				const closed = () => [...document.querySelectorAll('button[aria-expanded=false]')].find((button) => button.checkVisibility())
				for (let i = 0; i < 10 && closed(); i++) closed().click()
			})
			await fitted(view)
			await intact(view)
			const text = await view.frame.innerText('#block-interests')
			if (id === 'markup') for (const name of markup.slice(0, 5)) assert.ok(text.includes(name), `${name} is not in: ${text}`)
			if (id === 'bidi') {
				assert.equal(await view.frame.locator('#block-interests bdi', { hasText: 'gnp.exe' }).count(), 1)
				await view.frame.click('[data-action=csv]')
				await view.page.waitForFunction('window.seen.files.length')
				const csv = (await view.seen()).files[0].contents[0].resource.text
				assert.doesNotMatch(csv, /(^|,)"?[=@＝]/m)
				assert.ok(csv.includes(`"'＝1;2"`), csv)
			}
			if (id === 'rows') assert.ok(await view.frame.locator('tr').count() > 10)
			if (id === 'long' && width === 320) assert.deepEqual(await findings(view.frame), [])
		})
	}
}

test('a comparison of them, and errors in the vendor’s words', async (t) => {
	const many = { kolIds: ['markup', 'bidi', 'long', 'rows', 'nobody'], labels: [markup[0], others[0], long('W').slice(0, 60), '', markup[1]], targetAudience: { gender: 'female' } }
	for (const [tool, args] of [[comparisonTool, many], [portraitTool, { kolId: 'nobody', label: markup[2] }]]) {
		const result = await server.call(tool, args)
		const view = await show(host, server, { tool, input: args, result })
		t.after(view.close)
		for (const width of [320, 1200]) {
			await view.page.setViewportSize({ width, height: 800 })
			await view.frame.waitForFunction((w) => innerWidth === w, width)
			await fitted(view)
			assert.equal(await view.frame.getAttribute('main', 'data-state'), tool === comparisonTool ? 'comparison' : 'error')
			assert.ok((await view.frame.innerText('main')).includes(tool === comparisonTool ? markup[0] : markup[1]))
			await intact(view)
		}
	}
})

test('text alone, and a host’s arguments', async (t) => {
	const view = await show(host, server, { tool: portraitTool, input: { kolId: markup[0], targetAudience: { provinces: [markup[1], long('W')] } }, width: 320 })
	t.after(view.close)
	await view.frame.getByText(markup[1].slice(0, 8)).first().waitFor()
	await intact(view)
	await view.send('sendToolResult', { content: [{ type: 'text', text: markup.join('\n') + long('W') }] })
	await view.frame.waitForSelector('main[data-state=text]')
	await intact(view)
})

test('the report holds no script of theirs', async (t) => {
	const file = join(mkdtempSync(join(tmpdir(), 'page-')), 'report.html')
	await promisify(execFile)(process.env.KOL_PORTRAIT, ['portrait', 'markup', 'long', '--format', 'html', '--output', file], { env: { ...env, HOME: '/nonexistent', PORTRAIT_STORE: 'memory:' } })
	const view = await host.tab({ width: 320 })
	t.after(view.close)
	await view.page.goto('file://' + file)
	view.frame = view.page.mainFrame()
	view.requests.shift() // the file
	await view.frame.waitForSelector('main[data-state=comparison]')
	await intact(view)
	await view.frame.locator('[data-action=open]').first().click()
	await view.frame.waitForSelector('main[data-state=portrait]')
	await intact(view)
})

test('the check would notice a script', async (t) => {
	const view = await show(host, server, { tool: portraitTool, input: { kolId: 'markup' } })
	t.after(view.close)
	await view.frame.evaluate((html) => { document.querySelector('h1').innerHTML = html }, markup[0])
	await view.frame.waitForFunction(() => globalThis.ran === 1)
	assert.equal(await ran(view.frame), true)
	await assert.rejects(intact(view))
})
