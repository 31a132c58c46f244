import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import type { Reporter } from '#src/runtime/kernel/reporter.ts'
import { reportError, reportOutsideRequests, reportWarning } from '#src/runtime/log/report.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const answers = {
  200: json('Fine', z.object({ fine: z.boolean() })),
  502: json('Not fine', z.object({ fine: z.boolean() })),
}
const stated = { method: 'get', summary: 'Work', responses: answers } as const
let work: () => unknown
const worker = handle(
  defineRoute({
    ...stated,
    path: '/work/{id}',
    operationId: 'work',
    security: 'optional',
    request: { params: z.object({ id: z.string() }) },
    problems: [problems.PRECONDITION_FAILED],
  }),
  async (c) => {
    await work()
    return c.json({ fine: true }, 200)
  },
)
const broken = handle(
  defineRoute({ ...stated, path: '/broken', operationId: 'broken', security: 'public' }),
  (c) => c.json({ fine: false }, 502),
)

const error = vi.fn<NonNullable<Reporter['error']>>()
const warning = vi.fn<NonNullable<Reporter['warning']>>()
const service = await testService({
  databaseUrl: noDatabase,
  features: [featureOf(worker, broken)],
  reporter: { error, warning },
})
const { api, lines } = service

beforeEach(() => {
  lines.length = 0
  work = () => undefined
  error.mockReset()
  warning.mockReset()
})
afterEach(() => void vi.useRealTimers())

