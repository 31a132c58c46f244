import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/kit'
import { type Delivery, type Hook, scopes, trial } from './trial.ts'

const service = await trial()
const { alice, subscribe, read, change } = service
const url = 'https://shop.example.com/hooks'
const post = { method: 'POST' }

describe('a webhook', () => {
  test('is created with a secret, which nothing else shows', async () => {
    const response = await alice('/webhooks', { json: { url, events: ['order.placed', 'stock.*'] } })
    const { headers } = response
    const { secret, ...hook } = await expectJson<Record<string, string>>(response, 201)
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(hook).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      ...{ url, events: ['order.placed', 'stock.*'], enabled: true },
      createdAt: expect.stringMatching(/Z$/),
    })
    expect(headers.get('location')).toBe(`/webhooks/${hook.id}`)
    expect(headers.get('cache-control')).toBe('no-store')
    const { id = '' } = hook
    const shown = [
      await (await alice(`/webhooks/${id}`)).text(),
      await (await alice('/webhooks')).text(),
      JSON.stringify(await change(id, { events: ['*'] })),
      await (await alice(`/webhooks/${id}/test`, post)).text(),
      await (await alice(`/webhooks/${id}/deliveries`)).text(),
      JSON.stringify(await service.ledger()),
      JSON.stringify(service.lines),
    ]
    const bare = secret?.slice(6) ?? ''
    for (const text of shown) expect(text).not.toContain(bare)
    expect(shown[1]).toContain(id)
  })

  test('can be changed, disabled and enabled; what is not named stays', async () => {
    const { secret: _secret, ...hook } = await subscribe(url, ['a'])
    expect(await change(hook.id, {})).toEqual(hook)
    expect(await change(hook.id, { events: ['b.*', '*'] })).toEqual({ ...hook, events: ['b.*', '*'] })
    const off = await change(hook.id, { enabled: false, url: `${url}/2` })
    const disabled = { enabled: false, disabledReason: 'owner', disabledAt: expect.any(String) }
    expect(off).toEqual({ ...hook, url: `${url}/2`, events: ['b.*', '*'], ...disabled })
    expect(await change(hook.id, { enabled: false })).toEqual(off)
    expect(await read(hook.id)).toEqual(off)
    expect(await change(hook.id, { enabled: true })).toEqual({
      ...hook,
      ...{ url: `${url}/2`, events: ['b.*', '*'] },
    })
  })

  test('is deleted with all that belongs to it', async () => {
    const { id } = await subscribe(url)
    await (await alice(`/webhooks/${id}/test`, post)).text()
    const deleted = await alice(`/webhooks/${id}`, { method: 'DELETE' })
    expect(deleted.status).toBe(204)
    await expectProblem(await alice(`/webhooks/${id}`), 404, 'WEBHOOK_NOT_FOUND')
    const left = await service.query(
      `select 1 from webhook_secrets where webhook_id = $1 union all select 2 from webhook_deliveries where webhook_id = $1`,
      [id],
    )
    expect(left).toEqual([])
    await expectProblem(await alice(`/webhooks/${id}`, { method: 'DELETE' }), 404, 'WEBHOOK_NOT_FOUND')
  })

  test.each([
    ['http://shop.example.com/', 'It must start with https://'],
    ['https://%/', 'It is not a URL'],
    ['https://a:b@shop.example.com/', 'It must not contain a user name or a password'],
    ['https://169.254.169.254/computeMetadata/v1/', 'The host has no address, or one that is not public'],
    ['https://shop.example.com:25/', 'Its port must be 443, or 1024 or above'],
  ])('is not sent to %s, neither at first nor after a change', async (bad, detail) => {
    const created = await alice('/webhooks', { json: { url: bad, events: ['*'] } })
    expect(await expectProblem(created, 422, 'WEBHOOK_URL_REFUSED')).toMatchObject({ detail })
    const { id } = await subscribe(url)
    const changed = await alice(`/webhooks/${id}`, { method: 'PATCH', json: { url: bad } })
    await expectProblem(changed, 422, 'WEBHOOK_URL_REFUSED')
    expect(await read(id)).toMatchObject({ url })
  })

  test.each([
    ['#/url', { url: 'shop.example.com', events: ['*'] }],
    ['#/url', { url: 'https://shop.example.com/a b', events: ['*'] }],
    ['#/url', { url: 'https://shop.example.com/\0', events: ['*'] }],
    ['#/url', { url: `${url}/${'x'.repeat(2000)}`, events: ['*'] }],
    ['#/events', { url, events: [] }],
    ['#/events/1', { url, events: ['*', 'Order Placed'] }],
    ['#/secret', { url, events: ['*'], secret: 'whsec_mine' }],
  ])('with a wrong %s is refused', async (pointer, json) => {
    const problem = await expectProblem(await alice('/webhooks', { json }), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toMatchObject([{ pointer }])
  })
})

