// What the page shows while there is no portrait, when there is none, and when the host
// changes.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { comparisonTool, findings, fitted, kol, overflow, portraitTool, real, show, startHost, startServer, target } from './rig.mjs'

const binary = process.env.KOL_PORTRAIT
const host = await startHost()
const server = await startServer(binary)
const patient = await startServer(binary, { PORTRAIT_ANSWER_WITHIN: '300ms' })
after(async () => { await host.close(); await server.close(); await patient.close() })

const input = { kolId: kol, targetAudience: target }
const result = await server.call(portraitTool, input)

// shown shows what is given; when the test is done the console must have been silent.
async function shown(t, options, from = server) {
	const view = await show(host, from, { tool: portraitTool, ...options })
	t.after(async () => {
		assert.deepEqual(view.trouble, [])
		assert.deepEqual(view.requests, [])
		await view.close()
	})
	return { ...view, text: () => view.frame.innerText('main'), state: (name) => view.frame.waitForSelector(`main[data-state=${name}]`), has: (selector) => view.frame.locator(selector).count() }
}

test('waiting: what the arguments say, also while they stream', async (t) => {
	const view = await shown(t, {})
	for (const [args, expected] of [
		[{}, /Collecting the portrait/], [{ kolId: null }, /Collecting the portrait/], [{ kolId: '5d21' }, /5d21/],
		[{ ...input, targetAudience: { gender: 'fem', ageGroups: 7, provinces: ['Guang'] } }, /5d21ab6b000000001201567d[^]*Guang/],
	]) {
		await view.send('sendToolInputPartial', { arguments: args })
		await view.raw({ jsonrpc: '2.0', id: JSON.stringify(args), method: 'ping', params: {} })
		assert.match(await view.text(), expected)
	}
	await view.send('sendToolInput', { arguments: input })
	await view.frame.getByText('Zhejiang').waitFor()
	assert.match(await view.text(), /5d21ab6b000000001201567d[^]*Collecting the portrait[^]*women[^]*25–\u206044/)
	assert.deepEqual(await findings(view.frame), [])
	await view.send('sendToolCancelled', { reason: 'The user left' })
	await view.state('cancelled')
	await view.send('sendToolResult', result) // it came after all
	await view.state('portrait')
	await view.send('sendToolInputPartial', { arguments: { kolId: 'late' } })
	await view.send('sendToolInput', { arguments: input })
	await view.state('waiting')
	await view.send('sendToolInputPartial', { arguments: { kolId: 'late' } }) // after the whole
	await view.raw({ jsonrpc: '2.0', id: 'late', method: 'ping', params: {} })
	assert.doesNotMatch(await view.text(), /late/)
})

test('waiting for a comparison, in Chinese', async (t) => {
	const view = await shown(t, { tool: comparisonTool, locale: 'zh-CN', input: { kolIds: ['a', 'b', 'c'] } })
	await view.frame.getByText('正在采集 3 份画像…').first().waitFor()
})

test('errors', async (t) => {
	const view = await shown(t, { input, width: 320 })
	for (const [kolId, headline, retryable] of [
		['sample-code-601', 'Balance too low', false], ['sample-code-100', 'refuses the token', false], ['sample-code-303', 'daily quota', undefined],
		['sample-code-302', 'Too many requests', true], ['sample-empty-data', 'has no portrait', false], ['sample-http-502', 'The vendor failed', undefined],
		['no id, surely', 'request is not right', false],
	]) {
		const failed = await server.call(portraitTool, { kolId })
		const { error } = failed.structuredContent
		await view.send('sendToolInput', { arguments: { kolId } })
		await view.state('waiting') // not the one before
		await view.send('sendToolResult', failed)
		await view.state('error')
		const text = await view.text()
		assert.ok(text.includes(headline), text)
		assert.ok(text.includes(error.message), text)
		assert.equal(/charged/i.test(text), true)
		if (error.requestId) assert.ok(text.includes(error.requestId), text)
		if (retryable !== undefined) assert.equal(error.retryable, retryable)
		const offered = await view.has('[data-action=retry]')
		assert.equal(offered, error.retryable && !(error.retryAfterSeconds > 600) ? 1 : 0)
		assert.equal(await overflow(view.frame), 0)
		if (kolId === 'sample-code-601' || retryable) assert.deepEqual(await findings(view.frame), [])
	}
})

