// The portrait of one KOL: who the followers are, how many are in the target and how sure
// that is, then the evidence, block by block.

words({
	aboutTitle: ['About these figures', '数据说明'],
	ageFrom: ['{0} and over', '{0} 岁及以上'],
	ageGroups: ['Age', '年龄'],
	ageSpan: ['{0}', '{0} 岁'],
	ageUnder: ['Under {0}', '{0} 岁以下'],
	appleNote: ['Apple’s share does not tell spending power.', '苹果占比不代表消费力。'],
	census: ['the 2020 census', '2020 年人口普查'],
	cities: ['Cities', '城市'],
	citiesNote: ['The {0} largest, {1} of followers. A city not listed is not 0.', '占比最高的 {0} 个城市，合计 {1}。未列出不等于 0。'],
	deprecated: [' (deprecated)', '（已弃用）'],
	devices: ['Devices', '设备'],
	estimateNote: ['The estimate assumes that {0} are independent; only the range is certain.', '估算假设{0}相互独立；能确定的只有范围。'],
	few: ['Only the largest are at hand.', '此处仅有占比最高的几项。'],
	fit: ['Your target', '目标人群'],
	fitAll: ['All at once', 'TA 浓度'],
	free: ['stored, free', '已存画像，不计费'],
	fresh: ['fresh, 1 charged call', '新采集，计费 1 次'],
	gender: ['Gender', '性别'],
	genderFact: ['women: index {0}', '女性 TGI {0}'],
	genderHead: ['{1} {0}', '{0} {1}'],
	genderNote: ['Line: Xiaohongshu’s own users, about 70% women (Qiangua 2022).', '竖线：小红书用户女性约占 70%（千瓜 2022）。'],
	highest: ['Highest index: {0}.', 'TGI 最高：{0}。'],
	indexIs: ['share ÷ baseline × 100', '占比 ÷ 基准 × 100'],
	interests: ['Interests', '兴趣'],
	interestsNote: ['Shares of interest, not of people: one follower has several.', '这是兴趣的占比而非人数占比：一人有多项兴趣。'],
	leads: ['{0} leads ({1})', '{0}最多（{1}）'],
	legendBase: ['baseline (index 100)', '基准（TGI 100）'],
	legendMoved: ['percentage points since {0}', '较 {0}的变化（百分点）'],
	lowest: ['Lowest index: {0}.', 'TGI 最低：{0}。'],
	median: ['▸ median {0}', '▸ 中位数 {0}'],
	mostly: ['mostly {0} ({1})', '以 {0}为主（{1}）'],
	mostOften: ['most often {0} ({1})', '{0}最多（{1}）'],
	noHead: ['No usable figures', '没有可用的数据'],
	noScore: ['no score', '无匹配度'],
	notListed: ['Not listed, so not known (hollow): {0}.', '未列出，占比未知（空心部分）：{0}。'],
	only: ['in the score only', '仅计入匹配度'],
	overfull: ['The rows hold more than everybody, so no figure is made of them.', '各项占比之和超出整体，仅列出，不参与计算。'],
	overseas: ['Overseas', '海外'],
	own: ['your own baseline', '自定义基准'],
	places: ['Place', '地域'],
	platform: ['Xiaohongshu users', '小红书用户'],
	provinces: ['Provinces', '省份'],
	requestId: ['Request', '请求 ID'],
	retrieved: ['Retrieved', '获取'],
	score: ['score {0} / 100', '人群匹配度 {0} / 100'],
	shared: ['shared with another call, free', '与另一次调用共用，不计费'],
	simulated: ['Simulated vendor', '模拟数据源'],
	source: ['Source', '来源'],
	targetAbout: ['About {0} are in your target (at least {1}, at most {2})', 'TA 浓度约 {0}（至少 {1}，至多 {2}）'],
	targetBetween: ['Between {0} and {1} are in your target', 'TA 浓度在 {0} 至 {1} 之间'],
	targetExact: ['{0} are in your target', 'TA 浓度 {0}'],
	tierAtLeast: ['{0} at least {1}', '{0}至少 {1}'],
})

// The dimensions in the page's order, by the view's names. Elsewhere ageGroups are ages.
const DIMENSIONS = ['gender', 'ageGroups', 'provinces', 'cities', 'interests', 'devices']
const idOf = (dimension) => (dimension === 'ageGroups' ? 'ages' : dimension)

