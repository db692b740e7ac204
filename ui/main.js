// What is on the page: one of its states, drawn anew from page whenever something of
// that changes.
words({
	creators: ['{0} creators', '{0} 位达人'],
	collecting: ['Collecting the portrait…', '正在采集画像…'],
	collectingMany: ['Collecting {0} portraits…', '正在采集 {0} 份画像…'],
	patience: ['Up to a minute; stored ones come at once', '最多一分钟；已存储的立即显示'],
	female: ['women', '女性'],
	male: ['men', '男性'],
	still_collecting: ['Still collecting', '仍在采集'],
	notTwice: ['Nothing is charged twice.', '不会重复计费。'],
	retry: ['Try again', '重试'],
	retryPaid: ['Try again (may be charged)', '重试（可能计费）'],
	retryFailed: ['It failed: {0}', '重试失败：{0}'],
	noAnswer: ['no answer', '无响应'],
	noHost: ['The chat app did not start this page: {0}', '聊天应用未能启动本页：{0}'],
	retryIn: ['Try again in {0} s', '{0} 秒后可重试'],
	cancelled: ['The call was cancelled.', '调用已取消。'],
	alone: ['This page shows portraits inside a chat; opened on its own it has none.', '本页在聊天应用中显示画像，单独打开没有内容。'],
	back: ['← all creators', '← 全部达人'],
	everything: ['Show everything', '显示全部'],
	wasCharged: ['Assume it was charged', '按已计费处理'],
	notCharged: ['Not charged', '未计费'],
	code: ['vendor code {0}', '数据方代码 {0}'],
	invalid_argument: ['The request is not right', '请求参数有误'],
	missing_token: ['No vendor token is set', '未配置数据方令牌'],
	invalid_token: ['The vendor refuses the token', '数据方令牌无效'],
	permission_denied: ['The token may not do this', '令牌无权使用该接口'],
	insufficient_balance: ['Balance too low', '账户余额不足'],
	daily_quota_exceeded: ['The vendor’s daily quota is used up', '数据方当日配额已用完'],
	budget_exhausted: ['The limit of charges is reached', '计费调用已达上限'],
	rate_limited: ['Too many requests', '请求过于频繁'],
	collection_failed: ['The vendor could not collect it', '数据方未能采集'],
	no_portrait: ['The vendor has no portrait', '数据方没有画像'],
	upstream_rejected: ['The vendor refused the request', '数据方拒绝了请求'],
	upstream_error: ['The vendor failed', '数据方出错'],
	endpoint_removed: ['The vendor’s endpoint is gone', '数据方已下线该接口'],
	bad_response: ['The vendor’s answer is unusable', '数据方的回复无法使用'],
	timeout: ['No answer in time', '响应超时'],
	network: ['The vendor cannot be reached', '无法连接数据方'],
	store_unavailable: ['The store does not answer', '画像存储无响应'],
	internal: ['The server failed', '本服务出错'],
})

// current is what the page is about: the KOL of a comparison that is open, else the call.
const current = () => page.single ?? page

// shown is the CallToolResult on the page, undefined while there is none.
const shown = () => current().result

const stateOf = (result) => {
	const data = result?.structuredContent
	if (page.cancelled) return 'cancelled'
	if (!result) return 'waiting'
	if (data?.error) return data.error.kind === 'still_collecting' ? 'collecting' : 'error'
	if (data?.portraits) return 'comparison'
	return data?.summary ? 'portrait' : 'text'
}

// draw draws the page anew. Focus stays on what has the same data-key and data-action.
const draw = () => {
	const main = document.getElementById('main')
	const result = shown()
	const data = result?.structuredContent ?? {}
	chooseLanguage(page.context.locale, data.language, navigator.language)
	ROOT.dataset.theme = page.context.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
	const { key, action } = document.activeElement.dataset

	let state = stateOf(result), nodes
	try {
		nodes = drawState[state](data, unpacked(result?._meta?.['kol-portrait/view']))
	} catch {
		// A host may keep the page, and give it what another version of the server sends.
		nodes = drawState[(state = 'text')]()
	}
	main.dataset.state = state
	main.toggleAttribute('data-sample', !!data.source?.sample)
	main.replaceChildren(
		...(data.source?.sample ? [el('p', { class: 'sample' }, say('sample'))] : []),
		...(page.single ? [el('button', { class: 'link back', 'data-action': 'back', onclick: close }, say('back'))] : []),
		...nodes.filter(Boolean),
	)
	shorten(main)
	focusOn(key, action)
	const headline = main.querySelector('h1, .text')?.textContent.slice(0, 200) ?? ''
	const status = document.getElementById('status')
	if (status.textContent !== headline) status.textContent = headline
}

// focusOn gives focus to the element with a data-key or a data-action.
const focusOn = (key, action) => {
	const found = [...document.querySelectorAll('[data-key], [data-action]')].find((e) => e.dataset.key === key && e.dataset.action === action)
	found?.focus({ preventScroll: true })
}

const stateNode = (...children) => [el('div', { class: 'state' }, whose(), ...children)]

// drawState draws a state: its nodes.
const drawState = {
	waiting: () => {
		const target = targetOfInput()
		const many = !page.single && page.input?.kolIds?.length
		return stateNode(el('h1', {}, many ? say('collectingMany', many) : say('collecting')), el('p', { class: 'dim' }, say('patience')),
			target && el('p', { class: 'dim' }, say('fit'), say('colon'), target), el('div', { class: 'moving ink' }))
	},
	collecting: ({ error }) => stateNode(el('h1', {}, say(error.kind)), el('p', {}, say('notTwice')), retryLine(), retryButton(error)),
	error: ({ error, failures = [] }) => stateNode(
		el('h1', {}, error.kind !== 'no_portrait' && triangle(), kindInWords(error)),
		el('p', {}, error.message),
		failures[0] && el('ul', { class: 'note' }, failures.map((f) => el('li', {}, bdi(f.label ?? f.kolId), say('colon'), kindInWords(f.error)))),
		note(errorFacts(error)),
		retryLine(), retryButton(error)),
	cancelled: () => [el('p', { class: 'text' }, say('cancelled'))],
	text: () => [el('p', { class: 'text' }, textOf(shown() ?? {}) || say('noHead'))],
	portrait: (data, view) => drawPortrait(data, view),
	comparison: (data, view) => drawComparison(data, view),
}

