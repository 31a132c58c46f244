import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { complaint, long, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, again, serving, version, image, script } = await rehearsal()
let pushed: string

// Builds that meet others: live serves, and each test begins with all traffic on one revision.
beforeAll(async () => {
  expect((await build({ without: long })).ok).toBe(true)
  pushed = image()
})

beforeEach(() => {
  project.fault = () => false
  project.beforeReplace = undefined
})

const live = () => {
  const service = project.services.get('runway-live')
  if (!service) throw new Error('live was never deployed')
  return service
}
const tags = () => live().traffic.flatMap(({ tag }) => tag ?? [])

/** Moves live's traffic, as another build or a person does. */
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
  const red = await again(pushed)
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
  const overtaken = await again(pushed)
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
  const { ok, id } = await again(pushed)
  expect(ok).toBe(true)
  expect(live().annotations).toMatchObject({ 'run.googleapis.com/description': 'orders' })
  expect((await version()).revision).toContain(id.slice(0, 8))
})

test('the tag of a build that was cancelled is taken away by the next one, that of one that goes on is not', async () => {
  const stop = new AbortController()
  const before = async (id: string) => {
    if (id === 'live-tasks') stop.abort()
  }
  const cancelled = await again(pushed, { before, signal: stop.signal })
  expect(cancelled.ok).toBe(false)
  expect(tags()).toEqual([`b-${cancelled.id.slice(0, 8)}`])
  const other = '0ther123-0000'
  project.going.add(other)
  live().traffic.push({ revisionName: `${live().revisions.at(-1)?.name}`, tag: 'b-0ther123' })
  expect((await again(pushed)).ok).toBe(true)
  expect(tags()).toEqual(['b-0ther123'])
  project.going.delete(other)
  expect((await again(pushed)).ok).toBe(true)
  expect(tags()).toEqual([])
})

test('a build that is cut while it moves traffic has moved it or not; the next one, and a rollback, find their way', async () => {
  const stop = new AbortController()
  project.fault = (host, { url }) => {
    if (host === 'runway-live' && url === '/version') stop.abort('SIGKILL') // no trap runs
    return false
  }
  const cut = await again(pushed, { signal: stop.signal })
  project.fault = () => false
  expect(cut.steps.find(({ id }) => id === 'live-traffic')?.result).toBe('cancelled')
  const tag = `b-${cut.id.slice(0, 8)}`
  expect(serving()).toEqual([expect.stringContaining(`${cut.id.slice(0, 8)}=100`)])
  expect(tags()).toEqual([tag])
  expect((await again(pushed)).ok).toBe(true)
  expect(tags()).toEqual([])
  expect(await script('deploy/rollback')).toMatch(new RegExp(`^live: \\S+${cut.id.slice(0, 8)}`, 'm'))
})

test('a revision of another build that does not start, in between, does not hold it up', async () => {
  const name = 'runway-live-auth-secret'
  const secret = project.secrets.get(name) ?? []
  let other: Awaited<ReturnType<typeof build>> | undefined
  const { ok, id } = await again(pushed, {
    async before(step) {
      if (step !== 'live-traffic') return
      project.secrets.set(name, [...secret, 'too short'])
      other = await again(pushed)
      project.secrets.set(name, secret)
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
  project.fault = (host, { url }) => host === 'runway-live' && url === '/version'
  expect(complaint(await again(pushed))).toContain(`Traffic is back: ${newer?.name}=90,${older?.name}=10`)
  expect(serving()).toEqual([`${newer?.name}=90`, `${older?.name}=10`])
  project.fault = () => false
  expect((await again(pushed)).ok).toBe(true)
  expect(serving()).toHaveLength(1)
})

test('a rollback goes past a revision that did not pass, though it served for a moment', async () => {
  const { revision: passed } = await version()
  project.fault = (host, { url }) => host === 'runway-live' && url === '/version'
  const red = await again(pushed)
  project.fault = () => false
  const { ok, id } = await again(pushed)
  expect([red.ok, ok]).toEqual([false, true])
  expect((await version()).revision).toContain(id.slice(0, 8))
  expect(await script('deploy/rollback')).toContain(`live: ${passed}`)
})
