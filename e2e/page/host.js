// The host's side in the browser: the real AppBridge before a sandbox frame. What the page
// sends is kept in window.seen; tests send through window.bridge, or raw.
import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge'

// openPage shows a page and returns when it has said that it is ready.
window.openPage = async ({ sandbox, html, csp, permissions, capabilities, context }) => {
	const seen = (window.seen = { raw: [], sizes: [], contexts: [], files: [], modes: [] })
	const frame = document.createElement('iframe')
	frame.sandbox = 'allow-scripts allow-same-origin'
	if (capabilities.sandbox?.permissions.clipboardWrite && permissions?.clipboardWrite) frame.allow = 'clipboard-write'
	const ready = new Promise((resolve) => {
		addEventListener('message', ({ source, data }) => {
			if (source !== frame.contentWindow) return
			seen.raw.push(data)
			if (data.method === 'ui/notifications/sandbox-proxy-ready') resolve()
		})
	})
	frame.src = sandbox
	document.body.append(frame)
	await ready

	const bridge = (window.bridge = new AppBridge(null, { name: 'test-host', version: '1' }, capabilities, { hostContext: context }))
	bridge.onsizechange = (size) => {
		seen.sizes.push(size)
		frame.style.height = size.height + 'px'
	}
	bridge.onupdatemodelcontext = async (params) => { seen.contexts.push(params); return {} }
	bridge.ondownloadfile = async (params) => { seen.files.push(params); return {} }
	bridge.onrequestdisplaymode = async ({ mode }) => {
		seen.modes.push(mode)
		bridge.setHostContext({ ...context, displayMode: mode })
		return { mode }
	}
	bridge.oncalltool = (params) => window.callTool(params)
	const initialized = new Promise((resolve, reject) => {
		bridge.oninitialized = resolve
		setTimeout(() => reject(new Error('the page does not say that it is ready')), 20_000)
	})
	await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow))
	await bridge.sendSandboxResourceReady({ html, csp, permissions })
	await initialized
}

// raw sends a message that the AppBridge would not, and returns the page's answer.
window.raw = (message) =>
	new Promise((resolve) => {
		addEventListener('message', ({ data }) => data.id === message.id && !data.method && resolve(data))
		document.querySelector('iframe').contentWindow.postMessage(message, '*')
	})
