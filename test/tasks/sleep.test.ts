import { describe, expect, test } from 'vitest'
import { failing, stepsTrial } from './steps-trial.ts'

// A task that sleeps between its steps.

const service = await stepsTrial()
const { drain, enqueueWork, ledger, lines, query, script, seen, work } = service

describe('a sleep', () => {
  test('gives the task back until it is over, and counts no attempt', async () => {
    const fail = failing(2)
    script.run = async ({ step, sleep, attempt }) => {
      await step('before', async () => void seen.push('before'))
      fail()
      await sleep('cool-off', '3d')
      seen.push(`after in ${attempt}`)
    }
    await enqueueWork()
    expect(await drain({ until: '1h' })).toMatchObject(Array(3).fill({ status: 200 }))
    expect(await ledger()).toMatchObject([
      {
        state: 'queued',
        attempts: 0,
        lease: null,
        leased_until: null,
        last_error: null,
        waits_for: 'cool-off',
      },
    ])
    await service.advance('71h')
    await service.tick()
    await drain()
    expect(seen).toEqual(['before'])
    await drain({ until: '2h' })
    expect(seen).toEqual(['before', 'after in 1'])
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1, waits_for: null }])
    expect(lines.filter(({ severity }) => severity === 'WARNING')).toHaveLength(2) // the two failures
  })

  test('may last longer than Cloud Tasks keeps a task', async () => {
    script.run = async ({ sleep }) => {
      await sleep('long', '60d')
      seen.push('awake')
    }
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([{ state: 'pending' }])
    await service.advance('32d')
    await service.tick()
    await service.advance('27d')
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '2d' })
    expect(seen).toEqual(['awake'])
  })

  test('ends at a time, and goes on if the task is woken before', async () => {
    const [{ now }] = (await query('select runtime.service_now() as now')) as [{ now: Date }]
    script.run = async ({ sleep }) => {
      await sleep('until', new Date(now.getTime() + 3_600_000))
      seen.push('awake')
    }
    const { id } = await enqueueWork()
    await drain()
    await query("update runtime.tasks set due_at = runtime.service_now(), state = 'pending', dispatch = 7")
    await service.callback({ name: work.name, id, dispatch: 7 })
    expect(await ledger()).toMatchObject([
      { state: 'queued', dispatch: 8, due_at: new Date(now.getTime() + 3_600_000) },
    ])
    await service.advance('59m')
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '2m' })
    expect(seen).toEqual(['awake'])
  })

  test('many of them use up no attempts', async () => {
    script.run = async ({ sleep }) => {
      for (let turn = 0; turn < 10; turn++) await sleep(`turn-${turn}`, '10m')
      seen.push('awake')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1, dispatch: 11 }])
    expect(seen).toEqual(['awake'])
  })

  test('cannot be caught: an attempt that goes on after it is not done', async () => {
    script.run = async ({ sleep, step }) => {
      await sleep('nap', '1h').catch(() => {})
      await step('next', async () => void seen.push('next')).catch(() => {})
    }
    await enqueueWork()
    await drain()
    expect([seen, await ledger()]).toMatchObject([[], [{ state: 'queued', waits_for: 'nap' }]])
    script.run = async ({ sleep, step }) => {
      await sleep('nap', '1h').catch((cause) => {
        throw new Error('it seems to have failed', { cause })
      })
      await step('next', async () => void seen.push('next'))
    }
    await drain({ until: '2h' })
    expect([seen, await ledger()]).toMatchObject([['next'], [{ state: 'done', attempts: 1 }]])
  })

  test('a task that was cancelled while it sleeps does not wake', async () => {
    script.run = async ({ sleep }) => {
      await sleep('nap', '1h')
      seen.push('awake')
    }
    const { id } = await enqueueWork()
    await drain()
    const olga = await service.as('olga', ['runtime:admin'])
    expect((await olga(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    await drain({ until: '2h' })
    expect([seen, await ledger()]).toMatchObject([[], [{ state: 'cancelled' }]])
  })
})