/** Turns of the event loop, in which whatever can go on does. */
async function turns() {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('reportError', () => {
  test('runs for an error that was thrown, with what is known of the request', async () => {
    const thrown = new Error('lost')
    work = () => Promise.reject(thrown)
    const alice = await service.as('alice')
    const headers = {
      'X-Request-Id': 'abc',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    }
    await expectProblem(await alice('/work/7', { headers }), 500, 'INTERNAL')
    expect(error.mock.calls).toEqual([
      [
        thrown,
        {
          ...{ requestId: 'abc', traceId: '4bf92f3577b34da6a3ce929d0e0e4736', subject: 'alice' },
          ...{ method: 'GET', path: '/work/7', route: '/work/:id', status: 500 },
        },
      ],
    ])
    expect(error.mock.calls[0]?.[0]).toBe(thrown)
  })

  test('runs for an answer of 500 or above that a handler returned', async () => {
    await expectJson(await api('/broken'), 502)
    expect(error.mock.calls).toEqual([
      [
        expect.objectContaining({ message: 'The response has the status 502' }),
        expect.objectContaining({ status: 502, path: '/broken' }),
      ],
    ])
  })

  test.each([
    ['a 503', new Problem(problems.DEADLINE_EXCEEDED)],
    ['a 503 that has a cause', new Problem(problems.OVERLOADED, { cause: new Error('no connection') })],
  ])('runs for a problem of %s', async (_what, problem) => {
    work = () => Promise.reject(problem)
    await expectProblem(await api('/work/7'), 503, problem.definition.code)
    expect(error.mock.calls).toEqual([[problem, expect.objectContaining({ status: 503 })]])
  })

  test('does not run for work that is refused on purpose, which is one WARNING', async () => {
    work = () => Promise.reject(new Problem(problems.OVERLOADED))
    lines.length = 0
    await expectProblem(await api('/work/7'), 503, 'OVERLOADED')
    expect(error).not.toHaveBeenCalled()
    expect(lines).toEqual([
      expect.objectContaining({ severity: 'WARNING', message: 'GET /work/7 503', problem: 'OVERLOADED' }),
    ])
  })

  test('does not run for any answer below', async () => {
    work = () => Promise.reject(new Problem(problems.PRECONDITION_FAILED))
    for (const path of ['/work/7', '/ping', '/nowhere', '/ping?a=1']) await api(path)
    await api('/work/7', { headers: { Authorization: 'Bearer rubbish' } })
    await api('/ping', { method: 'DELETE' })
    expect(error).not.toHaveBeenCalled()
    expect(warning).not.toHaveBeenCalled()
  })

  test('can be called by a handler that answers all the same', async () => {
    const oddity = new Error('odd')
    work = () => void reportError(oddity, { order: 7 })
    await expectJson(await api('/work/7'))
    expect(error.mock.calls).toEqual([[oddity, expect.objectContaining({ path: '/work/7', order: 7 })]])
  })

  test('outside any request goes to the reporter of the process', async () => {
    reportOutsideRequests({ error, warning })
    const early = new Error('early')
    await reportError(early)
    await reportWarning('odd', { a: 1 })
    reportOutsideRequests({})
    await reportError(new Error('to nobody'))
    expect(error.mock.calls).toEqual([[early, {}]])
    expect(warning.mock.calls).toEqual([['odd', { a: 1 }, {}]])
  })
})

test('reportWarning runs from anywhere in a request, and is a line in the log as well', async () => {
  const deep = async () =>
    void (await Promise.resolve().then(() => reportWarning('The stock is low', { left: 1 })))
  work = deep
  await expectJson(await api('/work/7', { headers: { 'X-Request-Id': 'abc' } }))
  const about = expect.objectContaining({ requestId: 'abc', method: 'GET', path: '/work/7' })
  expect(warning.mock.calls).toEqual([['The stock is low', { left: 1 }, about]])
  expect(lines).toEqual([
    expect.objectContaining({
      ...{ severity: 'WARNING', message: 'The stock is low', data: { left: 1 } },
      'logging.googleapis.com/labels': { request_id: 'abc' },
    }),
    expect.objectContaining({ severity: 'INFO', message: 'GET /work/7 200' }),
  ])
})

const reports: [string, () => unknown, number][] = [
  ['an error', () => Promise.reject(new Error('lost')), 500],
  ['a warning', () => void reportWarning('odd'), 200],
  ['a warning that its handler waits for', () => reportWarning('odd'), 200],
]

describe.each(reports)('the answer, after %s,', (_what, doing, status) => {
  beforeEach(() => {
    work = doing
  })

  function behave(behaviour: () => unknown) {
    error.mockImplementation(behaviour)
    warning.mockImplementation(behaviour)
  }

  test('waits for the report', async () => {
    const called = Promise.withResolvers<void>()
    const sent = Promise.withResolvers<void>()
    behave(() => {
      called.resolve()
      return sent.promise
    })
    let answered = false
    const asked = api('/work/7').finally(() => {
      answered = true
    })
    await called.promise
    await turns()
    expect(answered).toBe(false)
    sent.resolve()
    expect((await asked).status).toBe(status)
  })

  test('waits a second at most', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const called = Promise.withResolvers<void>()
    behave(() => {
      called.resolve()
      return new Promise(() => {})
    })
    let answered = false
    const asked = api('/work/7').finally(() => {
      answered = true
    })
    await called.promise
    await vi.advanceTimersByTimeAsync(999)
    await turns()
    expect(answered).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect((await asked).status).toBe(status)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('The error service is down')
      },
      'The error service is down',
    ],
    ['rejects', () => Promise.reject(new Error('The error service is down')), 'The error service is down'],
    ['throws nothing', () => Promise.reject(undefined), 'undefined'],
    ['throws what cannot be printed', () => Promise.reject(Object.create(null)), 'object'],
  ])(
    'is what it is when the reporter %s, which is a warning of the process',
    async (_how, behaviour, words) => {
      const emit = vi.spyOn(process, 'emitWarning').mockReturnValue()
      behave(behaviour)
      expect((await api('/work/7')).status).toBe(status)
      expect(emit).toHaveBeenCalledTimes(1)
      expect(emit.mock.calls[0]?.[0]).toContain(words)
    },
  )
})

test('a reporter may be an instance of a class', async () => {
  class Service implements Reporter {
    readonly seen: unknown[] = []
    error(error: unknown) {
      this.seen.push(error)
    }
    warning(title: string) {
      this.seen.push(title)
    }
  }
  const reporter = new Service()
  const { api } = await testService({ databaseUrl: noDatabase, features: [featureOf(worker)], reporter })
  const lost = new Error('lost')
  work = async () => {
    await reportWarning('odd')
    throw lost
  }
  await expectProblem(await api('/work/7'), 500, 'INTERNAL')
  expect(reporter.seen).toEqual(['odd', lost])
})