// unpacked returns a view whose rows are objects. They come as arrays, which are shorter.
const unpacked = (view) => {
	if (!view?.figures) return view
	const { figures, warnings } = view
	const rows = {}
	for (const [dimension, list] of Object.entries(figures.rows)) {
		rows[dimension] = list.map(([key, en, share, tgi, more]) => ({ key, zh: key, en, share, tgi: tgi ?? undefined, ...more }))
	}
	return { ...figures, rows, warnings }
}

// viewOf makes what it can of a view from the result alone: the vendor's rows by the
// vendor's names, else the largest ones of the summary. It cannot tell what is in the target.
const viewOf = ({ distributions, summary, change }) => {
	const rows = {}
	for (const dimension of DIMENSIONS) {
		const id = idOf(dimension)
		const top = id === 'ages' ? summary.age && [{ name: summary.age.coreGroup, share: summary.age.coreShare }] : summary['top' + capitalised(id)]
		const sent = id !== 'gender' ? distributions?.[id] ?? top ?? []
			: ['female', 'male'].map((name) => ({ name, share: (distributions ?? summary).gender?.[name], tgi: name === 'female' ? summary.gender?.tgi : undefined }))
		const list = sent.map(({ group, name = group, desc = name, percent, share = percent, tgi }) => {
			const { points, atLeast } = change?.[id]?.find((move) => move.name === desc) ?? {}
			return { key: name, zh: desc, en: desc, share, tgi, points, atLeast }
		}).filter((row) => row.share !== undefined)
		if (list.length) rows[dimension] = id === 'gender' || id === 'ages' ? list : list.sort((a, b) => b.share - a.share)
	}
	return { rows, few: !distributions, unmarked: true }
}

// ageName names an age group, or a span of some, by its years.
const ageName = (key) => {
	const [, sign, from, to] = /^([<>]?)(\d+)(?:-(\d+))?$/.exec(key) ?? []
	if (sign === '<') return say('ageUnder', from)
	if (sign === '>') return say('ageFrom', +from + 1)
	return to ? say('ageSpan', from + '–\u2060' + to) : key
}

const rowName = (dimension, row) =>
	dimension === 'gender' && WORDS[row.key] ? capitalised(say(row.key)) : dimension === 'ageGroups' ? ageName(row.key) : nameOf(row)

// translated names in the page's language what the result names in its own.
const translated = (view, name, ...dimensions) => {
	if (dimensions[0] === 'ageGroups') return ageName(name)
	for (const dimension of dimensions) {
		const row = view.rows[dimension]?.find(({ key, zh, en }) => name === key || name === zh || name === en)
		if (row) return rowName(dimension, row)
	}
	return name
}

const listed = (names, type = 'conjunction') =>
	new Intl.ListFormat(chinese() ? 'zh' : 'en-GB', { type }).format(names)

const capitalised = (text) => text[0].toUpperCase() + text.slice(1)

// short writes a share in a sentence: whole percents, one decimal where it is small.
const short = (share) => (share > 0 && share < 0.0995 ? tenths(share) : percent(share, 0))

// headline tells this audience from another: who, how old, where. Of the provinces it says
// nothing where one that was not sent may be larger.
const headline = ({ summary }, view) => {
	const { gender, age, topProvinces, overseasShare } = summary
	const sex = ['female', 'male'].find((key) => gender?.[key] !== undefined)
	const place = topProvinces?.[0]
	const sent = view.rows.provinces?.reduce((sum, row) => sum + row.share, 0) ?? 0
	const abroad = place && overseasShare > place.share
	return clauses([
		sex && say('genderHead', say(sex), percent(gender[sex], 0)),
		age && say(age.coreShare >= 0.5 ? 'mostly' : 'mostOften', ageName(age.coreGroup).toLowerCase(), percent(age.coreShare, 0)),
		place && 1 - sent <= place.share &&
			say('leads', abroad ? say('overseas') : translated(view, place.name, 'provinces'), percent(abroad ? overseasShare : place.share, 0)),
	]) || say('noHead')
}

