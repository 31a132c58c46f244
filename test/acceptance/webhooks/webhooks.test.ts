// @module-tag token

import { expect, vi } from 'vitest'
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhookDeliveries,
  listWebhooks,
  rotateWebhookSecret,
  testWebhook,
} from '#openapi/client.ts'
import { by, expectRefusal, expectStatus, run, test } from '../acceptance.ts'

// Nothing is sent to anybody: this host does not exist, and never will (RFC 6761).
const hook = { url: `https://hooks.invalid/${run}`, events: ['never.happens'] }

/** Cloud Tasks may take its time, and so may an instance that starts. */
const patience = { timeout: 90_000, interval: 1_000 }

test('a webhook is created, shown without its secret, changed, and deleted', async ({ alice }) => {
  const created = expectStatus(await createWebhook(hook, by(alice)), 201).data
  const { secret, ...shown } = created
  expect(shown).toMatchObject({ ...hook, enabled: true })
  expect(expectStatus(await getWebhook(created.id, by(alice)), 200).data).toEqual(shown)
  expect(expectStatus(await listWebhooks({}, by(alice)), 200).data.items).toContainEqual(shown)
  expect(expectStatus(await listWebhookDeliveries(created.id, {}, by(alice)), 200).data).toEqual({
    items: [],
  })
  const rotated = expectStatus(await rotateWebhookSecret(created.id, by(alice)), 200).data
  expect(rotated.secret).not.toBe(secret)
  const disabled = expectStatus(await changeWebhook(created.id, { enabled: false }, by(alice)), 200).data
  expect(disabled).toMatchObject({ enabled: false, disabledReason: 'owner' })
  expectStatus(await deleteWebhook(created.id, by(alice)), 204)
  await expectRefusal(await getWebhook(created.id, by(alice)), 404, 'WEBHOOK_NOT_FOUND')
})

test('an event is sent in the background, and the log says how it went', async ({ alice }) => {
  const { id } = expectStatus(await createWebhook(hook, by(alice)), 201).data
  const sent = expectStatus(await testWebhook(id, {}, by(alice)), 202).data
  await vi.waitFor(async () => {
    const { items } = expectStatus(await listWebhookDeliveries(id, {}, by(alice)), 200).data
    expect(items).toMatchObject([{ id: sent.id, type: 'webhook.test', attempts: expect.any(Number) }])
    expect(items[0]?.lastError).toMatch(/^The host has no address/)
  }, patience)
  expectStatus(await deleteWebhook(id, by(alice)), 204)
}, 100_000)

test('no webhook goes to an address inside the network', async ({ alice }) => {
  for (const host of ['169.254.169.254', '10.0.0.1', '[::1]']) {
    const inside = { ...hook, url: `https://${host}/` }
    await expectRefusal(await createWebhook(inside, by(alice)), 422, 'WEBHOOK_URL_REFUSED')
  }
})

test('nobody else finds it', async ({ alice, others }) => {
  const { id } = expectStatus(await createWebhook(hook, by(alice)), 201).data
  for (const { api, refusal } of others) {
    const [status, code] = refusal ?? [404, 'WEBHOOK_NOT_FOUND']
    await expectRefusal(await getWebhook(id, by(api)), status, code)
    await expectRefusal(await deleteWebhook(id, by(api)), status, code)
  }
  expectStatus(await deleteWebhook(id, by(alice)), 204)
})
