// The comparison: who fits best, the table of all creators, and the foot. Laying two or
// three of them over one another is in overlay.js.
words({
	someCreators: ['{0} of {1} creators', '{1} 位达人中的 {0} 位'],
	forTarget: [' · target: ', ' · 目标人群：'],
	plus: ['{0} (a plus)', '{0}（加分项）'],
	fitsBest: ['{0} fits best: ', '{0} 匹配度第一：'],
	ranksFirst: ['{0} ranks first: ', '{0} 暂列第一：'],
	fitEqually: ['{0} fit equally well: ', '{0} 并列第一：'],
	notRanked: ['No creator can be ranked', '无法排名'],
	inYourTarget: ['{0} in your target', 'TA 浓度{0}'],
	aboutIn: ['about {0}', '约 {0}'],
	betweenIn: ['between {0}', ' {0}'],
	scoreOf: ['score {0} of 100', '匹配度 {0}（满分 100）'],
	highestShare: ['highest share in your target: {0}, {1}', 'TA 浓度最高：{0}，{1}'],
	within: ['{0} more within one point', '另有 {0} 位的 TA 浓度相差不到 1 个百分点'],
	overlap: ['ranges overlap, so the order is an estimate', '区间有重叠，排名仅供参考'],
	until: [' – ', ' 至 '],
	headRank: ['Rank', '排名'],
	headOrder: ['As asked', '所给顺序'],
	headCreator: ['Creator', '达人'],
	headScore: ['Score', '匹配度'],
	headTarget: ['In the target', 'TA 浓度'],
	headWomen: ['Women', '女性'],
	headCore: ['Core age', '核心年龄'],
	headMedian: ['Median', '年龄中位数'],
	headTier1: ['Tier 1', '一线'],
	headApple: ['Apple', '苹果'],
	headInterest: ['Top interest', '首要兴趣'],
	headSimilar: ['Most similar', '最相似'],
	caption: ['Creators compared by their followers', '达人粉丝画像对比'],
	sortBy: ['Sort by', '排序'],
	noteTarget: ['In the target: estimate ◆ and range, drawn on 0–{0}.', 'TA 浓度：◆ 为估算值，色带为上下限，刻度 0–{0}。'],
	noteUnlisted: ['≥, ≤, from–to: not all that was chosen is listed.', '≥、≤、区间：所选项有未列出的。'],
	noteColumns: ['Small bars: 0–100%. Tier 1: at least. Similarity (0–1) compares profiles, not people.', '细条刻度 0–100%。一线：下限。相似度（0–1）比较画像，不代表粉丝重合。'],
	noteUnranked: ['(#): not ranked.', '(#)：不参与排名。'],
	chargedStored: ['{0} · {1} charged, {2} from the store', '{0} · 计费 {1} 次，{2} 份为已存画像'],
	noteStored: ['A name opens the portrait; stored ones are free.', '点击名称打开画像，已存画像不计费。'],
})

// How many rows there are before "show all", in the table and stacked (as in the styles);
// how many creators can be laid over one another.
const MOST_ROWS = 50
const MOST_STACKED = 10
const MOST_CHOSEN = 3

// The first formatter of a page takes some 20 ms. It is made here, before there is a result.
new Intl.DateTimeFormat().format()

// drawComparison draws the answer about several KOLs. Without a view none can be laid
// over another.
const drawComparison = (data, view) => {
	const names = creatorNames(data)
	const ids = data.portraits.map((p) => p.kolId)
	const kept = page.chosen?.filter((id) => ids.includes(id))
	// Nothing chosen yet, or nothing of this comparison: the first two that can be drawn.
	page.chosen = kept?.length === page.chosen?.length && kept || ids.filter((id) => view?.portraits[id]).slice(0, 2)
	const overlay = el('section', { id: 'block-overlay' })
	const lay = () => overlay.replaceChildren(...drawOverlay(data, view, names))
	lay()
	const { charged, fromStore } = data.source
	return [
		...comparisonTop(data, view, names), creatorsBlock(data, names, view && lay), overlay,
		el('footer', {}, note(page.standalone ? sourceOf(data) : say('chargedStored', sourceOf(data), charged, fromStore)), actions(data, view)),
	]
}

