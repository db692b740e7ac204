// The buttons under the figures. Each is there only where the host can do it.
words({
	copy: ['Copy text', '复制文字'],
	csv: ['CSV', 'CSV'],
	image: ['Image', '图片'],
	svg: ['SVG', 'SVG'],
	png: ['PNG', 'PNG'],
	chat: ['Use in chat', '用于对话'],
	fullscreen: ['Full screen', '全屏'],
	inline: ['Leave full screen', '退出全屏'],
	copied: ['Copied', '已复制'],
	done: ['Done', '已完成'],
	undone: ['Not possible here', '此处无法完成'],
	sheet: ['KOL,label,data of,block,name,share %,at most %,index,change,tier,in the target', '达人,名称,数据日期,板块,项目,占比 %,至多 %,TGI,变化,等级,目标人群'],
	looking: ['The user looks at this page:', '用户正在查看的页面：'],
	chosen: ['Chosen: {0}', '已选：{0}'],
})

// actions makes the buttons for what the page shows.
const actions = (data, view) => {
	const { context, capabilities, standalone } = page
	const saves = standalone || capabilities.downloadFile
	const mode = context.displayMode === 'fullscreen' ? 'inline' : 'fullscreen'
	const button = (action, run, label = action) =>
		el('button', { 'data-action': action, onclick: (event) => run(event.currentTarget) }, say(label))
	const images = () => imageBlocks(data, view)
	const saveImage = async (b) => {
		const image = new XMLSerializer().serializeToString(imageOf(data, images().find(({ id }) => id === page.image)))
		const format = b.dataset.action
		save(b, `${fileName(data)}-${page.image}.${format}`, 'image/svg+xml', format === 'svg' ? image : await pngOf(image))
	}
	const openImages = () => change({ image: page.image ? undefined : images()[0]?.id })
	return el('div', { class: 'actions' },
		textOf(shown()) && button('copy', (b) => flash(b, copyText(textOf(shown())) && 'copied')),
		saves && [button('csv', (b) => save(b, fileName(data) + '.csv', 'text/csv', csvOf(data, view))), button('image', openImages)],
		saves && page.image && [
			el('select', { 'data-key': 'image', 'aria-label': say('image'), onchange: (event) => (page.image = event.currentTarget.value) },
				images().map(({ id, title }) => el('option', { value: id, selected: id === page.image }, title))),
			button('svg', saveImage), button('png', saveImage),
		],
		capabilities.updateModelContext && button('chat', (b) => useInChat(b, data)),
		context.availableDisplayModes?.includes(mode) && button('fullscreen', () => changeMode(mode), mode))
}

// flash says on the button for a while what came of pressing it.
const flash = (button, word) => {
	button.textContent = say(word || 'undone')
	setTimeout(() => (button.textContent = say(button.dataset.action)), 2000)
}

// copyText puts text on the clipboard and reports whether it could. It is done in the
// older way: hosts seldom grant a frame the permission that the newer one needs, and
// browsers complain on the console where that is lacking.
const copyText = (text) => {
	const focused = document.activeElement
	const area = el('textarea', { class: 'hidden' }, text)
	document.body.append(area)
	area.select()
	const copied = document.execCommand('copy')
	area.remove()
	focused.focus({ preventScroll: true })
	return copied
}

// save gives the user a file: text, or the image that a data: address holds.
const save = async (button, name, mimeType, content) => {
	const [, image] = content.split('data:image/png;base64,')
	if (page.standalone) {
		el('a', { download: name, href: image ? content : `data:${mimeType},${encodeURIComponent(content)}` }).click()
		return flash(button, 'done')
	}
	const resource = { uri: 'file:///' + name, ...(image ? { mimeType: 'image/png', blob: image } : { mimeType, text: content }) }
	flash(button, await succeeds('ui/download-file', { contents: [{ type: 'resource', resource }] }) && 'done')
}

const succeeds = (method, params) => ask(method, params).then((answer) => !answer?.isError, () => false)

const fileName = (data) =>
	joined([data.source.sample && 'SAMPLE', 'kol-portrait', data.kolId ?? 'comparison', data.asOf], '-')

// csvOf writes a comparison's table, or all rows of a portrait's blocks, shares in percent.
// Each line of sample data says so.
const csvOf = (data, view) => {
	const whole = (share) => (share >= 0 ? +(share * 100).toFixed(2) : '')
	const { head, cells } = data.portraits ? comparisonBlocks(data, view)[0] : {
		head: say('sheet').split(','),
		cells: portraitBlocks(data, view).flatMap(({ title, rows }) =>
			rows.map(({ name, range, share = range?.estimate, atMost = range?.atMost, tgi, points, tier, in: matched }) =>
				[data.kolId, data.label, data.asOf, title, name, whole(share), whole(atMost), tgi?.toFixed(1), points, tier && say(tier), matched && '✓'])),
	}
	return '\ufeff' + [head, ...cells].map((line) => [...line, ...(data.source.sample ? ['SAMPLE 示例'] : [])].map(csvCell).join() + '\r\n').join('')
}

