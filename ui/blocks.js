// Blocks: the tables of shares. A block is data (see portraitBlocks), of which this file
// draws a table; files and images are made of the same data.

words({
	all: ['Show all {0}', '显示全部 {0} 项'],
	change: ['change', '变化'],
	fewer: ['Show fewer', '收起'],
	filter: ['Filter: {0}', '筛选：{0}'],
	found: ['{0} of {1} shown', '显示 {0} / {1}'],
	high: ['high', '高'],
	inTarget: ['in the target', '在目标人群内'],
	index: ['index', 'TGI'],
	low: ['low', '低'],
	noData: ['not in the data', '无数据'],
	share: ['share', '占比'],
	tier: ['tier', '等级'],
	tier1: ['tier 1', '一线'],
	'new-tier1': ['new tier 1', '新一线'],
})

const NARROW = 5 // rows of a block below 600 px
const FILTERED = 20 // a block of more rows has a filter
const DRAWN = 200 // rows at once: more would freeze the page, and nobody reads them

// scaleOf returns the end of the axis, 0..1, for the largest share that is drawn.
const scaleOf = (share) =>
	([2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80].find((end) => end / 100 >= share) ?? 100) / 100

// shareText writes a share as rows show it; what is there but rounds to nothing is <0.1%.
const shareText = ({ share, atMost, range }) => {
	if (range) return range.estimate === undefined ? '' : '≈ ' + spanText(range.estimate, range.estimateAtMost)
	if (share === undefined) return atMost === undefined ? say('noData') : '≤ ' + tenths(atMost)
	return spanText(share, atMost)
}

const tenths = (share) => (share === 0 ? '0%' : share < 0.0005 ? '<0.1%' : percent(share))

// spanText writes two shares as a range, 12.0–15.5%, one where they are the same.
const spanText = (from, to = from) =>
	tenths(from) === tenths(to) ? tenths(to) : tenths(from).slice(0, -1) + '–\u2060' + tenths(to)

// indexText writes an index with its name, and with the word for one that stands out. The
// number that is shown decides.
const indexText = (tgi) => `${say('index')} ${Math.round(tgi)} ${levelOf(tgi)}`
const levelOf = (tgi) => (Math.round(tgi) >= 120 ? say('high') : Math.round(tgi) <= 80 ? say('low') : '')

// changeText writes how far a row moved, in percentage points; nothing where it did not.
const changeText = ({ points, atLeast }) =>
	points ? (points > 0 ? '↑ ' : '↓ ') + (atLeast ? '≥ ' : '') + Math.abs(points).toFixed(1) : ''

// section is a block with its heading and, on the right of it, one fact.
const section = ({ id, title, fact }, ...children) =>
	el('section', { class: 'block', id: 'block-' + id, 'aria-labelledby': 'title-' + id },
		el('header', {}, el('h2', { id: 'title-' + id }, title), fact && el('span', { class: 'fact' }, fact)),
		children)

const notesOf = (block) => block.notes.map((text) => text && note(text))

// blockTable draws a block's rows, the first few until all are asked for.
const blockTable = (block) => {
	const { id, rows, shown = 10 } = block
	const body = rowGroup()
	const found = note()
	const all = el('button', { class: rows.length > shown ? 'link' : 'link narrow', 'data-key': 'all-' + id })
	const asked = say('filter', block.title)
	const filter = rows.length > FILTERED && el('input', {
		type: 'search', 'data-key': 'filter-' + id, 'aria-label': asked, placeholder: asked, value: page.filter[id],
		oninput: () => {
			page.filter[id] = filter.value
			fill()
		},
	})
	const fill = () => {
		const opened = page.opened.has(id)
		const wanted = filter && opened ? filter.value.trim().toLowerCase() : ''
		const matching = wanted ? rows.filter(({ name, zh, en }) => [name, zh, en].join('\n').toLowerCase().includes(wanted)) : rows
		const drawn = matching.slice(0, opened ? DRAWN : shown)
		body.replaceChildren(...drawn.flatMap((row, i) => blockRow(block, row, !opened && i >= NARROW)))
		found.textContent = opened && drawn.length < rows.length ? say('found', drawn.length, rows.length) : ''
		all.textContent = opened ? say('fewer') : say('all', rows.length)
		all.setAttribute('aria-expanded', opened)
		if (filter) filter.hidden = !opened
	}
	all.addEventListener('click', () => {
		page.opened.has(id) ? page.opened.delete(id) : page.opened.add(id)
		fill()
	})
	fill()
	return el('div', { class: 'rows' },
		filter,
		roleTable('c' + block.columns.length, block.title, blockHead(block), body),
		found, rows.length > NARROW && all)
}

const blockHead = ({ id, title, scale, columns }) => [
	columnHead({}, hidden(title)),
	columnHead({ class: 'share' }, hidden(say('share')),
		el('span', { class: 'axis', ...QUIET }, span('0'), span(percent(scale, 0))), span()),
	columns.map((column) => columnHead({ class: column }, id === 'fit' || column === 'tier' ? hidden(say(column)) : say(column))),
]

// blockRow draws one row, below its group's heading where it begins one.
const blockRow = (block, row, wide) => [
	...(row.group ? [roleRow({ class: 'group' }, rowHead({}, row.group))] : []),
	roleRow({ class: `${row.in ? 'in' : block.marked ? 'out' : ''} ${row.range ? 'total' : ''} ${wide ? 'wide' : ''}` },
		rowHead({}, bdi(row.name), row.in && tick()),
		cell({ class: 'share' }, trackOf(row, block.scale), span(shareText(row))),
		block.columns.map((column) => cell({ class: column }, CELLS[column](row, block.id)))),
]

const CELLS = {
	change: changeText,
	tier: ({ tier }) => tier && say(tier),
	index: ({ tgi, range }, id) => {
		if (range) return spanText(range.atLeast, range.atMost)
		if (id === 'fit') return tgi !== undefined && indexText(tgi)
		return [tgi === undefined ? ['–', hidden(say('notKnown'))] : Math.round(tgi), el('i', {}, levelOf(tgi))]
	},
}

// trackOf draws a row's bar over the zero line, with what belongs to it: the baseline, the
// median, the part that is not certain. The figures beside it say the same.
const trackOf = ({ share, atMost, base, median, range }, scale) => {
	const at = (share) => Math.min(share / scale, 1) * 100 + '%'
	const piece = (name, from, to = from) => to !== undefined && el('i', { class: name + ' ink', style: `left:${at(from)};width:${to > from ? at(to - from) : ''}` })
	const { atLeast, atMost: most, estimate, estimateAtMost } = range ?? {}
	return el('span', { class: 'track', ...QUIET },
		range && [piece('band', atLeast, most), piece('cap', atLeast), piece('cap', most), piece(estimateAtMost > estimate ? 'likely' : 'diamond', estimate, estimateAtMost)],
		atMost >= 0 && piece('hollow', 0, atMost), share >= 0 && piece('bar', 0, share), base <= scale && piece('base', base),
		median !== undefined && svg('svg', { class: 'median', viewBox: '0 0 8 8', style: `top:${median * 100}%` }, svg('path', { d: 'M0 0 8 4 0 8Z' })))
}
