import { mkdir, writeFile } from 'node:fs/promises'
import { ContractError, generateClient, runtimeSender } from './client/generate.ts'
import { findContract } from './client/read-contract.ts'

// `npm run client -- NAME URL_OR_FILE`: writes a typed client of another service's contract to openapi/clients/NAME.ts.

const usage =
  'Usage: npm run client -- NAME URL_OR_FILE, such as: npm run client -- billing https://billing.example.com/openapi.json'
const [name = '', place = '', ...others] = process.argv.slice(2)

try {
  if (!name || !place || others.length > 0) throw new ContractError(usage)
  if (!/^[a-z][a-z\d-]*$/.test(name))
    throw new ContractError(
      `"${name}" cannot name a client: write small letters, digits and -, such as billing.\n${usage}`,
    )
  const contract = await findContract(place)
  const client = await generateClient(contract, runtimeSender, `npm run client -- ${name} ${place}`)
  await mkdir('openapi/clients', { recursive: true })
  await writeFile(`openapi/clients/${name}.ts`, client)
  console.log(`openapi/clients/${name}.ts is written. Import from '#openapi/clients/${name}.ts'.`)
} catch (error) {
  if (!(error instanceof ContractError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