test('still collecting: the retry waits as long as told, and brings the portrait', async (t) => {
	const late = { kolId: 'sample-slow-1s' }
	const view = await shown(t, { input: late }, patient)
	await view.page.clock.install()
	const first = await patient.call(portraitTool, late)
	const { retryAfterSeconds } = first.structuredContent.error
	await view.send('sendToolResult', first)
	await view.state('collecting')
	const retry = view.frame.locator('[data-action=retry]')
	assert.ok(await retry.isDisabled())
	assert.match(await retry.innerText(), new RegExp(`in ${retryAfterSeconds} s`))
	assert.deepEqual(await findings(view.frame), [])
	do {
		await view.state('collecting')
		for (let s = 0; s <= retryAfterSeconds; s++) await view.page.clock.fastForward(1000)
		await retry.click()
		await view.frame.waitForSelector('main:not([data-state=waiting])')
	} while (await view.frame.getAttribute('main', 'data-state') === 'collecting')
	await view.state('portrait')
	assert.deepEqual(view.calls[0], { name: portraitTool, arguments: late })

	const alone = await shown(t, { input: late, result: first, capabilities: {} }, patient)
	assert.equal(await alone.has('[data-action=retry]'), 0)
})

const busy = await server.call(portraitTool, { kolId: 'sample-code-302' })
delete busy.structuredContent.error.retryAfterSeconds

for (const [name, callTool, said] of [
	['does not let the retry through', () => { throw new Error('The user said no') }, 'The user said no'], ['answers it with nothing', () => null, 'no answer'],
]) {
	test(`a host that ${name}: what was there, and the button again`, async (t) => {
		const view = await shown(t, { input, result: busy, callTool })
		await view.frame.click('[data-action=retry]')
		await view.frame.getByText(said).first().waitFor()
		await view.state('error')
		assert.match(await view.text(), /Too many requests/)
		assert.equal(await view.frame.locator('[data-action=retry]').innerText(), 'Try again')
	})
}

test('a retry that may be charged says so', async (t) => {
	const charged = structuredClone(busy)
	charged.structuredContent.error.charged = true
	const view = await shown(t, { input, result: charged })
	assert.equal(await view.frame.locator('[data-action=retry]').innerText(), 'Try again (may be charged)')
})

test('an answer shows after a cancelled retry, but not after a newer call', async (t) => {
	const answers = []
	const asked = async (times) => {
		while (answers.length < times) await new Promise(setImmediate)
	}
	const view = await shown(t, { input, result: busy, callTool: () => new Promise((answer) => answers.push(answer)) })
	await view.frame.click('[data-action=retry]')
	await asked(1)
	await view.send('sendToolCancelled', { reason: 'The user left' })
	await view.state('cancelled')
	answers[0](busy)
	await view.state('error')
	await view.frame.click('[data-action=retry]')
	await asked(2)
	await view.send('sendToolInput', { arguments: { kolId: 'newer' } })
	await view.frame.evaluate(() => {
		window.heard = new Promise((resolve) => addEventListener('message', ({ data }) => data.result && resolve()))
	})
	answers[1](result)
	await view.frame.evaluate(() => window.heard)
	await view.state('waiting')
	assert.match(await view.text(), /newer/)
})

test('without the view: the vendor’s rows, and no marks', async (t) => {
	const bare = structuredClone(await server.call(portraitTool, { ...input, detail: 'full' }))
	delete bare._meta
	const view = await shown(t, { input, result: bare })
	await view.state('portrait')
	for (const id of ['gender', 'ages', 'provinces', 'cities', 'interests', 'devices']) assert.ok(await view.has(`#block-${id} tbody tr`) > 1, id)
	assert.equal(await view.has('#block-provinces .tick'), 0)
})