// csvCell writes a cell. A spreadsheet would run text that begins like a formula.
const csvCell = (value) => {
	const plain = String(value || value === 0 ? value : '').replaceAll('\u2060', '')
	const text = typeof value === 'string' && /^[=+\-@＝＋－＠\t\r]/.test(plain) ? "'" + plain : plain
	return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

// useInChat tells the model what the user sees.
const useInChat = async (button, data) => {
	const name = ({ kolId, label }) => (label ? `${label} (${kolId})` : kolId)
	const chosen = data.portraits?.filter(({ kolId }) => page.chosen?.includes(kolId)).map(name)
	const text = joined([
		say('looking'),
		data.source.sample && say('sample'),
		data.kolId && say('followersOf') + name(data),
		...[...document.querySelectorAll('h1, .lead')].map((line) => line.textContent.replaceAll('\u2060', '')),
		data.asOf && say('dataOf', data.asOf),
		chosen?.length && say('chosen', joined(chosen)),
	], '\n')
	flash(button, await succeeds('ui/update-model-context', { content: [{ type: 'text', text }] }) && 'done')
}

const changeMode = async (mode) => {
	const taken = await ask('ui/request-display-mode', { mode }).catch(() => {})
	if (taken) notified['host-context-changed']({ displayMode: taken.mode })
}

// pngOf draws an SVG at twice its size, as a data: address.
const pngOf = async (source) => {
	const image = new Image()
	image.src = 'data:image/svg+xml,' + encodeURIComponent(source)
	await image.decode()
	const canvas = el('canvas', { width: image.width * 2, height: image.height * 2 })
	canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height)
	return canvas.toDataURL()
}

// imageBlocks are the blocks that can be drawn; of a comparison, what share of each KOL's
// followers is in the target, or are women where there is none.
const imageBlocks = (data, view) => {
	if (!data.portraits) return portraitBlocks(data, view)
	const { target, portraits } = data
	const names = creatorNames(data)
	const rows = portraits.map(({ kolId, fit, female }) => ({ name: names.get(kolId), ...(target ? { range: fit?.targetShare } : { share: female }) }))
		.filter((row) => (row.range ?? row.share) !== undefined)
	const scale = scaleOf(Math.max(...rows.map(({ range, share }) => range?.atMost ?? share)))
	return [{ id: 'creators', title: say(target ? 'headTarget' : 'female'), rows, shown: 20, columns: target ? ['index'] : [], notes: [], scale }]
}

// imageOf draws the rows of a block that the page shows as an SVG, with whose they are and
// of when, on white whatever the page looks like: it goes into documents.
const imageOf = (data, { id, title, fact, rows, shown = 10, columns, notes, scale, marked }) => {
	const [left, from, right] = [24, 224, 696]
	const shareAt = right - 104 * columns.length
	const x = (share) => from + (Math.min(share, scale) / scale) * (shareAt - 80 - from)
	const nodes = []
	const write = (x, y, text, size = 14, look) => nodes.push(svg('text', { x, y, fill: size === 12 ? '#565c64' : '#1a1c1f', 'font-size': size, ...look }, text))
	const end = { 'text-anchor': 'end' }
	const bar = (from, to, y, height, fill) => nodes.push(svg('rect', { x: from, y, width: to - from, height, fill }))

	write(left, 44, joined([title, fact], ' · '), 20, { 'font-weight': 600 })
	write(left, 66, joined([
		data.kolId ? say('followersOf') + (data.label ?? data.kolId) : say('creators', data.portraits.length),
		data.asOf && say('dataOf', day(data.asOf)),
		data.source.sample && say('sample'),
	], ' · '), 12)
	write(from, 94, '0', 12)
	write(x(scale), 94, percent(scale, 0), 12, end)
	let y = 100
	for (const row of page.opened.has(id) ? rows : rows.slice(0, shown)) {
		const { range, atMost = range?.atMost, share, base } = row
		const bold = { 'font-weight': row.in ? 600 : 400 }
		nodes.push(svg('svg', { x: left, y, width: from - left - 8, height: 24 }, svg('text', { y: 17, fill: '#1a1c1f', 'font-size': 14, ...bold }, row.name + (row.in ? ' ✓' : ''))))
		if (atMost !== undefined) bar(x(range?.atLeast ?? 0), x(atMost), y + 9, 6, '#9dc3cb')
		if (share) bar(from, x(share), y + 7, 10, marked && !row.in ? '#808890' : '#0b6a7e')
		if (range?.estimate >= 0) nodes.push(svg('path', { d: `M${x(range.estimate)} ${y + 5}l7 7-7 7-7-7z`, fill: '#0b6a7e' }))
		if (base <= scale) {
			bar(x(base) - 2, x(base) + 2, y + 4, 16, '#fff')
			bar(x(base) - 1, x(base) + 1, y + 4, 16, '#1a1c1f')
		}
		write(shareAt, y + 17, shareText(row), 14, { ...bold, ...end })
		const cells = { change: changeText(row), index: range ? spanText(range.atLeast, range.atMost) : row.tgi && indexText(row.tgi), tier: row.tier && say(row.tier) }
		columns.forEach((column, i) => write(shareAt + 104 * (i + 1), y + 17, cells[column] || '', 12, end))
		y += 24
	}
	bar(from, from + 1, 100, y - 100, '#565c64')
	y += 8
	const lines = [rows.some((row) => row.base) && '| ' + say('legendBase'), ...notes].flatMap((note) => (note || '').match(chinese() ? /.{1,54}/g : /.{1,100}(?:\s|$)/g) ?? [])
	for (const line of lines) write(left, (y += 17), line, 12)
	const mark = data.source.sample && [
		svg('pattern', { id: 'sample', width: 220, height: 130, patternUnits: 'userSpaceOnUse' },
			svg('text', { x: 24, y: 100, transform: 'rotate(-24 24 100)', 'font-size': 20, 'font-weight': 600, fill: '#888', 'fill-opacity': '.16' }, 'SAMPLE 示例')),
		svg('rect', { width: '100%', height: '100%', fill: 'url(#sample)' }),
	]
	return svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width: 720, height: y + 24, 'font-family': 'system-ui, PingFang SC, Microsoft YaHei, sans-serif' },
		svg('rect', { width: '100%', height: '100%', fill: '#fff' }), mark, nodes)
}
