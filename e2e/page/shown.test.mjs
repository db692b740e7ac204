// What is on the page: both faces, in both languages and themes, narrow and wide.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { comparisonTool, findings, fitted, kol, overflow, portraitTool, real, show, startHost, startServer, target, twenty } from './rig.mjs'

const host = await startHost()
const server = await startServer(process.env.KOL_PORTRAIT)
after(async () => { await host.close(); await server.close() })

// Of each face: how it is called for, and what must be on it, by language. Figures are
// those of the vendor's documented response, and of the contract's formulas.
const faces = {
	portrait: {
		tool: portraitTool,
		input: { kolId: kol, targetAudience: target },
		blocks: ['fit', 'gender', 'ages', 'provinces', 'cities', 'interests', 'devices', 'about'],
		figures: ['67.1%', '32.9%', '96', '81.0%', '17.0%', '9.3%', '45.2', '53.6%', '38.2', '11.9%', '146', '363', '14.0%', '8.4%', '43.4%'],
		words: {
			en: ['67% women, mostly 35–44 (54%), Guangdong leads (12%)', 'About 9.3% are in your target (at least 0%, at most 17%)', 'Data of March 8, 2026', 'days old.', 'Beijing', 'high', 'new tier 1', 'Food'],
			'zh-CN': ['女性 67%', '35–44', 'TA 浓度约 9.3%（至少 0%，至多 17%）', '2026年3月8日', '数据已有', '北京', '新一线', '美食'],
		},
	},
	comparison: {
		tool: comparisonTool,
		input: { kolIds: twenty.slice(0, 4).concat('sample-code-601', 'sample-empty-data'), labels: ['A', 'B', 'C', 'D', 'E', 'F'], targetAudience: target },
		blocks: ['creators', 'overlay'],
		figures: ['9.3%', '45.2', '38.2'],
		words: {
			en: ['4 of 6 creators', 'fits best', 'E: Balance too low · Not charged', 'F: The vendor has no portrait', 'Side by side', 'Guangdong'],
			'zh-CN': ['6 位达人中的 4 位', '匹配度第一', 'E：账户余额不足 · 未计费', '至', '25–44 岁', '广东'],
		},
	},
}

for (const [face, { tool, input, blocks, figures, words }] of Object.entries(faces)) {
	for (const [locale, expected] of Object.entries(words)) {
		test(`${face}, ${locale}`, async (t) => {
			const result = await server.call(tool, { ...input, language: locale.slice(0, 2) })
			// Its text is judged without the mark behind it; the mark is a test of states.
			const view = await show(host, server, { tool, input, result: real(result), locale })
			t.after(view.close)
			const { frame, page } = view
			for (const [theme, width] of locale === 'en' ? [['light', 320], ['dark', 1200]] : [['light', 1200], ['dark', 320]]) {
				await page.setViewportSize({ width, height: 800 })
				await view.send('setHostContext', { theme, locale })
				await frame.waitForFunction(([t, w]) => document.documentElement.dataset.theme === t && innerWidth === w, [theme, width])
				await fitted(view)
				assert.equal(await frame.getAttribute('main', 'data-state'), face)
				const text = (await frame.innerText('main')).replaceAll('\u2060', '')
				for (const what of [...figures, ...expected]) assert.ok(text.includes(what), `${what} is not in: ${text}`)
				for (const id of blocks) assert.equal(await frame.locator(`section#block-${id}`).count(), 1, id)
				assert.equal(await frame.locator('h1').count(), 1)
				assert.equal(await overflow(frame), 0)
				assert.deepEqual(await cut(frame), [])
				assert.deepEqual(await findings(frame), [])
			}
			assert.deepEqual(view.trouble, [])
			assert.deepEqual(view.requests, [])
		})
	}
}

// cut are texts with a figure that are wider than the box that hides the rest of them.
const cut = (frame) =>
	frame.evaluate(() => [...document.querySelectorAll('main *')]
		.filter((e) => e.children.length === 0 && /\d/.test(e.textContent) && e.scrollWidth > e.clientWidth + 1)
		.filter((e) => !e.closest('.hidden, svg, bdi') && getComputedStyle(e).overflowX !== 'visible')
		.map((e) => e.textContent))

test('other text sizes and palettes of hosts', async (t) => {
	const { tool, input } = faces.portrait
	const result = await server.call(tool, input)
	for (const [theme, background, text] of [['light', '#faf9f5', '#141413'], ['dark', '#30302e', '#faf9f5']]) {
		const view = await show(host, server, {
			tool, input, result: real(result), width: 320, theme,
			context: { styles: { variables: {
				'--color-background-primary': `light-dark(${background}, ${background})`, '--color-text-primary': text, '--font-sans': 'Brand, serif',
				'--font-text-sm-size': '20px', '--font-text-xs-size': '17px', '--font-text-lg-size': '28px', '--border-width-regular': '0.5px',
			} } },
		})
		t.after(view.close)
		assert.equal(await view.frame.evaluate(() => getComputedStyle(document.querySelector('h1')).fontSize), '28px')
		assert.equal(await overflow(view.frame), 0)
		assert.deepEqual(await findings(view.frame), [])
	}
})

test('axe would find something', async (t) => {
	const view = await show(host, server, { ...faces.portrait, result: real(await server.call(portraitTool, faces.portrait.input)) })
	t.after(view.close)
	await view.frame.evaluate(() => document.querySelector('main').insertAdjacentHTML('beforeend', '<p style="color: #aaa">pale</p><button></button>'))
	assert.match((await findings(view.frame)).join(), /color-contrast[^]*button-name|button-name[^]*color-contrast/)
})

test('the first paint of a comparison of twenty', async (t) => {
	const input = { kolIds: twenty, targetAudience: target }
	const result = await server.call(comparisonTool, input)
	const view = await show(host, server, { tool: comparisonTool, input, width: 1000 })
	t.after(view.close)
	await view.frame.evaluate(() => {
		window.painted = new Promise((resolve) => {
			addEventListener('message', ({ data }) => { // before the page hears it
				if (data.method !== 'ui/notifications/tool-result') return
				const start = performance.now()
				requestAnimationFrame(() => {
					const { port1, port2 } = new MessageChannel()
					port1.onmessage = () => resolve(performance.now() - start) // the first thing after the frame
					port2.postMessage(0)
				})
			}, true)
		})
	})
	await view.send('sendToolResult', result)
	const took = await view.frame.evaluate(() => window.painted)
	assert.equal(await view.frame.locator('#block-creators tbody tr').count(), 20)
	t.diagnostic(`first paint of twenty: ${took.toFixed(0)} ms`)
	assert.ok(took < 1000, `${took} ms`)
})
