import { expect, test } from 'vitest'
import { webhooks } from '#src/webhooks/webhooks.ts'
import { as, type Contract, client, expectJson, holdToContract, operationsOf, testServer } from '#test/kit'
import { scopes } from './trial.ts'

// What the contract takes, the service takes, and the other way round: over HTTP, by values made from the contract.

const { api, url } = await testServer({ features: [webhooks] })
const contract = await expectJson<Contract>(await api('/openapi.json'))
const operations = operationsOf(contract).filter(({ path }) => path.startsWith('/webhooks'))

test.each(operations.map((operation) => [operation.operationId, operation] as const))(
  '%s takes what its contract takes, and answers what it states',
  async (_name, operation) => {
    const send = client(url, await as('alice', scopes))
    const { fitting } = await holdToContract(contract, operation, send, 30)
    expect(fitting).toBeGreaterThan(0)
  },
)