// creatorNames is what the page calls each KOL, by id: its label, else the end of its id,
// as long as it takes to tell all apart. Two with the same label get both.
const creatorNames = ({ portraits, failures = [] }) => {
	const kols = [...portraits, ...failures]
	const ids = [...new Set(kols.map((k) => k.kolId))]
	const labels = kols.map((k) => k.label)
	let length = 6
	while (new Set(ids.map((id) => id.slice(-length))).size < ids.length) length++
	return new Map(kols.map(({ kolId, label }) => {
		const short = kolId.length > Math.max(20, length + 2) ? '…' + kolId.slice(-length) : kolId
		return [kolId, !label ? short : labels.indexOf(label) < labels.lastIndexOf(label) ? `${label} ${short}` : label]
	}))
}

// ageWords writes an age group where there is little room.
const ageWords = (group) => (group === '>44' ? '45+' : group.replace('-', '–'))

// targetParts is a target as it was understood: [dimension, words] of each dimension.
const targetParts = (target) =>
	[['gender', target.gender && [say(target.gender)]], ['ageGroups', target.ageGroups?.map((group) => ageName(group).toLowerCase())],
		...['places', 'interests', 'devices'].map((dimension) => [dimension, target[dimension]])]
		.filter(([, values]) => values).map(([dimension, values]) => [dimension, listed(values, 'disjunction')])

const comparisonTop = (data, view, names) => {
	const { target, portraits, failures = [] } = data
	const count = failures.length ? say('someCreators', portraits.length, portraits.length + failures.length) : say('creators', portraits.length)
	const days = portraits.map((p) => p.asOf).filter(Boolean).sort()
	const dated = days.length > 0 && say('dataOf', [...new Set([days[0], days.at(-1)])].map(day).join(say('until')))
	if (!target) return [el('h1', {}, count), factLines(data, view, dated)]
	const words = targetParts(target).map(([dimension, text]) => (target.soft?.includes(dimension) ? say('plus', text) : text))
	const close = closeness(portraits, names)
	return [
		note(count + say('forTarget') + words.join(say('semicolon'))),
		el('h1', {}, bestFit(portraits, names)),
		close && el('p', { class: 'lead' }, close),
		factLines(data, view, dated),
	]
}

// factLines are the day of the data and what to be careful about: the view's warnings,
// else the server's own in its language, but that of the sample, which the frame says.
const factLines = (data, view, dated) => {
	const ours = view?.warnings?.[page.language]
	const warnings = ours ?? data.warnings.slice(data.source.sample ? 1 : 0)
	return el('div', { class: 'facts' }, dated && span(dated),
		warnings.map((text) => el('span', { lang: !ours && data.language }, triangle(), span(text))))
}

// The ends of a score that may be a range.
const lowest = ({ fit }) => fit.score ?? 0
const highest = (p) => p.fit.scoreAtMost ?? lowest(p)

// bestFit is the headline. Equal scores are said to be equal; a KOL whose score that of
// another may exceed, or comes within 3 % of as the warnings have it, only ranks first.
const bestFit = (portraits, names) => {
	const ranked = portraits.filter((p) => p.rank)
	const [first] = ranked
	if (!first) return say('notRanked')
	const equals = ranked.filter((p) => lowest(p) === lowest(first) && highest(p) === highest(first))
	const who = equals.length > 2 ? say('creators', equals.length) : listed(equals.map((p) => names.get(p.kolId)))
	if (equals.length > 1) return say('fitEqually', who) + say('scoreOf', scoreWords(first.fit))
	return say(ranked.some((p) => p !== first && highest(p) > 0.97 * lowest(first)) ? 'ranksFirst' : 'fitsBest', who) + howMany(first)
}

// howMany says how many of a KOL's followers are in the target, else the score.
const howMany = ({ fit }) => {
	if (!fit.targetShare) return say('scoreOf', scoreWords(fit))
	const { estimate, estimateAtMost, atLeast, atMost } = fit.targetShare
	return say('inYourTarget', estimate === undefined ? say('betweenIn', spanText(atLeast, atMost))
		: atLeast === atMost ? tenths(estimate) : say('aboutIn', spanText(estimate, estimateAtMost)))
}

