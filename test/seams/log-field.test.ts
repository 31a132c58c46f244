import { expect, test } from 'vitest'
import { defineFeature, defineLogField, defineTask, enqueue, handlePlain, z } from '#runtime'
import { as, taskService } from '#test/kit'

/** The tenant, on each line of its requests and of its tasks. */
const tenantField = defineLogField('tenant')

const greet = defineTask({
  name: 'greetings.greet',
  payload: z.object({ tenant: z.string() }),
  async run({ payload, log }) {
    tenantField.set(payload.tenant) // a task has its own request
    log.info('Greeting')
  },
})

const greetings = defineFeature({
  name: 'greetings',
  description: 'Greetings.',
  tasks: [greet],
  middleware: [
    () => ({
      async run(c, next) {
        c.var.log.info('Before')
        tenantField.set(c.var.caller?.subject.split('/')[0] ?? 'nobody')
        await next()
      },
    }),
  ],
  routes: ({ database }) => [
    handlePlain({ method: 'post', path: '/greetings', security: 'optional' }, async (c) => {
      const tenant = c.var.caller?.subject.split('/')[0] ?? 'nobody'
      c.var.log.info('Inside')
      await database.transaction((tx) => enqueue(tx, greet, { tenant }))
      return c.text('done')
    }),
  ],
})

const service = await taskService({ features: [greetings] })
const labelsOf = (message: string) =>
  service.lines.find((line) => line.message === message)?.['logging.googleapis.com/labels']

test('a field is on each line of its request once it is set, and on the lines of a task that sets it', async () => {
  await service.api('/greetings', { method: 'POST', headers: await as('acme/alice') })
  expect(labelsOf('Before')).toEqual({ request_id: expect.any(String), subject: 'acme/alice' })
  const expected = { request_id: expect.any(String), subject: 'acme/alice', tenant: 'acme' }
  expect(labelsOf('Inside')).toEqual(expected)
  expect(labelsOf('POST /greetings 200')).toEqual(expected)

  service.lines.length = 0
  await service.drain()
  expect(labelsOf('Greeting')).toEqual({
    ...expected,
    task: greet.name,
    task_id: expect.any(String),
    task_attempt: '1',
  })
  expect(labelsOf(`POST /runtime/callbacks/${greet.name} 200`)).toMatchObject({ tenant: 'acme' })
})

test('another request does not have it', async () => {
  service.lines.length = 0
  await service.api('/ping')
  expect(labelsOf('GET /ping 200')).toEqual({ request_id: expect.any(String) })
})

test('a value is text of 256 characters at most, and cannot break the line', async () => {
  const field = defineLogField<string | number | boolean>('odd')
  const values = ['x'.repeat(300), 7, false, '"}\n{"severity":"ERROR"}', `${'x'.repeat(255)}👋`]
  const shown = ['x'.repeat(256), '7', 'false', '"}\n{"severity":"ERROR"}', `${'x'.repeat(255)}\ufffd`]
  const probe = defineFeature({
    name: 'probe',
    description: 'One line a value.',
    routes: () => [
      handlePlain({ method: 'get', path: '/probe', security: 'public' }, (c) => {
        for (const [index, value] of values.entries()) {
          field.set(value)
          c.var.log.info(`Line ${index}`)
        }
        return c.text('done')
      }),
    ],
  })
  const { api, lines } = await taskService({ features: [probe] })
  await api('/probe')
  for (const [index, odd] of shown.entries())
    expect(lines.find(({ message }) => message === `Line ${index}`)).toMatchObject({
      'logging.googleapis.com/labels': { odd },
    })
})

test('outside a request it is set for nobody', () => {
  tenantField.set('nobody')
})

test.each([
  ...['request_id', 'subject'],
  ...['task', 'task_id', 'task_attempt', 'task_trace', 'task_outcome'],
])('%s is the runtime’s own', (name) => {
  expect(() => defineLogField(name)).toThrow(`The log field "${name}" is set by the runtime`)
})

test.each(['', 'Tenant', '1st', 'a-b', '__proto__', 'x'.repeat(64)])('%j is no name of a field', (name) => {
  expect(() => defineLogField(name)).toThrow('its name must be lower-case letters, digits and _')
})
