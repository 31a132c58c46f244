import { byId, fromNow, localTime, make, rectangle, replace, setText, sync } from './dom.js'

const waiting = ['pending', 'queued']
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
const written = (number) => number.toLocaleString('en')

/** Shows the figures, the chart, the names and the schedules. */
export function showOverview({ now, tasks, lastHour, estimated, schedules }) {
  const all = tasks.flatMap(({ states }) => states)
  showFigures(all, lastHour, now)
  showChart(lastHour, estimated)
  sync(byId('names'), tasks, {
    key: ({ name }) => name,
    create: () => make('tr'),
    update: (row, summary) => showName(row, summary, now),
  })
  sync(byId('schedules'), schedules, {
    key: ({ name }) => name,
    create: () => make('tr'),
    update: (row, schedule) => showSchedule(row, schedule, now),
  })
  byId('no-schedules').hidden = schedules.length > 0
  byId('schedules').parentElement.hidden = schedules.length === 0
  sync(byId('name'), [{ name: '' }, ...tasks], {
    key: ({ name }) => name,
    create: ({ name }) => make('option', { value: name }),
    update: (option, { name }) => setText(option, name || 'all'),
  })
}

function showFigures(all, lastHour, now) {
  const count = (...states) => {
    const found = all.filter(({ state }) => states.includes(state))
    return `${written(sum(found.map(({ count }) => count)))}${found.some(({ more }) => more) ? '+' : ''}`
  }
  const [oldest] = all.flatMap((one) => (waiting.includes(one.state) ? one.oldestDueAt : [])).sort()
  const finished = (what) => written(sum(lastHour.map((minute) => minute[what])))
  const figures = [
    ['Waiting', count(...waiting)],
    ['Running', count('running')],
    ['Dead', count('dead')],
    ['Done in 1 h', finished('done')],
    ['Failed attempts in 1 h', finished('failedAttempts')],
    ['Oldest due', oldest ? fromNow(oldest, now) : 'none'],
  ]
  sync(byId('figures'), figures, {
    key: ([name]) => name,
    create: ([name]) => make('div', {}, make('dt', {}, name), make('dd')),
    update: (element, [, figure]) => setText(element.lastElementChild, figure),
  })
}

const chart = { width: 600, height: 90 }
const kinds = [
  ['done', 'done', 'done'],
  ['failed', 'failedAttempts', 'failed attempts'],
  ['dead', 'dead', 'dead'],
]

function showChart(lastHour, estimated) {
  replace(byId('chart'), JSON.stringify(lastHour), () => {
    const highest = Math.max(1, ...lastHour.map((minute) => sum(kinds.map(([, what]) => minute[what]))))
    const width = chart.width / lastHour.length
    return lastHour.flatMap((minute, index) => {
      let top = chart.height
      return kinds.map(([name, what]) => {
        const height = (minute[what] / highest) * chart.height
        top -= height
        return rectangle({ class: name, x: index * width + 1, y: top, width: width - 2, height })
      })
    })
  })
  const parts = kinds.map(([name, what, title]) => [
    name,
    `${written(sum(lastHour.map((one) => one[what])))} ${title}`,
  ])
  const estimate = estimated ? ' Minutes with very many tasks are estimated.' : ''
  const note = `Each bar is a minute, the last one is now.${estimate}`
  replace(byId('chart-text'), [...parts, note].join(), () => [
    ...parts.map(([name, text]) => make('span', { class: `key ${name}` }, text)),
    make('span', {}, note),
  ])
}

function showName(row, { name, known, states, lastHour }, now) {
  const [oldest] = states.flatMap((one) => (waiting.includes(one.state) ? one.oldestDueAt : [])).sort()
  const counts = ['pending', 'queued', 'running', 'dead', 'cancelled'].map((state) => {
    const found = states.find((one) => one.state === state)
    return [state, found ? `${written(found.count)}${found.more ? '+' : ''}` : '0']
  })
  const cells = [
    ...counts.map(([state, count]) => countCell(label(state), state, name, count)),
    countCell('Done in 1 h', 'done', name, written(lastHour.done)),
    cell('Failed attempts in 1 h', lastHour.failedAttempts === 0 && '0', written(lastHour.failedAttempts)),
    cell('Oldest due', !oldest && '–', oldest ? fromNow(oldest, now) : ''),
  ]
  const head = make('th', { scope: 'row' }, name)
  if (!known) head.append(make('span', { class: 'quiet' }, ' (not in this revision)'))
  keepFocus(row, () =>
    replace(row, JSON.stringify([name, known, states, lastHour, oldest && fromNow(oldest, now)]), () => [
      head,
      ...cells,
    ]),
  )
}

const label = (state) => state.charAt(0).toUpperCase() + state.slice(1)

/** A cell with a count. A click lists those tasks. */
function countCell(title, state, name, count) {
  if (count === '0') return cell(title, count)
  const button = { type: 'button', class: `count ${state}`, 'data-list': state, 'data-name': name }
  const text = { 'aria-label': `List ${count} ${state}: ${name}` }
  return cell(title, false, make('button', { ...button, ...text }, count))
}

/** @param none what stands for nothing; on a phone the cell is left out then */
function cell(title, none, content = '') {
  return make('td', { 'data-label': title, ...(none && { class: 'none' }) }, none || content)
}

/** Gives the focus back to the same button of a row whose cells are new. */
function keepFocus(row, change) {
  const { list, action } = row.contains(document.activeElement) ? document.activeElement.dataset : {}
  change()
  if (list) row.querySelector(`[data-list="${list}"]`)?.focus()
  if (action) row.querySelector(`[data-action="${action}"]`)?.focus()
}

const when = (time, now) => `${fromNow(time, now)}, ${localTime(time)}`

function showSchedule(row, { name, pattern, task, declared, lastSlot, nextSlot, problem }, now) {
  const next = problem ?? (declared ? nextSlot && when(nextSlot, now) : 'not in this revision')
  const last = lastSlot ? when(lastSlot, now) : 'not yet'
  const run = { type: 'button', 'data-action': 'run-schedule', 'data-name': name, 'data-task': task }
  const cells = () => [
    make('th', { scope: 'row' }, name),
    cell('Pattern', false, make('code', {}, pattern)),
    cell('Task', !task && '–', task),
    cell('Handled up to', false, last),
    cell('Next slot', false, next ?? 'never'),
    cell(
      'Action',
      false,
      declared ? make('button', { ...run, 'aria-label': `Run now: ${name}` }, 'Run now') : '–',
    ),
  ]
  keepFocus(row, () => replace(row, JSON.stringify([pattern, task, declared, last, next]), cells))
}