test('locales and time zones that Intl refuses', async (t) => {
	const view = await shown(t, { input, result })
	for (const [locale, timeZone, lang] of [
		['en_US.UTF-8', 'Etc/Unknown', 'en'], ['zh_Hans_CN', '', 'zh-CN'], ['zh-', 'Mars/Base', 'zh-CN'], ['en-GB', 'Asia/Shanghai', 'en'],
	]) {
		await view.send('setHostContext', { theme: 'light', locale, timeZone })
		await view.frame.waitForSelector(`:root[lang=${lang}]`)
		await view.state('portrait')
		assert.match(await view.text(), lang === 'en' ? /2026/ : /2026年3月8日/)
	}
})

test('text alone, and a result twice', async (t) => {
	const view = await shown(t, { input, result: { content: [{ type: 'text', text: 'Mostly women\n<b>two lines</b>' }] } })
	await view.state('text')
	assert.equal(await view.text(), 'Mostly women\n<b>two lines</b>')
	await view.send('sendToolResult', result)
	await view.state('portrait')
	await view.send('sendToolResult', await server.call(portraitTool, { ...input, kolId: 'kol-2' }))
	await view.frame.getByText('kol-2').first().waitFor()
	assert.doesNotMatch(await view.text(), /5d21ab6b/)
	await view.page.evaluate(() => {
		for (const message of [{ method: 7 }, { method: 'constructor' }, { method: 'ui/notifications/tool-result', params: { content: null } }]) {
			document.querySelector('iframe').contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*')
		}
	})
	await view.state('text')
	await view.send('sendToolResult', { content: [], structuredContent: { portraits: {}, summary: 7 } })
	await view.raw({ jsonrpc: '2.0', id: 'alive', method: 'ping', params: {} })
	view.trouble.length = 0 // another server's nonsense may be said on the console, but leaves the page alive
	await view.send('sendToolResult', result)
	await view.state('portrait')
})

test('the sample mark, and nowhere else', async (t) => {
	const sample = await shown(t, { input, result })
	assert.equal(await sample.has('main[data-sample]'), 1)
	assert.match(await sample.text(), /^Sample: invented figures, not an audience/)
	const mark = () => [...document.querySelectorAll('body, main, main > *')].some((e) => [undefined, '::before', '::after'].some((p) => getComputedStyle(e, p).backgroundImage.includes('data:')))
	assert.equal(await sample.frame.evaluate(mark), true)
	const paid = await shown(t, { input, result: real(result) })
	assert.equal(await paid.has('main[data-sample]'), 0)
	assert.doesNotMatch(await paid.text(), /sample/i)
	assert.equal(await paid.frame.evaluate(mark), false)
})

test('the host changes theme, language and display mode', async (t) => {
	const view = await shown(t, { input, result })
	const background = () => view.frame.evaluate(() => getComputedStyle(document.querySelector('main')).backgroundColor)
	const light = await background()
	const context = { theme: 'dark', locale: 'zh-CN', displayMode: 'inline' }
	await view.send('setHostContext', context)
	await view.frame.waitForSelector(':root[data-theme=dark]')
	assert.notEqual(await background(), light)
	assert.match(await view.text(), /女性/)
	assert.match(await view.frame.getAttribute(':root', 'lang'), /^zh/)
	await view.send('setHostContext', { ...context, styles: { variables: { '--color-background-primary': 'rgb(1, 2, 3)' } } })
	await view.frame.waitForFunction(() => getComputedStyle(document.querySelector('main')).backgroundColor === 'rgb(1, 2, 3)')
	await view.send('setHostContext', { ...context, locale: 'en-GB', displayMode: 'fullscreen' })
	await view.frame.getByText('8 March 2026').first().waitFor()
	const bare = await shown(t, { input, result, context: { theme: undefined, locale: undefined, timeZone: undefined, containerDimensions: undefined } })
	await bare.state('portrait')
})

test('little height: the top, and everything where it is asked for', async (t) => {
	const view = await shown(t, { input, result: real(result), context: { containerDimensions: { width: 720, maxHeight: 500 } } })
	assert.equal(await view.frame.locator('#block-provinces').isVisible(), false)
	assert.ok((await view.seen()).sizes.at(-1).height <= 500)
	await view.frame.click('[data-action=everything]')
	assert.equal(await view.frame.locator('#block-provinces').isVisible(), true)
	await fitted(view)
})
