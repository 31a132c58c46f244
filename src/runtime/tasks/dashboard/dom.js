// Builds and updates elements. Text goes into a page by textContent only: the policy refuses markup.

const svg = 'http://www.w3.org/2000/svg'

/** The element with this id. */
export const byId = (id) => document.getElementById(id)

/** Creates an element, with its attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Creates the head of an item: its state, its name and its buttons. */
export function makeHead(name) {
  return make(
    'div',
    { class: 'head' },
    make('span', { class: 'state' }),
    make('strong', {}, name),
    make('div', { class: 'buttons' }),
  )
}

/** Creates a rectangle of a chart. */
export function rectangle(attributes) {
  const element = document.createElementNS(svg, 'rect')
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  return element
}

/** Sets the text of an element. Leaves it alone if nothing changes, so that a selection stays. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text
}

/**
 * Shows items as the children of an element. Each child keeps its element as long as its key is there, so that focus,
 * open details and a screen reader's place stay.
 */
export function sync(parent, items, { key, create, update }) {
  const old = new Map(Array.from(parent.children, (element) => [element.dataset.key, element]))
  for (const [index, item] of items.entries()) {
    const name = key(item)
    const element = old.get(name) ?? create(item)
    element.dataset.key = name
    old.delete(name)
    update(element, item)
    const there = parent.children[index] ?? null
    if (there !== element) parent.insertBefore(element, there)
  }
  for (const element of old.values()) element.remove()
}

/** Replaces the children of an element, if they are others than before. */
export function replace(element, key, children) {
  if (element.dataset.content === key) return
  element.dataset.content = key
  element.replaceChildren(...children())
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })

/** A time as a person says it: "3 min. ago", "in 2 hr.", "now". */
export function fromNow(time, now) {
  const seconds = (Date.parse(time) - Date.parse(now)) / 1000
  if (Math.abs(seconds) < 1) return 'now'
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return relative.format(Math.trunc(seconds / size), unit)
}

/** A time of this machine's zone. */
export function localTime(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
}