// targetLine says how many are in the target, and how sure that is.
const targetLine = ({ targetShare }) => {
	if (!targetShare) return null
	const { atLeast, atMost, estimate, estimateAtMost } = targetShare
	if (atLeast === atMost) return say('targetExact', short(atMost))
	if (estimate === undefined) return say('targetBetween', short(atLeast), short(atMost))
	const about = estimateAtMost === undefined ? short(estimate) : spanText(estimate, estimateAtMost)
	return say('targetAbout', about, short(atLeast), short(atMost))
}

// portraitBlocks returns the figures of a portrait as blocks, those without data left out.
const portraitBlocks = (data, view = viewOf(data)) =>
	[data.fit && fitBlock(data.fit, view), ...DIMENSIONS.map((dimension) => view.rows[dimension]?.length && shareBlock(dimension, data, view))].filter(Boolean)

const fitBlock = (fit, view) => {
	const { target, targetShare } = fit
	const rows = [], only = [], hard = [], notListed = []
	for (const dimension of ['gender', 'ageGroups', 'places', 'interests', 'devices']) {
		if (!fit[dimension]) continue
		const { matchedShare: share, atMost, tgi } = fit[dimension]
		const named = (name) => translated(view, name, ...(dimension === 'places' ? ['provinces', 'cities'] : [dimension]))
		const name = capitalised(listed([target[dimension]].flat().map(named), 'disjunction'))
		const row = { name, share, atMost, tgi, base: tgi && share && (share * 100) / tgi }
		if (dimension === 'interests' || target.soft?.includes(dimension)) only.push(row)
		else {
			rows.push(row)
			hard.push(say(dimension).toLowerCase())
		}
		notListed.push(...(fit[dimension].notListed ?? []).map(named))
	}
	if (only.length) only[0].group = say('only')
	const range = hard.length > 1 && targetShare
	return {
		id: 'fit', title: say('fit'), fact: scoreText(fit), unit: '%', scale: 1, columns: ['index'],
		rows: [...rows, ...(range ? [{ name: say('fitAll'), range }] : []), ...only],
		notes: [
			range?.estimate !== undefined && say('estimateNote', listed(hard)),
			notListed.length > 0 && say('notListed', joined(notListed)),
		],
	}
}

const scoreText = (fit) => ((fit.score ?? fit.scoreAtMost) === undefined ? say('noScore') : say('score', scoreWords(fit)))

// shareBlock is one dimension as a block.
const shareBlock = (dimension, data, view) => {
	const id = idOf(dimension)
	const rows = view.rows[dimension].map((row) => ({ ...row, name: rowName(dimension, row), base: row.tgi && row.share && (row.share * 100) / row.tgi }))
	const has = (field) => rows.some((row) => row[field] !== undefined)
	const { fact, notes = [] } = view.overfull?.includes(dimension) ? { notes: [say('overfull')] } : ABOUT[id](data, view, rows)
	return {
		id, title: say(dimension), fact: fact || undefined, unit: '%',
		scale: id === 'gender' ? 1 : scaleOf(rows.reduce((most, { share, base = 0 }) => Math.max(most, share, base), 0)),
		columns: [has('points') && 'change', id !== 'gender' && has('tgi') && 'index', has('tier') && 'tier'].filter(Boolean),
		rows, shown: id === 'devices' ? 6 : 10, marked: !!data.fit && !view.unmarked,
		notes: [...notes, view.few && id !== 'gender' && say('few')],
	}
}