describe('another caller', async () => {
  const bob = await service.as('bob', scopes)
  const { id } = await subscribe(url)
  const sent = await expectJson<Delivery>(await alice(`/webhooks/${id}/test`, post), 202)

  test.each([
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/rotate-secret'],
    ['POST', '/test'],
    ['GET', '/deliveries'],
    ['POST', `/deliveries/${sent.id}/redeliver`],
  ])('finds nothing at %s /webhooks/{id}%s', async (method, path) => {
    const body = method === 'PATCH' ? { json: { enabled: false } } : {}
    const response = await bob(`/webhooks/${id}${path}`, { method, ...body })
    await expectProblem(response, 404, 'WEBHOOK_NOT_FOUND')
    expect(await read(id)).toMatchObject({ enabled: true })
  })

  test('lists none of them, and sends none of their deliveries by a webhook of their own', async () => {
    expect(await expectJson(await bob('/webhooks'))).toEqual({ items: [] })
    const own = await subscribe(url, ['*'], bob)
    const response = await bob(`/webhooks/${own.id}/deliveries/${sent.id}/redeliver`, post)
    await expectProblem(response, 404, 'WEBHOOK_DELIVERY_NOT_FOUND')
  })

  test('needs the scope', async () => {
    const reader = await service.as('alice', ['webhooks:read'])
    await expectProblem(await reader('/webhooks', { json: { url, events: ['*'] } }), 403, 'SCOPE_MISSING')
    const writer = await service.as('alice', ['webhooks:write'])
    await expectProblem(await writer(`/webhooks/${id}/deliveries`), 403, 'SCOPE_MISSING')
    await expectProblem(await service.api('/webhooks'), 401, 'TOKEN_MISSING')
  })
})

test('lists have pages, the newest first', async () => {
  const carol = await service.as('carol', scopes)
  const hooks: Hook[] = []
  for (let count = 0; count < 5; count++) {
    const { secret: _secret, ...hook } = await subscribe(`${url}/${count}`, ['*'], carol)
    hooks.unshift(hook)
  }
  const seen: Hook[] = []
  for (let cursor = ''; ; ) {
    const page = await expectJson<{ items: Hook[]; nextCursor?: string }>(
      await carol(`/webhooks?limit=2${cursor}`),
    )
    seen.push(...page.items)
    if (!page.nextCursor) break
    cursor = `&cursor=${page.nextCursor}`
  }
  expect(seen).toEqual(hooks)
})

test('an owner has 20 at most, also when many are created at once', async () => {
  const dave = await service.as('dave', scopes)
  const create = () => dave('/webhooks', { json: { url, events: ['*'] } })
  const statuses = (await Promise.all(Array.from({ length: 25 }, create))).map(({ status }) => status)
  expect(statuses.filter((status) => status === 201)).toHaveLength(20)
  expect(statuses.filter((status) => status === 409)).toHaveLength(5)
  await expectProblem(await create(), 409, 'WEBHOOK_LIMIT_REACHED')
})
