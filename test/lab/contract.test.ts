import { expect, test } from 'vitest'
import { type Contract, holdToContract, operationsOf } from '#test/kit'
import { sharedLab } from './lab.ts'

// What a fork's contract takes, its service takes, and the other way round: over HTTP, by values made from the contract.

const lab = sharedLab()

test.each(['sendValues', 'showThing', 'archiveThing', 'showPair', 'showNestedThing'])(
  '%s takes what its contract takes, and answers what it states',
  async (name) => {
    const contract = (await (await lab.api('/openapi.json')).json()) as Contract
    const operation = operationsOf(contract).find(({ operationId }) => operationId === name)
    if (!operation) throw new Error(`There is no operation ${name}`)
    const runs = name === 'sendValues' ? 200 : 40
    const { fitting, other } = await holdToContract(contract, operation, await lab.as('alice'), runs)
    expect(fitting).toBeGreaterThan(0)
    if (name === 'sendValues') expect(other).toBeGreaterThan(0)
  },
)
