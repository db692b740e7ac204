// The map of the provinces: one tile each, set out so that 64 of 72 neighbours touch.

words({
	mapLabel: ['Map of the provinces, as in the table', '省份分布图，数据同表格'],
	mapNote: ['100 = as in {0}. Dashed: not in it, share shown.', 'TGI 100 = {0}。虚线：基准无数据，显示占比。'],
})

// A tile: ISO 3166-2 code, the vendor's name, row and column from the north-west.
const TILES = ('HL黑龙江06 NM内蒙古13 BJ北京14 JL吉林16 XJ新疆20 NX宁夏22 SX山西23 HE河北24 TJ天津25 LN辽宁26 QH青海30 GS甘肃31 SN陕西32 HA河南33 SD山东34 ' +
	'XZ西藏40 SC四川41 CQ重庆42 HB湖北43 AH安徽44 JS江苏45 SH上海46 YN云南51 GZ贵州52 HN湖南53 JX江西54 ZJ浙江55 GX广西62 GD广东63 FJ福建64 TW台湾66 ' +
	'HI海南72 MO澳门73 HK香港74 海外75').split(' ').map((tile) => /([A-Z]*)(\D+)(\d)(\d)/.exec(tile).slice(1))

// Where a tile's ink grows: of the rounded index, and of the rounded share in percent.
const INKS = { index: [81, 120, 200], share: [1, 3, 6] }
const INK_WORDS = { index: ['≤ 80', '81–119', '120–199', '≥ 200'], share: ['< 1%', '1–3%', '3–6%', '≥ 6%'] }

// provinceMap draws the provinces' rows as tiles, by index or by share. What it shows is in
// the table too, so a screen reader is told its name alone.
const provinceMap = (rows, baseline) => {
	const indexed = rows.some((row) => row.tgi !== undefined)
	const kind = indexed && !page.opened.has('map-share') ? 'index' : 'share'
	const usual = kind === 'index' ? say('mapNote', say(baseline)) : ''
	const caption = note(usual)
	const tell = ({ target }) => {
		caption.textContent = target.closest('.tile')?.title ?? usual
	}
	const choice = (of) => el('button', {
		'data-key': 'map-' + of, 'aria-pressed': String(of === kind),
		onclick: () => {
			page.opened[of === 'share' ? 'add' : 'delete']('map-share')
			draw()
		},
	}, capitalised(say(of)))
	return el('div', { class: 'map' },
		el('div', { class: 'key' },
			indexed && el('div', {}, choice('index'), choice('share')),
			el('div', { class: 'inks', ...QUIET },
				[3, 1, 2, 0].map((ink) => span(el('i', { class: 'ink ink' + ink }), INK_WORDS[kind][ink])))),
		el('div', { class: 'tiles', role: 'img', 'aria-label': say('mapLabel'), onpointerover: tell, onpointerleave: tell, onclick: tell },
			TILES.map((tile) => tileOf(tile, rows.find((row) => row.key === tile[1]), kind))),
		caption)
}

const tileOf = ([code, zh, y, x], row, kind) => {
	const { name = zh, share, tgi } = row ?? {}
	const label = chinese() ? zh : code || name
	const value = kind === 'share' ? share && +(share * 100).toFixed(1) : tgi && Math.round(tgi)
	return el('div', {
		class: `tile ink ${value === undefined ? 'dashed' : 'ink' + INKS[kind].filter((from) => value >= from).length} ${row?.in ? 'in' : ''}`,
		style: `grid-area:${+y + 1}/${+x + 1}/auto/span ${code ? 1 : 2}`,
		title: name + ' ' + clauses([row ? tenths(share) : say('noData'), tgi !== undefined && indexText(tgi), row?.in && say('inTarget')]),
	}, span(label), span(!row ? '–' : kind === 'share' || value === undefined ? short(share) : value))
}
