import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandLine, gcloudIsInstalled, judgeable, refusals } from '#test/support/gcloud.ts'
import { parsePage, readPages } from '#test/support/pages.ts'
import { commandsIn, shellOf } from './gcloud-commands.ts'

const setup = 'deploy/setup'
const documented = readPages().flatMap((page) => commandsIn(shellOf(page)))

/** What it would run for a project. */
function commandsOfSetup(): string[] {
  const output = execFileSync(setup, ['--project', 'my-project', '--dry-run'], {
    encoding: 'utf8',
  })
  return commandsIn(output.replaceAll(/^(?!gcloud ).*$/gm, ''))
}

test('the commands of shell code are found, with plausible values', () => {
  const shell = [
    '# gcloud is not run here',
    'gcloud run deploy NAME --region "$REGION" \\',
    "  --project PROJECT --filter='a | b; c' # PROJECT is yours",
    'URL=$(gcloud run services describe ORDERS_ID --project=PROJECT_ID) && ./gcloud no | gcloud tasks list>file',
  ]
  const markdown = ['gcloud no', '```ts', 'gcloud no', '```', '```sh', ...shell, '```', ''].join('\n')
  expect(commandsIn(shellOf(parsePage('a.md', markdown)))).toEqual([
    `gcloud run deploy NAME --region "europe-west1" --project my-project --filter='a | b; c'`,
    'gcloud run services describe 0193 --project=my-project',
    'gcloud tasks list',
  ])
  expect(commandLine(['a', '--b=c d', "it's"])).toBe(`gcloud a '--b=c d' 'it'"'"'s'`)
})

if (gcloudIsInstalled) {
  test('every command of the documentation and of the set-up is one that gcloud takes', async ({
    annotate,
  }) => {
    const commands = [...documented, ...(existsSync(setup) ? commandsOfSetup() : [])]
    expect(commands).not.toEqual([])
    const { version, known, leftOut } = await judgeable(commands)
    for (const line of leftOut) await annotate(`gcloud ${version} is too old for: ${line}`)
    expect(await refusals(known)).toEqual([])
  }, 120_000)

  test('a command that gcloud would not take is refused, with its reason', async () => {
    const flag = 'gcloud run deploy orders --imagee=x'
    const group = 'gcloud run servces list'
    const number = 'gcloud tasks queues create orders --location=europe-west1 --max-attempts=many'
    const good = 'gcloud run deploy orders --image=x --region=europe-west1'
    expect(await refusals([flag, good, group, number])).toEqual([
      expect.stringMatching(/^gcloud run deploy orders --imagee=x\n {2}unrecognized arguments: --imagee=x/),
      `${group}\n  Invalid choice: 'servces'`,
      expect.stringMatching(/max-attempts/),
    ])
  })
}
