import { afterEach, expect, test } from 'vitest'
import { createSecret } from '#src/webhooks/sign.ts'
import { webhooks } from '#src/webhooks/webhooks.ts'
import { expectJson, onServer, runTwice, type Scenario, type TaskService } from '#test/kit'
import { startReceiver, status } from './receiver.ts'
import { type Delivery, scopes, trial } from './trial.ts'

const service = await trial()
const { alice, subscribe, publish, drain, query } = service
const post = { method: 'POST' }

afterEach(service.clear)

test('old deliveries are deleted at night, those that are pending are not', async () => {
  const receiver = await startReceiver()
  const { id } = await subscribe(receiver.url)
  await service.tick() // the schedule starts
  await query(
    `insert into webhook_deliveries (id, webhook_id, event_id, type, body, status, next_attempt_at, created_at)
      select gen_random_uuid(), $1::uuid, gen_random_uuid(), 'a', '{}', status, due, runtime.service_now() - age
      from generate_series(1, 1200), (values ('delivered', null::timestamptz, interval '31 d')) as of (status, due, age)
      union all select gen_random_uuid(), $1::uuid, gen_random_uuid(), 'a', '{}', status, due, runtime.service_now() - age
      from (values ('failed', null, interval '31 d'), ('cancelled', null, interval '27 d'),
        ('pending', runtime.service_now() + interval '9 d', interval '31 d')) as of (status, due, age)`,
    [id],
  )
  await service.advance('1d')
  await service.tick()
  await drain({ until: '1m' })
  const left = await query('select status from webhook_deliveries order by 1')
  expect(left).toEqual([{ status: 'cancelled' }, { status: 'pending' }])
  expect((await service.ledger()).filter(({ name }) => name === 'webhooks.prune')).toHaveLength(2)
})

test('the log can be read by status, page by page', async () => {
  const receiver = await startReceiver()
  const { id } = await subscribe(receiver.url)
  for (const code of [200, 410]) {
    receiver.respond(status(code))
    await publish('order.placed')
    await drain()
  }
  const list = async (search: string) =>
    expectJson<{ items: Delivery[]; nextCursor?: string }>(
      await alice(`/webhooks/${id}/deliveries?${search}`),
    )
  expect((await list('status=failed')).items).toMatchObject([{ lastStatus: 410 }])
  expect((await list('status=delivered')).items).toMatchObject([{ lastStatus: 200 }])
  const first = await list('limit=1')
  expect(first.items).toMatchObject([{ lastStatus: 410 }])
  expect(await list(`limit=1&cursor=${first.nextCursor}`)).toMatchObject({ items: [{ lastStatus: 200 }] })
})

test('each question is answered by an index', async () => {
  await query(
    `insert into webhooks (id, owner, url, events)
      select gen_random_uuid(), 'owner ' || n, 'https://a.example.com/', '{*}' from generate_series(1, 1000) as n`,
  )
  await query(
    `insert into webhook_deliveries (id, webhook_id, event_id, type, body, status)
      select gen_random_uuid(), id, id, 'a', '{}', case n % 5 when 1 then 'failed' else 'delivered' end
      from (select id from webhooks limit 10) as few, generate_series(1, 1000) as n`,
  )
  for (const table of ['webhooks', 'webhook_deliveries']) await query(`analyze ${table}`)
  const [{ id } = {}] = await query('select webhook_id as id from webhook_deliveries limit 1')
  const planOf = async (statement: string) => JSON.stringify(await query(`explain ${statement}`, [id]))
  const ofHook = 'select * from webhook_deliveries where webhook_id = $1'
  expect(await planOf(`${ofHook} order by id desc limit 21`)).toMatch(
    /Index Scan Backward using webhook_deliveries_webhook_id/,
  )
  expect(await planOf(`${ofHook} and status = 'failed' order by id desc limit 21`)).toMatch(
    /Index Scan Backward using webhook_deliveries_webhook_status/,
  )
  expect(
    await planOf("select * from webhooks where owner = 'owner 7' and id < $1 order by id desc limit 21"),
  ).toContain('webhooks_owner_id')
  expect(
    await planOf(
      "delete from webhook_deliveries where id <> $1 and status <> 'pending' and created_at < now() - interval '30 d'",
    ),
  ).toContain('webhook_deliveries_finished')
})

const inserted = (service: TaskService, url: string) =>
  onServer(
    service.databaseUrl,
    `with hook as (
      insert into webhooks (id, owner, url, events) values (gen_random_uuid(), 'alice', $1, '{*}') returning id
    ), secret as (insert into webhook_secrets (id, webhook_id, secret) select gen_random_uuid(), id, $2 from hook)
    insert into webhook_deliveries (id, webhook_id, event_id, type, body, status, created_at)
      select gen_random_uuid(), id, gen_random_uuid(), 'a', '{}', 'failed', '2020-01-01' from hook
      returning id, webhook_id`,
    [url, fixedSecret],
  ).then(({ rows: [row] }) => row as { id: string; webhook_id: string })
const fixedSecret = createSecret()

const scenarios: Record<string, Scenario> = {
  // to an address that is refused: how long a request takes differs from run to run
  'webhooks.deliver': {
    async arrange(service) {
      const { id, webhook_id } = await inserted(service, 'https://127.0.0.1/')
      const alice = await service.as('alice', scopes)
      await expectJson(await alice(`/webhooks/${webhook_id}/deliveries/${id}/redeliver`, post), 202)
      await onServer(service.databaseUrl, 'update webhook_deliveries set attempts = 7') // this one is the last
    },
    options: { features: [webhooks] },
  },
  'webhooks.prune': {
    async arrange(service) {
      await service.tick()
      await inserted(service, 'https://127.0.0.1/')
      await service.advance('1d')
      await service.tick()
    },
    options: { features: [webhooks] },
  },
}

test.each(webhooks.tasks.map((task) => [task.name, task] as const))(
  '%s may run twice',
  async (name, task) => {
    const scenario = scenarios[name]
    if (!scenario) throw new Error(`How is ${name} enqueued? Add a scenario.`)
    await runTwice(task, scenario)
  },
)
