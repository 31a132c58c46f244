import { byId, fromNow, localTime, make, makeHead, replace, setText, sync } from './dom.js'
import { batchLink, progressOf } from './show-batches.js'

const actions = {
  pending: ['run', 'cancel'],
  queued: ['run', 'cancel'],
  running: ['cancel'],
  dead: ['redrive', 'cancel'],
}
const titles = { run: 'Run now', cancel: 'Cancel', redrive: 'Redrive', signal: 'Send signal' }
const aroundMs = 5 * 60_000

/** The ids of the tasks whose details are open. */
export function openTasks() {
  return Array.from(byId('tasks').children)
    .filter((item) => item.querySelector('details').open)
    .map((item) => item.dataset.key)
}

/**
 * Shows a page of tasks.
 *
 * @param details what is known of those whose details are open, by their ids
 */
export function showTasks({ items }, overview, details) {
  byId('no-tasks').hidden = items.length > 0
  sync(byId('tasks'), items, {
    key: ({ id }) => id,
    create,
    update: (item, task) => update(item, task, overview, details.get(task.id)),
  })
}

function create({ id, name }) {
  const details = make(
    'details',
    {},
    make('summary', { 'aria-label': `Details of ${name} ${id}` }, 'Details'),
    make('dl', { class: 'all' }),
    make('div', { class: 'work' }),
  )
  return make('li', {}, makeHead(name), make('p', { class: 'error' }), make('p', { class: 'facts' }), details)
}

function update(item, task, { now, tasks, links }, known) {
  const { name, state, lastError, waitsFor } = task
  const [head, error, facts, details] = item.children
  const [badge, , buttons] = head.children
  setText(badge, state)
  badge.className = `state ${state}`
  const able = [...(waitsFor?.key === undefined ? [] : ['signal']), ...(actions[state] ?? [])]
  replace(buttons, JSON.stringify([able, waitsFor]), () =>
    able.map((action) => button(action, titles[action], task)),
  )
  setText(error, lastError ?? '')
  error.hidden = !lastError
  const most = tasks.find((summary) => summary.name === name)?.maxAttempts
  const texts = [
    `attempts: ${task.attempts}${most ? ` of ${most}` : ''}`,
    task.finishedAt ? `${state} ${fromNow(task.finishedAt, now)}` : `due ${fromNow(task.dueAt, now)}`,
    ...(task.undoing ? [`runs its undos, then it is ${task.undoing}`] : []),
    ...(waitsFor ? [waitText(waitsFor, now)] : []),
    ...(task.waitsForPlace ? ['waits for a free place of its limit'] : []),
    ...(task.unknownSince ? ['waits for a revision that understands it'] : []),
    ...(task.subject ? [`by ${task.subject}`] : []),
  ]
  const found = linksOf(task, links, now)
  replace(facts, JSON.stringify([texts, found.map(([title]) => title)]), () => [
    ...texts.map((text) => make('span', {}, text)),
    ...(task.batchId ? [batchLink(task.batchId, 'Its batch', `Its batch: that of ${name} ${task.id}`)] : []),
    ...found.map(([title, href]) => make('a', { href, target: '_blank', rel: 'noreferrer' }, title)),
  ])
  const all = factsOf(task, known?.batch)
  replace(details.children[1], JSON.stringify(all), () =>
    all.flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, String(text))]),
  )
  if (known) showWork(details.lastElementChild, task, known, now)
}

function button(action, title, { id, name, waitsFor }) {
  const signal = waitsFor && { 'data-signal': waitsFor.name, 'data-key': waitsFor.key }
  const data = { 'data-action': action, 'data-id': id, 'data-name': name, ...(action === 'signal' && signal) }
  return make('button', { type: 'button', 'aria-label': `${title}: ${name} ${id}`, ...data }, title)
}

function waitText({ name, key, until }, now) {
  const what = key === undefined ? `sleeps (${name})` : `waits for the signal ${name} (${key})`
  return `${what}, ${fromNow(until, now)} at the latest`
}

/** Shows the steps of a task, and the errors of its attempts. */
function showWork(element, task, { steps, errors }, now) {
  replace(element, JSON.stringify([task.state, steps, errors, fromNow(task.dueAt, now)]), () => [
    ...(steps.length > 0
      ? [make('h3', {}, 'Steps'), make('ol', {}, ...steps.map((step) => stepItem(step, now)))]
      : []),
    ...(steps.length > 0 && task.state === 'dead' ? [button('restart', 'Redrive from the start', task)] : []),
    ...(errors.length > 0
      ? [make('h3', {}, 'Errors'), make('ol', {}, ...errors.map((error) => errorItem(error, now)))]
      : []),
  ])
}

function stepItem(step, now) {
  const { name, kind, tries, startedAt, finishedAt, until, lastError, undoneAt, undoError } = step
  const end = finishedAt
    ? `finished ${fromNow(finishedAt, now)}`
    : until
      ? `until ${localTime(until)}`
      : `started ${fromNow(startedAt, now)}`
  const facts = [...(kind === 'step' ? [] : [kind]), end, ...(tries > 1 ? [`${tries} tries`] : [])]
  const item = make('li', {}, make('strong', {}, name), ` · ${facts.join(' · ')}`)
  if (undoneAt) item.append(` · undone ${fromNow(undoneAt, now)}`)
  if (lastError) item.append(make('p', { class: 'error' }, lastError))
  if (undoError) item.append(make('p', { class: 'error' }, `The undo: ${undoError}`))
  return item
}

function errorItem({ at, attempt, step, ms, revision, error }, now) {
  const facts = [`attempt ${attempt}`, fromNow(at, now)]
  if (step) facts.push(`step ${step}`)
  if (ms !== undefined) facts.push(`${ms} ms`)
  if (revision) facts.push(revision)
  return make('li', {}, facts.join(' · '), make('p', { class: 'error' }, error))
}

function factsOf(task, batch) {
  const time = (moment) => moment && `${localTime(moment)} · ${moment}`
  const all = [
    ['Id', task.id],
    ['Key', task.key],
    ['Batch', batch ? `${batch.id} · ${progressOf(batch)}` : task.batchId],
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
