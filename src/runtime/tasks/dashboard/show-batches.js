import { fromNow, localTime, make, makeHead, replace, setText, sync } from './dom.js'

const written = (number) => number.toLocaleString('en')

/** Shows batches as the items of a list, each with how far it is. */
export function showBatches(parent, batches, now) {
  sync(parent, batches, {
    key: ({ id }) => id,
    create,
    update: (item, batch) => update(item, batch, now),
  })
}

/** A link that lists the tasks of a batch on this page. */
export function batchLink(id, title, label) {
  return make('a', { href: `?batch=${id}`, 'data-batch': id, 'aria-label': label }, title)
}

/** How many tasks of a batch have ended, in words. */
export function progressOf({ size, done, dead, cancelled }) {
  return `${written(done + dead + cancelled)} of ${written(size)} ended`
}

function create({ id, name }) {
  return make(
    'li',
    {},
    makeHead(name),
    make(
      'div',
      { class: 'progress' },
      make('span'),
      make('progress', { 'aria-label': `Ended tasks of the batch of ${name} ${id}` }),
    ),
    make('p', { class: 'facts' }),
  )
}

function update(item, batch, now) {
  const { id, name, size, createdAt, cancelledAt, finishedAt, subject } = batch
  const [head, how, facts] = item.children
  const [badge, , buttons] = head.children
  setText(badge, finishedAt ? 'ended' : cancelledAt ? 'cancelled, still open' : 'open')
  replace(buttons, String(Boolean(finishedAt ?? cancelledAt)), () =>
    finishedAt || cancelledAt ? [] : [cancelButton(batch)],
  )
  const [text, progress] = how.children
  setText(text, progressOf(batch))
  progress.max = Math.max(1, size)
  progress.value = size === 0 ? 1 : batch.done + batch.dead + batch.cancelled
  const counts = ['done', 'dead', 'cancelled', ...(finishedAt ? [] : ['running', 'waiting'])]
  const texts = [
    ...counts.map((state) => `${written(batch[state])} ${state}`),
    `began ${fromNow(createdAt, now)}, ${localTime(createdAt)}`,
    ...(finishedAt ? [`ended ${fromNow(finishedAt, now)}, ${localTime(finishedAt)}`] : []),
    ...(batch.finally ? [finalText(batch)] : []),
    ...(subject ? [`by ${subject}`] : []),
  ]
  const link = facts.firstElementChild ?? batchLink(id, 'Its tasks', `Its tasks: the batch of ${name} ${id}`)
  replace(facts, JSON.stringify(texts), () => [link, ...texts.map((text) => make('span', {}, text))])
}

function cancelButton({ id, name }) {
  const data = { 'data-action': 'cancel-batch', 'data-id': id, 'data-name': name }
  return make(
    'button',
    { type: 'button', 'aria-label': `Cancel: the batch of ${name} ${id}`, ...data },
    'Cancel',
  )
}

function finalText({ finally: { name, id, state } }) {
  return `then ${name}${id ? `: ${state ?? 'deleted'}` : ''}`
}
