// Words and figures in the page's language. A word is [English, Chinese]; {0}, {1} are
// what say is given.
const WORDS = { __proto__: null }

// page is what everything is drawn from. main.js and host.js fill it. Beside what stands
// here it has, where they apply:
// input, the tool's arguments, and complete, that no more of them will come;
// result, its CallToolResult; cancelled, that the user ended the call;
// call, the latest repetition of it, and failed, why that brought nothing;
// single, the KOL of a comparison that is open: {kolId, label, result, call, failed, and
// from and top, the focus and the scrolling to come back to};
// chosen, the ids of the KOLs chosen in a comparison, at most three;
// sort, {by, reversed}: the column that a comparison is sorted by;
// image, the id of the block that is to be saved as an image;
// whole, that everything is shown in spite of a host that gives little height.
const page = {
	language: 'en', // of the page's own words: 'en' or 'zh'
	locale: 'en', // BCP 47, for dates
	standalone: false, // a report in a file, without a host
	context: {}, // the host's context, as it stands now
	timeZone: undefined, // IANA, of the reader; the browser's where it is undefined
	capabilities: {}, // of the host
	portraits: {}, // in a report: a CallToolResult by the id of its KOL
	opened: new Set(), // ids of the blocks that show all their rows; 'map-share' where the map shows shares
	filter: {}, // by block: what its rows are filtered by
}

// The root has the language, the theme and the display mode for the styles.
const ROOT = document.documentElement

// words adds words to the dictionary; each file brings its own.
const words = (more) => Object.assign(WORDS, more)

const chinese = () => page.language === 'zh'

// say returns a word in the page's language.
const say = (word, ...values) =>
	WORDS[word][chinese() ? 1 : 0].replace(/\{(\d)\}/g, (_, i) => values[i])

// joined joins those of some texts that are there, as a list where nothing else is said.
const joined = (texts, by = say('comma')) => texts.filter(Boolean).join(by)
const clauses = (texts) => joined(texts, say('clause'))

// percent writes a share of 0..1 as a percentage: one decimal, as in every row, or none.
const percent = (share, digits = 1) => (share * 100 + 1e-9).toFixed(digits) + '%'

// nameOf is what a reader of the page calls a row of the view.
const nameOf = (row) => (chinese() ? row.zh : row.en)

// day writes YYYY-MM-DD as a date.
const day = (asOf) => dateText(asOf + 'T00:00:00Z', { dateStyle: 'long', timeZone: 'UTC' })

// moment writes a time in ISO 8601 as date and time where the reader is.
const moment = (time) => dateText(time, { dateStyle: 'medium', timeStyle: 'short', timeZone: page.timeZone })

const dateText = (time, style) => new Intl.DateTimeFormat(page.locale, style).format(new Date(time))

// knows tells whether Intl takes a locale and a time zone: hosts also send what it refuses.
const knows = (locale, timeZone) => {
	try {
		return !!new Intl.DateTimeFormat(locale, { timeZone })
	} catch {
		return false
	}
}

// chooseLanguage sets the page's language: the host's locale decides, then the result,
// then the browser, then English.
const chooseLanguage = (...wishes) => {
	const wish = String(wishes.find((wish) => /^(zh|en)/.test(wish)) ?? 'en').replaceAll('_', '-')
	page.language = wish.slice(0, 2)
	page.locale = knows(wish) ? wish : page.language
	ROOT.lang = chinese() ? 'zh-CN' : 'en'
}

words({
	followersOf: ['Followers of ', '粉丝画像：'],
	dataOf: ['Data of {0}', '数据日期：{0}'],
	colon: [': ', '：'],
	clause: [', ', '，'],
	comma: [', ', '、'],
	semicolon: ['; ', '；'],
	notKnown: ['not known', '未知'],
	sample: ['Sample: invented figures, not an audience', '示例：虚构数据，并非真实粉丝'],
})
