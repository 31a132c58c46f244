import { expect, test } from 'vitest'
import { orders } from '#src/orders/orders.ts'
import { as, type Contract, client, expectJson, holdToContract, operationsOf, testServer } from '#test/kit'

// What the contract takes, the service takes, and the other way round: over HTTP, by values made from the contract.

const { api, url } = await testServer({ features: [orders] })
const contract = await expectJson<Contract>(await api('/openapi.json'))
const everything = ['orders:read', 'orders:write', 'runtime:admin']

test.each(operationsOf(contract).map((operation) => [operation.operationId, operation] as const))(
  '%s takes what its contract takes, and answers what it states',
  async (_name, operation) => {
    const send = client(url, await as('alice', everything))
    const { fitting } = await holdToContract(contract, operation, send, 60)
    expect(fitting).toBeGreaterThan(0)
  },
)
