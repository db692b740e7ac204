// What the page says to the host, and what it answers.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fitted, kol, portraitTool, show, startHost, startServer, target } from './rig.mjs'

const host = await startHost()
const server = await startServer(process.env.KOL_PORTRAIT)
after(async () => { await host.close(); await server.close() })

const input = { kolId: kol, targetAudience: target }
const result = await server.call(portraitTool, input)
const view = await show(host, server, { tool: portraitTool, input, result })

test('the resource', () => {
	assert.equal(server.mimeType, 'text/html;profile=mcp-app')
	assert.deepEqual(server.ui, {
		csp: { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] },
		permissions: { clipboardWrite: {} }, prefersBorder: true,
	})
	assert.doesNotMatch(server.html, /<(script|img|iframe|link)[^>]+(src|href)=|@import|url\((?!data:|["']?data:|#)|\beval\(|new Function|localStorage|sessionStorage|indexedDB|document\.cookie/)
	assert.ok(Buffer.byteLength(server.html) < 60_000, `${Buffer.byteLength(server.html)} bytes`)
})

test('the handshake', async () => {
	const [, initialize, initialized] = (await view.seen()).raw
	assert.equal(initialize.method, 'ui/initialize')
	assert.equal(initialize.params.protocolVersion, '2026-01-26')
	assert.deepEqual(Object.keys(initialize.params.appInfo).sort(), ['name', 'version'])
	assert.ok(initialize.params.appCapabilities.availableDisplayModes.includes('inline'))
	assert.equal(initialized.method, 'ui/notifications/initialized')
})

test('requests of the host', async () => {
	const ask = (id, method) => view.raw({ jsonrpc: '2.0', id, method, params: {} })
	assert.deepEqual((await ask('a', 'ping')).result, {})
	assert.equal((await ask('b', 'sampling/createMessage')).error.code, -32601)
	assert.equal((await ask('c', 'tools/call')).error.code, -32601)
	assert.deepEqual((await ask('d', 'ui/resource-teardown')).result, {})
})

test('what is not the host is not heard', async () => {
	const { frame, raw, send, close } = await show(host, server, { tool: portraitTool, input })
	const message = { jsonrpc: '2.0', method: 'ui/notifications/tool-cancelled', params: {} }
	await frame.evaluate((m) => postMessage(m, '*'), message)
	await raw({ jsonrpc: '2.0', id: 'barrier', method: 'ping', params: {} }) // after which it would have been heard
	assert.equal(await frame.getAttribute('main', 'data-state'), 'waiting')
	await send('sendToolCancelled', {}) // the same message, from the host
	await frame.waitForSelector('main[data-state=cancelled]')
	await close()
})

test('a host that refuses the page', async (t) => {
	const { page, trouble, close } = await host.tab()
	t.after(close)
	await page.goto(host.host)
	await page.evaluate((html) => {
		addEventListener('message', ({ source, data }) => {
			if (data.method === 'ui/initialize') source.postMessage({ jsonrpc: '2.0', id: data.id, error: { code: -32602, message: 'too old' } }, '*')
		})
		document.body.append(Object.assign(document.createElement('iframe'), { srcdoc: html }))
	}, server.html)
	await page.frameLocator('iframe').getByText('did not start this page: too old').first().waitFor()
	assert.deepEqual(trouble, [])
})

test('the size is told at most once a frame, and only when it changes', async () => {
	await view.frame.evaluate(() => {
		window.told = []
		const send = parent.postMessage
		parent.postMessage = (message, ...rest) => {
			if (message.method === 'ui/notifications/size-changed') window.told.push(document.timeline.currentTime)
			return send.call(parent, message, ...rest)
		}
	})
	await view.frame.evaluate(async () => {
		window.told = []
		const frame = () => new Promise(requestAnimationFrame)
		for (let i = 0; i < 20; i++) {
			for (const px of [10, 20, 30 + i]) document.querySelector('main').style.paddingBlockEnd = px + 'px'
			if (i % 2) document.querySelector('[aria-expanded]')?.click()
			await frame()
		}
	})
	const settled = () => view.frame.evaluate(async () => {
		for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame)
		return window.told
	})
	const told = await settled()
	assert.ok(told.length > 5, `${told.length} sizes`)
	assert.equal(new Set(told).size, told.length, 'two sizes in a frame')
	assert.deepEqual(await settled(), told, 'it goes on without a change')
	await fitted(view)
	const { sizes } = await view.seen()
	for (const [i, { height }] of sizes.slice(1).entries()) assert.notEqual(height, sizes[i].height, 'told again without a change')
	assert.equal(await view.frame.evaluate(() => document.documentElement.scrollHeight - innerHeight), 0)
})

test('nothing is said on the console, and nobody else is asked', () => {
	assert.deepEqual(view.trouble, [])
	assert.deepEqual(view.requests, [])
})
