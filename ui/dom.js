// el makes an element. Attributes whose value is undefined or false are left out, those
// that are functions are listeners (onclick), class and style as in HTML; children are
// nodes or text, and null, undefined and false are none. Text is only ever text: what
// the vendor sends is never HTML.
const el = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children)

// svg is el for SVG.
const svg = (tag, attributes = {}, ...children) =>
	put(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)

const put = (element, attributes, children) => {
	for (const [name, value] of Object.entries(attributes)) {
		if (value == null || value === false) continue
		if (typeof value === 'function') element.addEventListener(name.slice(2), value)
		else element.setAttribute(name, value === true ? '' : value)
	}
	element.append(...children.flat(3).filter((c) => c != null && c !== false))
	return element
}

// bdi is a name that somebody else wrote, in whatever direction. The whole of it is in
// the title where it may be cut.
const bdi = (name) => el('bdi', { title: name }, name)

const span = (...children) => el('span', {}, children)

// note is a line in small print.
const note = (...children) => el('p', { class: 'note' }, children)

// hidden is text for screen readers alone.
const hidden = (text) => el('span', { class: 'hidden' }, text)

// QUIET is of what screen readers pass over, since text beside it says the same.
const QUIET = { 'aria-hidden': 'true' }

// tick marks what is in the target.
const tick = () => [el('span', { class: 'tick', ...QUIET }, '✓'), hidden(say('inTarget'))]

// triangle marks what to be careful about.
const triangle = () =>
	svg('svg', { class: 'triangle', viewBox: '0 0 16 14', ...QUIET },
		svg('path', { d: 'M8 1 15 13H1Z', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.4', 'stroke-linejoin': 'round' }),
		svg('path', { d: 'M8 5.2v3.6M8 10.4v1.2', stroke: 'currentColor', 'stroke-width': '1.4' }))

// Tables are laid out as grids where there is little room, so they say what they are.
const columnHead = (attributes, ...children) => el('th', { role: 'columnheader', scope: 'col', ...attributes }, children)
const rowHead = (attributes, ...children) => el('th', { role: 'rowheader', scope: 'row', ...attributes }, children)
const cell = (attributes, ...children) => el('td', { role: 'cell', ...attributes }, children)
const rowGroup = (...rows) => el('tbody', { role: 'rowgroup' }, rows)
const roleRow = (attributes, ...cells) => el('tr', { role: 'row', ...attributes }, cells)
const roleTable = (name, caption, head, body) => el('table', { role: 'table', class: name },
	el('caption', { class: 'hidden' }, caption), el('thead', { role: 'rowgroup' }, roleRow({}, head)), body)
