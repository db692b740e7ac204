// Side by side: two or three creators laid over one another. Each has its mark, and equal
// values show as one mark in the other.
words({
	sideBySide: ['Side by side', '并排对比'],
	chooseMore: ['choose two or three in the table', '在表中勾选两到三位'],
	allEstimate: ['All, estimate', 'TA 浓度（估算）'],
	onlyScore: ['In the score only: {0}.', '仅计入匹配度：{0}。'],
	tenProvinces: ['Provinces, ten largest', '省份（前十）'],
	difference: ['diff.', '差值'],
	spread: ['spread', '极差'],
})

// The marks: filled dot, hollow diamond, hollow triangle, so that each shows in the next.
const MARKS = ['M-3.2 0a3.2 3.2 0 1 1 6.4 0a3.2 3.2 0 1 1-6.4 0Z', 'M0-6 6 0 0 6-6 0Z', 'M0-7 7 5.5H-7Z']

const markShape = (i) => svg('path', { d: MARKS[i], class: 'mark mark' + i })

// markSign is a mark in text.
const markSign = (i) => svg('svg', { class: 'sign', viewBox: '-8 -8 16 16', ...QUIET }, markShape(i))

// chosenIn are the ids of the chosen creators in the order of the comparison.
const chosenIn = ({ portraits }) => portraits.map((p) => p.kolId).filter((id) => page.chosen.includes(id))

// drawOverlay draws what is chosen: nothing without a view, which has the shares of each.
const drawOverlay = (data, view, names) => {
	if (!view) return []
	const heading = el('h2', {}, say('sideBySide'))
	const chosen = chosenIn(data)
	const legend = el('p', { class: 'legend' },
		chosen.map((id, i) => span(markSign(i), ` #${data.portraits.findIndex((p) => p.kolId === id) + 1} `, el('bdi', { title: id }, names.get(id)))),
		span(say('chooseMore')))
	if (chosen.length < 2) return [heading, legend]
	const portraits = chosen.map((id) => rowsOfView(view, id))
	const layer = (block) => layerTable(block, chosen.map((id) => names.get(id)))
	const layers = ['gender', 'ageGroups', 'provinces'].map((dimension) => layer(dimensionBlock(dimension, portraits)))
	return [heading, legend, el('div', { class: 'layers' },
		el('div', {}, data.target && layer(targetBlock(data, chosen)), layers.slice(0, 2)), el('div', {}, layers[2]))]
}

// rowsOfView takes one KOL's rows out of a comparison's view, as a portrait's view has them.
const rowsOfView = (view, id) => {
	const of = view.portraits[id] ?? {}
	const rows = (names, shares = []) => names.map((name, i) => ({ ...name, share: shares[i] ?? null }))
	const named = (dimension, keys) => keys.map((key) => ({ key, in: view.in[dimension]?.includes(key) }))
	return {
		gender: rows(named('gender', ['female', 'male']), of.gender),
		ageGroups: rows(named('ageGroups', view.ages), of.ages),
		provinces: rows(view.provinces, of.provinces),
	}
}

// dimensionBlock sets one dimension of the portraits side by side: { title, scale, rows:
// [{ name, in, shares: one of each portrait, null where it is not known }] }.
const dimensionBlock = (dimension, portraits) => {
	const keys = new Map(portraits.flatMap((rows) => rows[dimension] ?? []).map((row) => [row.key, row]))
	const largest = ({ shares }) => Math.max(...shares)
	let rows = [...keys.values()].map((row) => ({
		name: rowName(dimension, row), in: row.in,
		shares: portraits.map((rows) => rows[dimension]?.find(({ key }) => key === row.key)?.share ?? null),
	})).filter(({ shares }) => shares.some((share) => share !== null))
	if (dimension === 'provinces') rows = rows.sort((a, b) => largest(b) - largest(a)).slice(0, 10)
	return {
		id: dimension, title: say(dimension === 'provinces' ? 'tenProvinces' : dimension),
		scale: dimension === 'gender' ? 1 : scaleOf(Math.max(0, ...rows.map(largest))), rows,
	}
}

// targetBlock is what the followers of the chosen KOLs match, by dimension and all at once.
const targetBlock = ({ target, portraits }, chosen) => {
	const fits = chosen.map((id) => portraits.find((p) => p.kolId === id).fit)
	const parts = targetParts(target)
	const outside = parts.filter(([dimension]) => dimension === 'interests' || target.soft?.includes(dimension)).map(([, name]) => name)
	const dimensionOf = (chosen) => ['interests', 'devices'].find((dimension) => target[dimension]?.includes(chosen)) ?? 'places'
	const rows = parts.map(([dimension, name]) => ({
		name: capitalised(name), shares: fits.map((fit) => fit.matched[dimension] ?? null),
		open: fits.map((fit) => fit.notListed?.some((chosen) => dimensionOf(chosen) === dimension)),
	}))
	if (parts.length - outside.length > 1) {
		const shares = fits.map((fit) => fit.targetShare ?? {})
		rows.push({ name: say('allEstimate'), shares: shares.map((t) => t.estimate ?? null), open: shares.map((t) => t.estimateAtMost) })
	}
	return {
		id: 'target', title: say('fit'), scale: 1, rows,
		note: outside.length > 0 && say('onlyScore', joined(outside)),
	}
}

// apart is the last column: how far the second of two lies from the first, how far three
// lie apart, in percentage points as the figures beside it are rounded.
const apart = (shares) => {
	const points = shares.map((share) => Math.round(share * 1000) / 10)
	if (points.length > 2) return (Math.max(...points) - Math.min(...points)).toFixed(1)
	const difference = (points[1] - points[0]).toFixed(1)
	return difference > 0 ? '+' + difference : difference.replace(/^-(?=0\.0)/, '').replace('-', '−')
}

// layerTable draws one block of the overlay.
const layerTable = ({ id, title, scale, rows, note: below }, names) => el('div', { class: 'layer', 'data-layer': id },
	el('h3', {}, title),
	rows.length === 0 ? note(say('noData')) : roleTable('', say('sideBySide') + say('colon') + title, [
		cell({}),
		cell({ class: 'plot', ...QUIET }, span(0), percent(scale, 0)),
		names.map((name, i) => columnHead({}, markSign(i), hidden(name))),
		columnHead({ class: 'apart' }, say(names.length > 2 ? 'spread' : 'difference')),
	], rowGroup(rows.map(({ name, in: matched, shares, open = [] }) => roleRow({},
		rowHead({ class: matched && 'in' }, bdi(name), matched && [' ', tick()]),
		cell({ class: 'plot', ...QUIET }, plotOf(shares, scale)),
		shares.map((share, i) => cell({}, markSign(i), orDash(share, () => (open[i] ? '≥ ' : '') + tenths(share)))),
		cell({ class: 'apart' }, orDash(shares.includes(null) ? null : shares, apart)))))),
	below && note(below))

// plotOf draws shares as marks on one line from 0, with a link between them.
const plotOf = (shares, scale) => {
	const at = (share) => (share / scale) * 100 + '%'
	const line = (name, x1, x2) => svg('line', { class: name, x1, x2, y1: '50%', y2: '50%' })
	const known = shares.filter((share) => share !== null).sort((a, b) => a - b)
	return svg('svg', {},
		line('rail', 0, '100%'), known.length > 1 && line('link', at(known[0]), at(known.at(-1))),
		shares.map((share, i) => share !== null && svg('svg', { x: at(share), y: '50%' }, markShape(i))).reverse())
}