// closeness says how far the order can be relied on, and who has more in the target than
// the first by score; empty where nothing is open.
const closeness = (portraits, names) => {
	const shares = portraits.filter((p) => p.rank && p.fit.targetShare).map((p) => ({ ...p.fit.targetShare, score: lowest(p), kolId: p.kolId }))
	const [first, ...others] = shares
	const near = others.filter((t) => t.score !== first.score && Math.abs(t.estimate - first.estimate) < 0.01 + 1e-9).length
	const overlap = others.some((t, i) => t.atMost > shares[i].atLeast && shares[i].atMost > t.atLeast)
	const most = others.reduce((most, t) => (t.estimate > most.estimate ? t : most), { estimate: first?.estimate + 0.01 })
	const words = joined([most.kolId && say('highestShare', names.get(most.kolId), tenths(most.estimate)), near && say('within', near), overlap && say('overlap')], say('semicolon'))
	return words && capitalised(words)
}

// scoreWords writes a score: 45.2, 45.2–51.0 where it is a range, ≤ 51.0 where only its
// upper end is known.
const scoreWords = ({ score, scoreAtMost }) =>
	joined([score?.toFixed(1) ?? '≤ ', scoreAtMost?.toFixed(1)], score === undefined ? '' : '–\u2060')

// orDash draws what is known; what is not is a dash.
const orDash = (value, draw) =>
	value === undefined || value === null ? [el('span', QUIET, '–'), hidden(say('notKnown'))] : draw(value)

// creatorColumns are the columns of the table. get is what a column sorts by, undefined
// where it is not known; has tells what is drawn in spite of that.
const creatorColumns = (data, names, scale) => {
	const { target, portraits } = data
	const number = (id) => {
		const i = portraits.findIndex((p) => p.kolId === id)
		return target && !portraits[i].rank ? `(${i + 1})` : i + 1
	}
	const column = (key, get, draw, ascending = false, has = get) =>
		({ key, get, ascending, cell: (p) => orDash(has(p), () => draw(get(p), p)), head: say('head' + (key === 'rank' && !target ? 'Order' : capitalised(key))) })
	const small = (text) => el('small', {}, text)
	const whole = (share) => (share > 0 && share < 0.005 ? '<1%' : percent(share, 0))
	const share = (key, get) => ({ ...column(key, get, (v) => [whole(v), trackOf({ share: v }, 1)]), share: true })
	const inTarget = ({ estimate, estimateAtMost, atLeast, atMost }) => [
		span(estimate !== undefined && spanText(estimate, estimateAtMost), ' ', small(estimate === atLeast && estimate === atMost ? '' : spanText(atLeast, atMost))),
		trackOf({ range: { estimate, estimateAtMost, atLeast, atMost } }, scale)]
	return [
		column('rank', (p) => (target ? p.rank : number(p.kolId)), (_, p) => number(p.kolId), true, Boolean),
		column('creator', (p) => names.get(p.kolId), (name, p) => creatorName(p, name), true),
		...(target ? [
			column('score', (p) => p.fit.score, (_, p) => el('b', {}, scoreWords(p.fit)), false, (p) => p.fit.score ?? p.fit.scoreAtMost),
			{ ...column('target', (p) => p.fit.targetShare?.estimate, (_, p) => inTarget(p.fit.targetShare), false, (p) => p.fit.targetShare), share: true },
		] : []),
		share('women', (p) => p.female),
		column('core', (p) => p.coreAgeGroup && ageWords(p.coreAgeGroup), (age, { coreAgeShare: of }) =>
			[age, ' ', of !== undefined && [small(whole(of)), trackOf({ share: of }, 1)]], true),
		column('median', (p) => p.medianYears, (years) => years.toFixed(1), true),
		share('tier1', (p) => p.tier1CityShare),
		share('apple', (p) => p.appleShare),
		column('interest', (p) => p.topInterests?.[0], bdi, true),
		column('similar', (p) => p.mostSimilar?.similarity, (similarity, p) => [`#${number(p.mostSimilar.kolId)} `, small(similarity.toFixed(2))]),
	]
}

