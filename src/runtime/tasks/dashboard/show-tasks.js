import { byId, fromNow, localTime, make, replace, setText, sync } from './dom.js'

const actions = {
  pending: ['run', 'cancel'],
  queued: ['run', 'cancel'],
  running: ['cancel'],
  dead: ['redrive', 'cancel'],
}
const titles = { run: 'Run now', cancel: 'Cancel', redrive: 'Redrive' }
const aroundMs = 5 * 60_000

/** Shows a page of tasks. */
export function showTasks({ items }, overview) {
  byId('no-tasks').hidden = items.length > 0
  sync(byId('tasks'), items, {
    key: ({ id }) => id,
    create,
    update: (item, task) => update(item, task, overview),
  })
}

function create({ id, name }) {
  const details = make(
    'details',
    {},
    make('summary', { 'aria-label': `Details of ${name} ${id}` }, 'Details'),
    make('dl', { class: 'all' }),
  )
  return make(
    'li',
    {},
    make(
      'div',
      { class: 'head' },
      make('span', { class: 'state' }),
      make('strong', {}, name),
      make('div', { class: 'buttons' }),
    ),
    make('p', { class: 'error' }),
    make('p', { class: 'facts' }),
    details,
  )
}

function update(item, task, { now, tasks, links }) {
  const { id, name, state, lastError } = task
  const [head, error, facts, details] = item.children
  const [badge, , buttons] = head.children
  setText(badge, state)
  badge.className = `state ${state}`
  replace(buttons, state, () =>
    (actions[state] ?? []).map((action) =>
      make(
        'button',
        {
          type: 'button',
          'data-action': action,
          'data-id': id,
          'data-name': name,
          'aria-label': `${titles[action]}: ${name} ${id}`,
        },
        titles[action],
      ),
    ),
  )
  setText(error, lastError ?? '')
  error.hidden = !lastError
  const most = tasks.find((summary) => summary.name === name)?.maxAttempts
  const texts = [
    `attempts: ${task.attempts}${most ? ` of ${most}` : ''}`,
    task.finishedAt ? `${state} ${fromNow(task.finishedAt, now)}` : `due ${fromNow(task.dueAt, now)}`,
    ...(task.unknownSince ? ['waits for a revision that understands it'] : []),
    ...(task.subject ? [`by ${task.subject}`] : []),
  ]
  const found = linksOf(task, links, now)
  replace(facts, JSON.stringify([texts, found.map(([title]) => title)]), () => [
    ...texts.map((text) => make('span', {}, text)),
    ...found.map(([title, href]) => make('a', { href, target: '_blank', rel: 'noreferrer' }, title)),
  ])
  const all = factsOf(task)
  replace(details.lastElementChild, JSON.stringify(all), () =>
    all.flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, String(text))]),
  )
}

function factsOf(task) {
  const time = (moment) => moment && `${localTime(moment)} · ${moment}`
  const all = [
    ['Id', task.id],
    ['Key', task.key],
    ['Enqueued', time(task.createdAt)],
    ['Due', time(task.dueAt)],
    ['First attempt', time(task.startedAt)],
    ['Finished', time(task.finishedAt)],
    ['Lease until', time(task.leasedUntil)],
    ['Not understood since', time(task.unknownSince)],
    ['Dispatch', task.dispatch],
    ['Enqueued by', task.subject],
    ['Request', task.requestId],
    ['Trace', task.traceId],
    ['Revision', task.revision],
  ]
  return all.filter(([, text]) => text !== undefined)
}

/** The pages about the request that enqueued a task, from shortly before it until shortly after the task. */
function linksOf({ traceId, createdAt, finishedAt }, { logs, trace }, now) {
  if (!traceId) return []
  const at = (moment, shift) => new Date(Date.parse(moment) + shift).toISOString()
  const values = { trace: traceId, from: at(createdAt, -aroundMs), to: at(finishedAt ?? now, aroundMs) }
  const fill = (template) =>
    template.replaceAll(/\{(trace|from|to)\}/g, (_whole, name) => encodeURIComponent(values[name]))
  const pages = [
    ['Log lines', logs],
    ['Trace', trace],
  ]
  return pages.flatMap(([title, template]) => (template ? [[title, fill(template)]] : []))
}
