// The protocol of MCP Apps, 2026-01-26: JSON-RPC by postMessage with the host around
// the page.
const unanswered = new Map() // by the id of a request to the host

const post = (message) => window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*')

// ask sends the host a request. The promise fails with the host's message.
const ask = (method, params) =>
	new Promise((resolve, reject) => {
		const id = (ask.last = (ask.last ?? 0) + 1)
		unanswered.set(id, { resolve, reject })
		post({ id, method, params })
	})

// canCall tells whether the host passes calls on to the server.
const canCall = () => !page.standalone && !!page.capabilities.serverTools

// callTool calls a tool of the server that the page came from.
const callTool = (name, args) => ask('tools/call', { name, arguments: args })

// change changes page and shows it.
const change = (what) => {
	Object.assign(page, what)
	draw()
}

// answered is what changes with an answer: none that is older may come after it.
const answered = (result, failed) => ({ result, failed, call: undefined, cancelled: false })

// notified is what the host tells, by method. A result may come twice.
const notified = {
	'tool-input-partial': (params) => page.complete || change({ input: params.arguments }),
	'tool-input': (params) => change({ ...answered(), input: params.arguments, complete: true, single: undefined, chosen: undefined }),
	'tool-result': (result) => change(answered(result)),
	'tool-cancelled': () => change({ cancelled: !page.result }),
	'host-context-changed': (changed) => change(takeContext(changed)),
}

const received = ({ source, data }) => {
	if (source !== window.parent || data?.jsonrpc !== '2.0') return
	const { id, method, params, result, error } = data
	if (method === undefined) {
		if (error) unanswered.get(id)?.reject(new Error(error.message))
		else unanswered.get(id)?.resolve(result)
		unanswered.delete(id)
	} else if (typeof method !== 'string') return
	else if (id === undefined) {
		const name = method.replace('ui/notifications/', '')
		if (Object.hasOwn(notified, name)) notified[name](params ?? {})
	}
	else if (method === 'ping' || method === 'ui/resource-teardown') post({ id, result: {} })
	else post({ id, error: { code: -32601, message: 'Method not found' } })
}

// takeContext takes over what changed of the host's context.
const takeContext = (changed) => {
	const { displayMode, timeZone } = Object.assign(page.context, changed)
	const { style, dataset } = ROOT
	for (const [name, value] of Object.entries(changed.styles?.variables ?? {})) if (value) style.setProperty(name, value)
	for (const [side, width] of Object.entries(changed.safeAreaInsets ?? {})) document.getElementById('main').style.setProperty(`border-${side}-width`, width + 'px')
	dataset.mode = displayMode ?? 'inline'
	page.timeZone = knows('en', timeZone) ? timeZone : undefined
}

// connect introduces the page to the host, and tells it from then on how large the page
// is. The host sends nothing before it is told that the page is ready.
const connect = async () => {
	addEventListener('message', received)
	const { hostCapabilities = {}, hostContext = {} } = await ask('ui/initialize', {
		protocolVersion: '2026-01-26',
		appInfo: { name: 'kol-portrait', version: '1.0.0' },
		appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] },
	})
	takeContext(hostContext)
	change({ capabilities: hostCapabilities })
	post({ method: 'ui/notifications/initialized', params: {} })
	let told, asked
	new ResizeObserver(() => {
		asked ??= requestAnimationFrame(() => {
			asked = undefined
			const size = { width: innerWidth, height: Math.ceil(ROOT.getBoundingClientRect().height) }
			if (told === JSON.stringify(size) || page.context.displayMode === 'fullscreen') return
			told = JSON.stringify(size)
			post({ method: 'ui/notifications/size-changed', params: size })
		})
	}).observe(ROOT)
}