// creatorName opens the KOL's portrait where that is possible. The slot is for its mark.
const creatorName = (p, name) => {
	const text = el('bdi', { title: `${p.label ?? ''} ${p.kolId}`.trim() }, name)
	return [canOpen(p.kolId)
		? el('button', { class: 'link', 'data-action': 'open', 'data-key': p.kolId, onclick: () => open(p.kolId, p) }, text)
		: text, el('span', { class: 'slot' })]
}

// creatorRows makes the rows, each when it is first asked for, and marks those that are
// chosen.
const creatorRows = (data, names, columns, lay) => {
	const rows = new Map() // by the id of the KOL
	const mark = () => {
		const chosen = chosenIn(data)
		for (const [id, row] of rows) {
			const i = chosen.indexOf(id)
			row.classList.toggle('chosen', i >= 0)
			row.querySelector('.slot').replaceChildren(...(i < 0 ? [] : [markSign(i)]))
			const box = row.querySelector('input') ?? {}
			box.checked = i >= 0
			box.disabled = i < 0 && chosen.length === MOST_CHOSEN
		}
	}
	const choose = (id) => {
		page.chosen = page.chosen.includes(id) ? page.chosen.filter((c) => c !== id) : [...page.chosen, id]
		mark()
		lay()
	}
	const rowOf = (p) => {
		const { kolId } = p
		const row = rows.get(kolId) ?? roleRow({},
			lay && cell({ class: 'choose' }, el('label', {}, el('input', {
				type: 'checkbox', 'data-key': 'choose-' + kolId, 'aria-label': say('sideBySide') + say('colon') + names.get(kolId), onchange: () => choose(kolId),
			}))),
			columns.map((c) => (c.key === 'creator' ? rowHead : cell)({ class: c.key, 'data-head': c.head }, c.cell(p))))
		rows.set(kolId, row)
		return row
	}
	return { rowOf, mark }
}

// creatorsBlock is the table. lay draws the overlay when another creator is chosen;
// without it none can be.
const creatorsBlock = (data, names, lay) => {
	const { portraits } = data
	const scale = scaleOf(Math.max(0, ...portraits.map((p) => p.fit?.targetShare?.atMost ?? 0)))
	const columns = creatorColumns(data, names, scale)
	const heads = columns.map(({ key, head: text }, i) => columnHead({ class: key },
		el('button', { class: 'link', 'data-key': 'sort-' + key, onclick: () => sort(key, order().key === key && !page.sort?.reversed) },
			i === 0 ? [el('span', QUIET, '#'), hidden(text)] : text)))
	const { rowOf, mark } = creatorRows(data, names, columns, lay)
	const body = rowGroup()
	const table = roleTable('creators', say('caption'), [lay && columnHead({ class: 'choose' }, hidden(say('sideBySide'))), heads], body)
	const select = el('select', { 'data-key': 'sort', onchange: () => sort(select.value, false) },
		columns.map(({ key, head }) => el('option', { value: key }, head)))
	const more = el('button', { class: 'link', 'data-key': 'all', onclick: () => showAll() })
	const cut = note()

	const order = () => columns.find((c) => c.key === page.sort?.by) ?? columns[0]
	// arrange puts the rows in order, what is not known last, and marks what is chosen.
	const arrange = () => {
		const { key, get, ascending } = order()
		const up = ascending !== Boolean(page.sort?.reversed)
		const collator = new Intl.Collator(page.locale, { numeric: true })
		const sorted = portraits.map((p) => [p, get(p)]).sort(([, a], [, b]) =>
			a === undefined || b === undefined ? (a === undefined) - (b === undefined)
				: (up ? 1 : -1) * (typeof a === 'string' ? collator.compare(a, b) : a - b))
		const all = page.opened.has('creators')
		const shown = all ? sorted : sorted.slice(0, MOST_ROWS)
		body.replaceChildren(...shown.map(([p]) => rowOf(p)))
		columns.forEach((c, i) => heads[i].setAttribute('aria-sort', c.key !== key ? 'none' : up ? 'ascending' : 'descending'))
		select.value = key
		table.classList.toggle('cut', !all)
		more.className = portraits.length > MOST_ROWS ? 'link' : 'link if-stacked'
		more.hidden = portraits.length <= MOST_STACKED
		more.textContent = all ? say('fewer') : say('all', portraits.length)
		more.setAttribute('aria-expanded', all)
		cut.textContent = shown.length < portraits.length ? say('found', shown.length, portraits.length) : ''
		mark()
	}
	const sort = (by, reversed) => {
		page.sort = { by, reversed }
		arrange()
	}
	const showAll = () => {
		page.opened.delete('creators') || page.opened.add('creators')
		arrange()
		fitTable(block, table)
	}
	arrange()

	// The probe has no height, and the table is changed in the frame after: that can never
	// cause another observation.
	const probe = el('div')
	const block = el('section', { id: 'block-creators' }, probe,
		el('p', { class: 'note if-stacked' }, el('label', {}, say('sortBy'), ' ', select)),
		table, more, cut, failureLines(data, names),
		note(joined(creatorNotes(data, scale), chinese() ? '' : ' ')))
	queueMicrotask(() => fitTable(block, table))
	new ResizeObserver(() => requestAnimationFrame(() => fitTable(block, table))).observe(probe)
	return block
}