const textOf = ({ content }) => joined([content ?? []].flat().map((block) => block?.text), '\n')

const kindInWords = ({ kind }) => say(WORDS[kind] ? kind : 'internal')

const chargeInWords = ({ charged }) => say(charged ? 'wasCharged' : 'notCharged')

const errorFacts = ({ charged, upstreamCode, requestId }) =>
	joined([chargeInWords({ charged }), upstreamCode && say('code', upstreamCode), requestId && say('requestId') + ' ' + requestId], ' · ')

// whose is the line that says whom the call is about, as far as its arguments say it.
const whose = () => {
	const { kolIds, kolId, label } = page.single ?? page.input ?? {}
	const name = label || /[0-9a-f]{24}/i.exec(kolId)?.[0] || kolId
	if (kolIds?.map) return note(say('creators', kolIds.length))
	return name && note(say('followersOf'), bdi(String(name)))
}

// targetOfInput is the target audience as the call gave it, in one line; empty where it
// gave none.
const targetOfInput = () => {
	const { gender, ageGroups, provinces, cities, interests, devices } = page.input?.targetAudience ?? {}
	return joined([WORDS[gender] ? say(gender) : gender, [ageGroups ?? []].flat().map((group) => ageName(group)), [provinces ?? [], cities ?? []].flat(), interests, devices]
		.map((values) => joined([values ?? []].flat())), say('semicolon'))
}

// shorten leaves the top and the fit, or the first block, where the host gives the page
// little height.
const shorten = (main) => {
	const sections = [...main.querySelectorAll('section')]
	if (page.whole || page.context.displayMode === 'fullscreen' || !(page.context.containerDimensions?.maxHeight < 640) || !sections[1]) return
	const kept = main.querySelector('#block-fit') ?? sections[0]
	for (const element of [...sections, ...main.querySelectorAll('.legend')]) element.hidden = element !== kept
	main.append(el('p', { class: 'actions' }, el('button', { 'data-action': 'everything', onclick: () => change({ whole: true }) }, say('everything'))))
}

// retryButton repeats the call that failed, once the server's waiting time is over.
// Where that is long, the advice says when, and there is no button.
const retryButton = ({ kind, charged, retryable, retryAfterSeconds = 0 }) => {
	if (!retryable || !canCall() || !(page.single ?? page.input) || retryAfterSeconds > 600) return
	const result = shown()
	result.due ??= Date.now() + retryAfterSeconds * 1000
	const button = el('button', { 'data-action': 'retry', onclick: load })
	const count = () => {
		const left = Math.ceil((result.due - Date.now()) / 1000)
		button.disabled = left > 0
		button.textContent = left > 0 ? say('retryIn', left) : say(charged && kind !== 'still_collecting' ? 'retryPaid' : 'retry')
		if (left > 0) setTimeout(() => button.isConnected && count(), 1000)
	}
	count()
	return button
}

// retryLine says why the latest retry brought nothing.
const retryLine = () => {
	const { failed } = current()
	return failed && note(say('retryFailed', failed))
}

// load calls the tool for what the page is about, and shows first that it does, then
// what came of it: what was there before where the host did not let it through.
const load = async () => {
	const of = current()
	const former = of.result
	const call = (of.call = {})
	const args = page.single
		? { kolId: of.kolId, label: of.label, language: page.language, targetAudience: page.input?.targetAudience }
		: page.input
	of.result = undefined
	draw()
	const answer = await callTool(args.kolIds ? 'compare_kol_fans_portraits' : 'get_kol_fans_portrait', args).catch((error) => ({ failed: error.message }))
	if (of.call !== call) return
	const failed = answer ? answer.failed : say('noAnswer')
	Object.assign(of, answered(failed === undefined ? answer : former ?? textResult(failed), failed))
	change({ cancelled: false })
}

const textResult = (text) => ({ content: [{ type: 'text', text }] })

// canOpen tells whether the portrait of a KOL of the comparison can be shown.
const canOpen = (kolId) => (page.standalone ? Object.hasOwn(page.portraits, kolId) : canCall())

// open shows the portrait of a KOL of the comparison, with a way back.
const open = (kolId, row) => {
	page.single = { kolId, label: row?.label, result: page.portraits[kolId], from: { ...document.activeElement.dataset }, top: scrollY }
	if (shown()) draw()
	else load()
	scrollTo(0, 0)
	focusOn(undefined, 'back')
}

const close = () => {
	const { from, top } = page.single
	page.single = undefined
	draw()
	focusOn(from.key, from.action)
	scrollTo(0, top)
}

const embedded = document.getElementById('data').textContent.trim()
if (embedded) {
	const { language, timeZone, result, portraits = {} } = JSON.parse(embedded)
	Object.assign(page, { standalone: true, result, portraits })
	takeContext({ locale: language, timeZone, displayMode: 'fullscreen' })
} else if (window.parent === window) {
	page.result = textResult(WORDS.alone[navigator.language.startsWith('zh') ? 1 : 0])
} else connect().catch((error) => change({ result: textResult(say('noHost', error.message)) }))
draw()
