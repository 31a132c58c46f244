import { z } from '@hono/zod-openapi'
import { expect } from 'vitest'
import { requestMemory } from '#runtime'
import { processMemory } from '#src/runtime/http/memory-budget.ts'
import { sendStream } from '#src/runtime/http/send-stream.ts'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/routes/route.ts'
import { stream } from '#src/runtime/routes/stream.ts'
import { featureOf } from '#test/support/feature.ts'
import { rawRequest } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'

export const mebibyte = 1024 * 1024
export const large = 32 * mebibyte // more than a connection takes in by itself
const Text = z.strictObject({ text: z.string() })
const open = { method: 'post', security: 'public', summary: 'Take a body' } as const
const take = {
  ...open,
  request: { body: jsonBody(Text) },
  responses: { 200: json('As sent', Text) },
} as const

/** `entered` says what is held when a handler begins; `leave` lets the one of `/wait` end. */
export const gate = { entered: Promise.withResolvers<number>(), leave: Promise.withResolvers<void>() }
export const patience = { interval: 5, timeout: 20_000 }
/** What is held while a handler runs. */
const enter = () => gate.entered.resolve(processMemory.reservedBytes)

const echo = handle(defineRoute({ ...take, path: '/echo', operationId: 'echo' }), (c) => {
  enter()
  return c.json(c.req.valid('json'), 200)
})
const fail = handle(defineRoute({ ...take, path: '/fail', operationId: 'fail' }), () => {
  enter()
  throw new Error('Broken')
})
const wait = handle(defineRoute({ ...take, path: '/wait', operationId: 'wait' }), async (c) => {
  enter()
  await gate.leave.promise
  return c.json(c.req.valid('json'), 200)
})
const once = defineRoute({
  ...take,
  path: '/once',
  operationId: 'once',
  security: 'authenticated',
  idempotent: true,
})
const flow = defineRoute({
  ...open,
  path: '/flow',
  operationId: 'flow',
  request: { body: jsonBody(Text) },
  responses: { 200: stream('text/plain', 'Without end') },
})
async function* endless(): AsyncIterable<string> {
  for (;;) yield 'x'.repeat(1000)
}

/** A service of routes that hold memory, on a port. */
export function memoryService() {
  return testServer({
    environment: { REQUEST_TIMEOUT: '4' },
    features: [
      featureOf(
        echo,
        fail,
        wait,
        handle(once, (c) => {
          enter()
          return c.json(c.req.valid('json'), 200)
        }),
        handle(flow, (c) => {
          enter()
          return sendStream(c, 'text/plain', endless())
        }),
        handlePlain({ method: 'post', path: '/plain', security: 'public' }, async (c) => {
          enter()
          return c.text(String((await c.req.raw.text()).length))
        }),
        handlePlain({ method: 'get', path: '/large', security: 'public' }, (c) => c.text('x'.repeat(large))),
        handlePlain({ method: 'get', path: '/made', security: 'public' }, (c) => {
          requestMemory(c).reserve(Number(c.req.query('bytes')))
          enter()
          return c.text('x')
        }),
        handlePlain({ method: 'get', path: '/medium', security: 'public' }, (c) => {
          enter()
          return c.text('x'.repeat(100_000))
        }),
        handlePlain({ method: 'get', path: '/small', security: 'public' }, (c) => {
          enter()
          return c.text('x')
        }),
      ),
    ],
  })
}

export const body = JSON.stringify({ text: 'x'.repeat(10_000) })
export const headers = { 'Content-Type': 'application/json' }
export const post = (path: string, length = body.length) =>
  rawRequest(`POST ${path}`, { ...headers, 'Content-Length': String(length) })
export const nothing = () => expect.poll(() => processMemory.reservedBytes, patience).toBe(0)
export const something = () => expect.poll(() => processMemory.reservedBytes, patience).toBeGreaterThan(0)

/** Closes the gate again, before each test. */
export function closeGate(): void {
  gate.entered = Promise.withResolvers()
  gate.leave = Promise.withResolvers()
}