// ABOUT is what a block says beside its rows: the fact on the right of its heading, notes.
const ABOUT = {
	gender: ({ summary }, view) => ({
		fact: summary.gender?.tgi !== undefined && say('genderFact', Math.round(summary.gender.tgi)),
		notes: [view.baseline?.gender === 'platform' && say('genderNote')],
	}),
	ages: ({ summary }, view, rows) => {
		const median = summary.age?.medianYears
		for (const row of rows) {
			const [, from, to] = /^(\d+)-(\d+)$/.exec(row.key) ?? []
			if (median >= from && median < +to + 1) row.median = (median - from) / (+to + 1 - from)
		}
		return { fact: median !== undefined && say('median', median.toFixed(1)) }
	},
	provinces: ({ summary: { highProvinces, lowProvinces } }, view) => {
		const named = (rows, figure) => joined(rows.map((row) => translated(view, row.name, 'provinces') + ' ' + figure(row)))
		const index = ({ tgi }) => Math.round(tgi)
		return {
			notes: [
				highProvinces && say('highest', named(highProvinces, index)),
				lowProvinces && say('lowest', named(lowProvinces, index)),
				view.regions && joined(view.regions.map((region) => nameOf(region) + ' ' + shareText(region))),
			],
		}
	},
	cities: ({ summary }, view, rows) => {
		const tier = (key, share) =>
			share !== undefined && (view.tierWhole?.[key] ? say(key) + ' ' + tenths(share) : say('tierAtLeast', say(key), tenths(share)))
		return {
			fact: joined([tier('tier1', summary.tier1CityShare), tier('new-tier1', summary.newTier1CityShare)], ' · '),
			notes: [say('citiesNote', rows.length, tenths(rows.reduce((sum, row) => sum + row.share, 0)))],
		}
	},
	interests: () => ({ notes: [say('interestsNote')] }),
	devices: (data, view, rows) => ({ notes: [rows.some((row) => /apple|苹果/i.test(row.key)) && say('appleNote')] }),
}

// drawPortrait draws a portrait result.
const drawPortrait = (data, view = viewOf(data)) => {
	const blocks = portraitBlocks(data, view)
	const drawn = (id) => blocks.filter((block) => block.id === id).map((block) => {
		const table = [blockTable(block), notesOf(block)]
		const mapped = id === 'provinces' && data.summary.regions && !view.few // else too few are known
		return section(block, mapped ? el('div', { class: 'places' }, el('div', {}, table), provinceMap(block.rows, view.baseline?.provinces ?? 'census')) : table)
	})
	return [el('div', { class: 'portrait' },
		top(data, view), drawn('fit'), legend(data, blocks),
		el('div', { class: 'blocks' },
			DIMENSIONS.map((dimension) => view.rows[dimension]?.length ? drawn(idOf(dimension))
				: section({ id: idOf(dimension), title: say(dimension) }, el('p', { class: 'dim' }, say('noData')))),
			about(data, view)))]
}

const top = (data, view) => {
	const { label, kolId, asOf, fit } = data
	const target = fit && targetLine(fit)
	return [
		note(say('followersOf'), bdi(label || kolId)),
		el('h1', {}, headline(data, view)),
		target && el('p', { class: 'lead' }, target),
		factLines(data, view, asOf && say('dataOf', day(asOf))),
	]
}

// legend explains the marks that occur.
const legend = ({ change }, blocks) => {
	const entry = (field, name, mark, text) => blocks.some((block) => block.rows.some((row) => row[field])) &&
		span(el('i', { class: name, ...QUIET }, mark), text)
	const entries = [
		entry('in', 'tick', '✓', say('inTarget')), entry('base', 'line ink', '', say('legendBase')),
		change && entry('points', '', '↑↓', say('legendMoved', day(change.asOf))),
	].filter(Boolean)
	return entries.length > 0 && el('p', { class: 'legend' }, entries)
}

const sourceOf = ({ source }) => (source.sample ? say('simulated') : 'Just One API')

// about says where the figures come from and, in the chat, what they cost: a report goes
// to people who have nothing to do with that.
const about = (data, view) => {
	const { endpoint, deprecated, retrievedAt, fromStore, charged, requestId } = data.source
	const against = Object.entries(view.baseline ?? {}).map(([dimension, baseline]) => say(dimension) + say('colon') + say(baseline))
	const facts = {
		source: clauses([sourceOf(data), endpoint === 'profile' ? 'fans_profile' : 'portrait V1']) + (deprecated ? say('deprecated') : ''),
		retrieved: clauses([moment(retrievedAt), !page.standalone && say(fromStore ? 'free' : charged ? 'fresh' : 'shared')]),
		index: against.length > 0 && [say('indexIs'), ...against].join(' · '),
		requestId: !page.standalone && requestId,
	}
	return section({ id: 'about', title: say('aboutTitle') },
		el('dl', {}, Object.entries(facts).map(([term, text]) => text && el('div', {}, el('dt', {}, capitalised(say(term))), el('dd', {}, text)))),
		actions(data, view))
}