// fitTable stacks the rows where the table is wider than its block. The heads are not to
// be seen then, and take no focus.
const fitTable = (block, table) => {
	block.classList.remove('stacked')
	const stacked = table.scrollWidth > block.clientWidth
	block.classList.toggle('stacked', stacked)
	for (const head of table.querySelectorAll('thead button')) head.tabIndex = stacked ? -1 : 0
}

// failureLines name the KOLs without a portrait, those of the same reason together.
const failureLines = ({ failures = [] }, names) => {
	const reasons = {}
	for (const failure of failures) (reasons[[kindInWords(failure.error), chargeInWords(failure.error)].join(' · ')] ??= []).push(failure)
	return failures.length > 0 && el('ul', {}, Object.entries(reasons).map(([why, failed]) => el('li', {}, triangle(), el('span', {},
		el('bdi', { title: failed.map(({ kolId }) => kolId).join(' ') }, listed(failed.map(({ kolId }) => names.get(kolId)))), say('colon'),
		el('span', { title: [...new Set(failed.map(({ error }) => error.message))].join('\n') }, why)))))
}

// creatorNotes say how to read what is there.
const creatorNotes = ({ target, portraits }, scale) => {
	const some = (test) => portraits.some(test)
	return [
		some((p) => p.fit?.targetShare) && say('noteTarget', percent(scale, 0)),
		some(({ fit }) => fit?.notListed) && say('noteUnlisted'),
		say('noteColumns'),
		target && some((p) => !p.rank) && say('noteUnranked'),
		!page.standalone && some((p) => canOpen(p.kolId)) && say('noteStored'),
	]
}

// comparisonBlocks is the table as data, shares in percent, with what the page shows in
// titles or as ranges, and the failures.
const comparisonBlocks = (data) => {
	const names = creatorNames(data)
	const points = (share) => share !== undefined && Math.round(share * 1000) / 10
	const range = (end) => (p) => points(p.fit?.targetShare?.[end])
	const columns = [
		...creatorColumns(data, names, 1).map(({ head, get, share }) => [share ? head + ' %' : head, (p) => !p.error && (share ? points(get(p)) : get(p))]),
		...['kolId', 'asOf'].map((key) => [key, (p) => p[key]]),
		...(data.target ? [
			[say('headTarget') + ' ≥ %', range('atLeast')],
			[say('headTarget') + ' ≤ %', range('atMost')],
			[say('headScore') + ' ≤', (p) => p.fit?.scoreAtMost],
		] : []),
		['error', (p) => p.error?.kind],
	]
	return [{
		id: 'creators', title: say('caption'), head: columns.map(([head]) => head),
		cells: [...data.portraits, ...(data.failures ?? [])].map((p) => columns.map(([, get]) => get(p))),
	}]
}
