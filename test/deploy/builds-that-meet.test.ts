import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { lightImage } from '#test/support/light-image.ts'
import { complaint, exceptLive, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, again, push, serving, tags, version, changes, script } = await rehearsal()
const image = push(lightImage())

/** A build of an image that goes live at once. */
const build = (options: Parameters<typeof again>[1] = {}, of = image) =>
  again(of, { without: exceptLive, ...options })

// Builds that meet others: live serves, and each test starts with all traffic on one revision.
beforeAll(async () => expect((await build()).ok).toBe(true))

beforeEach(() => {
  project.fault = () => false
  project.beforeReplace = undefined
})

const live = () => {
  const service = project.services.get('runway-live')
  if (!service) throw new Error('live was never deployed')
  return service
}

/** The public URL of live stops to say which revision responds. */
function breakVersion() {
  project.fault = (host, { url }) => host === 'runway-live' && url === '/version'
}

/** Moves the traffic of live, as another build or a person does. */
function serve(shares: Record<string, number>) {
  const tagged = live().traffic.filter(({ tag }) => tag)
  const moved = Object.entries(shares).map(([revisionName, percent]) => ({ revisionName, percent }))
  live().traffic = [...moved, ...tagged]
  live().version++
}

test('a build whose revision was moved away from gives nothing back', async () => {
  const [before] = live().revisions.slice(-1)
  let isMoved = false
  project.fault = (host, { url }) => {
    if (host !== 'runway-live' || url !== '/version') return false
    if (!isMoved) serve({ [`${before?.name}`]: 100 }) // somebody rolls back in the minute in which it is asked
    isMoved = true
    return false
  }
  const { version: changes } = live()
  const red = await build()
  expect(complaint(red)).toMatch(
    /^live-traffic: .*Nothing is to be given back: .*=100 serves.*What to do next/s,
  )
  expect(serving()).toEqual([`${before?.name}=100`])
  expect(tags()).toEqual([])
  expect(live().version).toBe(changes + 4) // its deploy, its move, the rollback, its tag
})

test('of two that move at the same moment one goes live, and the other is red', async () => {
  const [before] = live().revisions.slice(-1)
  let isMoved = false
  project.beforeReplace = (name) => {
    if (name !== 'runway-live' || isMoved) return
    isMoved = true
    serve({ [`${before?.name}`]: 99, 'runway-live-closed': 1 })
  }
  const overtaken = await build()
  expect(complaint(overtaken)).toMatch(
    /^live-traffic: .*Overtaken: .*=100 served when this build began.*=99/s,
  )
  expect(tags()).toEqual([])
  serve({ [`${before?.name}`]: 100 })
})

test('what else is changed of the service at that moment stays, and the build goes live', async () => {
  let isChanged = false
  project.beforeReplace = (name) => {
    if (name !== 'runway-live' || isChanged) return
    isChanged = true
    live().annotations = { ...live().annotations, 'run.googleapis.com/description': 'orders' }
    live().version++
  }
  const { ok, id } = await build()
  expect(ok).toBe(true)
  expect(live().annotations).toMatchObject({ 'run.googleapis.com/description': 'orders' })
  expect((await version()).revision).toContain(id.slice(0, 8))
})

test('the tag of a build that was cancelled is taken away by the next one, that of one that goes on is not', async () => {
  const stop = new AbortController()
  const before = async (id: string) => {
    if (id === 'live-tasks') stop.abort()
  }
  const cancelled = await build({ before, signal: stop.signal })
  expect(cancelled.ok).toBe(false)
  expect(tags()).toEqual([`b-${cancelled.id.slice(0, 8)}`])
  const other = '0ther123-0000'
  project.going.add(other)
  live().traffic.push({ revisionName: `${live().revisions.at(-1)?.name}`, tag: 'b-0ther123' })
  expect((await build()).ok).toBe(true)
  expect(tags()).toEqual(['b-0ther123'])
  project.going.delete(other)
  expect((await build()).ok).toBe(true)
  expect(tags()).toEqual([])
})

