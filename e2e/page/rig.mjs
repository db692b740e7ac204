// What shows the page of a built binary in a real browser: servers on stdio, the host's
// two origins, Chromium.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { getToolUiResourceUri, RESOURCE_MIME_TYPE } from '@modelcontextprotocol/ext-apps/app-bridge'
import axe from 'axe-core'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

export const portraitTool = 'get_kol_fans_portrait'
export const comparisonTool = 'compare_kol_fans_portraits'

// everything that a host may offer.
export const everything = {
	serverTools: {}, serverResources: {}, openLinks: {}, downloadFile: {}, logging: {},
	message: { text: {} }, updateModelContext: { text: {}, structuredContent: {} }, sandbox: { permissions: { clipboardWrite: {} } },
}

// The policy of the specification for a page that declares no domain.
const policy = [
	"default-src 'none'", "script-src 'self' 'unsafe-inline'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:",
	"font-src 'self'", "media-src 'self' data:", "connect-src 'none'", "frame-src 'none'", "object-src 'none'", "base-uri 'self'",
].join('; ')

// The KOL of the vendor's documented response, and a target for it.
export const kol = '5d21ab6b000000001201567d'
export const target = { gender: 'female', ageGroups: ['25-44'], provinces: ['Guangdong', 'Zhejiang'] }
export const twenty = [kol, ...Array.from({ length: 19 }, (_, i) => `5c1e8d2f00000000010${String(i * 7919 + 10000)}`)]

const here = (name) => new URL(name, import.meta.url).pathname

// startServer starts the binary as a host does.
export async function startServer(binary, env = {}, args = ['--env', 'sample']) {
	const client = new Client({ name: 'test-host', version: '1' }, {
		capabilities: { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [RESOURCE_MIME_TYPE] } } },
	})
	await client.connect(new StdioClientTransport({
		command: binary, args, stderr: 'pipe', env: { HOME: '/nonexistent', PORTRAIT_STORE: 'memory:', ...env },
	}))
	const { tools } = await client.listTools()
	const uris = new Set(tools.map(getToolUiResourceUri))
	const [uri] = uris
	if (uris.size !== 1) throw new Error(`the tools name other pages: ${[...uris]}`)
	const { contents: [content] } = uri ? await client.readResource({ uri }) : { contents: [{}] }
	return {
		html: content.text,
		mimeType: content.mimeType,
		ui: content._meta?.ui,
		call: (name, args) => client.callTool({ name, arguments: args }),
		close: () => client.close(),
	}
}

// startHost starts Chromium and serves the host's page and its sandbox.
export async function startHost() {
	const bundle = await build({
		entryPoints: [here('host.js')], bundle: true, write: false, format: 'esm', logLevel: 'warning',
	})
	const [host, sandbox] = await Promise.all([
		serve({ '/': ['text/html', await readFile(here('host.html'))], '/host.js': ['text/javascript', bundle.outputFiles[0].text] }),
		serve({ '/': ['text/html', await readFile(here('sandbox.html'))] }, { 'content-security-policy': policy }),
	])
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', '--font-render-hinting=none'],
	})
	return {
		// tab opens an empty tab, and keeps what it has to complain of and whom it asks.
		tab: async ({ width = 720, height = 800, theme = 'light', locale = 'en-US', scale = 1 } = {}) => {
			const context = await browser.newContext({
				viewport: { width, height }, colorScheme: theme, locale, deviceScaleFactor: scale, reducedMotion: 'reduce',
			})
			context.setDefaultTimeout(15_000)
			const page = await context.newPage()
			const trouble = []
			const requests = []
			page.on('console', (message) => {
				if (message.type() === 'debug' && message.location().url.startsWith(host.url)) return // what the AppBridge sends
				trouble.push(`${message.type()}: ${message.text()}`)
			})
			page.on('pageerror', (error) => trouble.push(String(error)))
			page.on('crash', () => trouble.push('the tab crashed'))
			page.on('request', (request) => {
				if (![host.url, sandbox.url].some((url) => request.url().startsWith(url))) requests.push(request.url())
			})
			return { page, trouble, requests, close: () => context.close() }
		},
		host: host.url,
		sandbox: sandbox.url,
		close: async () => {
			await browser.close()
			host.close()
			sandbox.close()
		},
	}
}

// show opens the server's page in a host, hands over what the caller gives (input, result)
// and returns the tab with the page's frame.
export async function show(host, server, { tool, input, result, capabilities = everything, context = {}, callTool, html = server.html, ...look }) {
	const { width = 720, theme = 'light', locale = 'en-US' } = look
	const tab = await host.tab(look)
	const calls = []
	await tab.page.exposeFunction('callTool', (params) => {
		calls.push(params)
		return (callTool ?? server.call)(params.name, params.arguments)
	})
	await tab.page.goto(host.host)
	await tab.page.waitForFunction('window.raw')
	await tab.page.evaluate((options) => window.openPage(options), {
		sandbox: host.sandbox, html, csp: server.ui?.csp, permissions: server.ui?.permissions, capabilities,
		context: {
			toolInfo: tool && { id: 1, tool: { name: tool, inputSchema: { type: 'object' } } },
			theme, locale, timeZone: 'Asia/Shanghai', platform: 'desktop', displayMode: 'inline',
			availableDisplayModes: ['inline', 'fullscreen'], containerDimensions: { width, maxHeight: 8000 }, ...context,
		},
	})
	const view = {
		...tab, calls,
		frame: tab.page.frames().at(-1),
		seen: () => tab.page.evaluate('window.seen'),
		raw: (message) => tab.page.evaluate((m) => window.raw(m), message),
		// send is one of the AppBridge's methods, such as sendToolResult.
		send: (method, params) => tab.page.evaluate(([m, p]) => window.bridge[m](p), [method, params]),
	}
	if (input) await view.send('sendToolInput', { arguments: input })
	if (result) {
		await view.send('sendToolResult', result)
		await view.frame.waitForSelector('main:not([data-state=waiting])')
		await fitted(view)
	}
	return view
}

// fitted waits until the host's frame is as high as the page.
export const fitted = (view) =>
	view.page.waitForFunction('window.seen.sizes.length > 0 && Math.abs(document.querySelector("iframe").offsetHeight - window.seen.sizes.at(-1).height) <= 1')

// findings are what axe finds wrong by WCAG 2, A and AA, and text whose contrast it
// cannot judge, unless that is a single sign.
export async function findings(frame) {
	await frame.evaluate(axe.source)
	const { violations, incomplete } = await frame.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
	const sign = ({ any }) => any.some((check) => ['nonBmp', 'shortTextContent'].includes(check.data?.messageKey))
	return violations.concat(incomplete.filter((rule) => rule.id === 'color-contrast'))
		.flatMap((rule) => rule.nodes.filter((node) => !sign(node)).map((node) => `${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`))
}

// overflow is by how many pixels the document is wider than its window.
export const overflow = (frame) => frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

// real is a result as if it were no sample's: the sample mark lies behind the text, and
// keeps axe from judging its contrast.
export function real(result) {
	const copy = structuredClone(result)
	Object.assign(copy.structuredContent.source, { sample: false, requestId: 'request-1' })
	copy.structuredContent.warnings = copy.structuredContent.warnings.filter((warning) => !/^SAMPLE|^示例/.test(warning))
	return copy
}

async function serve(files, headers = {}) {
	const server = createServer((request, response) => {
		const [type, body] = files[new URL(request.url, 'http://host').pathname] ?? []
		if (!type) return response.writeHead(404).end()
		response.writeHead(200, { 'content-type': type + ';charset=utf-8', ...headers }).end(body)
	})
	await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
	return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}