test('a build that is cut while it moves traffic has moved it or not; the next one, and a rollback, find their way', async () => {
  const stop = new AbortController()
  project.fault = (host, { url }) => {
    if (host === 'runway-live' && url === '/version') stop.abort('SIGKILL') // no trap runs
    return false
  }
  const cut = await build({ signal: stop.signal })
  project.fault = () => false
  expect(cut.steps.find(({ id }) => id === 'live-traffic')?.result).toBe('cancelled')
  const tag = `b-${cut.id.slice(0, 8)}`
  expect(serving()).toEqual([expect.stringContaining(`${cut.id.slice(0, 8)}=100`)])
  expect(tags()).toEqual([tag])
  expect((await build()).ok).toBe(true)
  expect(tags()).toEqual([])
  expect(await script('deploy/rollback')).toMatch(new RegExp(`^live: \\S+${cut.id.slice(0, 8)}`, 'm'))
})

test('a revision of another build that does not start, in between, does not hold it up', async () => {
  let other: Awaited<ReturnType<typeof build>> | undefined
  const { ok, id } = await build({
    async before(step) {
      if (step !== 'live-traffic') return
      other = await build({}, push(lightImage({ doesStart: false })))
    },
  })
  expect(other && complaint(other)).toMatch(/^live-revision: /)
  expect(ok).toBe(true)
  expect((await version()).revision).toContain(id.slice(0, 8))
})

test('traffic that is split is given back as it was, and is whole after a green build', async () => {
  const [older, newer] = live()
    .revisions.filter(({ port }) => port)
    .slice(-2)
  const split = { [`${newer?.name}`]: 90, [`${older?.name}`]: 10 }
  serve(split)
  breakVersion()
  expect(complaint(await build())).toContain(`Traffic is back: ${newer?.name}=90,${older?.name}=10`)
  expect(serving()).toEqual([`${newer?.name}=90`, `${older?.name}=10`])
  project.fault = () => false
  expect((await build()).ok).toBe(true)
  expect(serving()).toHaveLength(1)
})

test('a rollback goes past a revision that did not pass, though it served for a moment', async () => {
  const { revision: passed } = await version()
  breakVersion()
  const red = await build()
  project.fault = () => false
  const { ok, id } = await build()
  expect([red.ok, ok]).toEqual([false, true])
  expect((await version()).revision).toContain(id.slice(0, 8))
  expect(await script('deploy/rollback')).toContain(`live: ${passed}`)
})

test('a live revision that does not respond publicly gives the traffic back', async () => {
  const before = serving()
  breakVersion()
  changes()
  const red = await build()
  expect(complaint(red)).toMatch(/^live-traffic: .*does not say that .*Traffic is back: .*What to do next/s)
  expect(changes().slice(-2)).toEqual(['PUT runway-live', 'PUT runway-live'])
  expect(tags()).toEqual([])
  expect(serving()).toEqual(before)
  project.fault = () => false
  expect(`${(await version()).revision}=100`).toBe(before[0])
  expect(await script('deploy/rollback', 'runway-live-closed').catch(({ stderr }) => stderr)).toContain(
    'no ready revision',
  )
})

test.each(['live-tasks', 'live-traffic'])(
  'of two builds that started at once, the later one to arrive is red at %s, and the other stays live',
  async (step) => {
    let other: Awaited<ReturnType<typeof build>> | undefined
    const overtaken = await build({
      async before(id) {
        if (id !== step) return
        other = await build()
        changes()
      },
    })
    expect(other?.ok).toBe(true)
    expect(complaint(overtaken)).toMatch(new RegExp(`^${step}: Overtaken: .*What to do next: .*_IMAGE=`, 's'))
    expect(changes()).toEqual(['run services update-traffic runway-live']) // its tag
    expect(tags()).toEqual([])
    expect((await version()).revision).toContain(other?.id.slice(0, 8))
    expect(serving()).toEqual([expect.stringContaining(`${other?.id.slice(0, 8)}=100`)])
  },
)
