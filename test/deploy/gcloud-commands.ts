import type { Page } from '#test/support/pages.ts'

/** What stands for a value of the reader's own. A shell's variable of such a name is one as well. */
const placeholders: Readonly<Record<string, string>> = {
  PROJECT: 'my-project',
  PROJECT_ID: 'my-project',
  PROJECT_NUMBER: '123456789012',
  REGION: 'europe-west1',
  INSTANCE: 'my-project:europe-west1:runway',
  REVISION: 'runway-live-00002-abc',
  DIGEST: `sha256:${'0'.repeat(64)}`,
  VERSION: 'POSTGRES_17',
  TOKEN: 'e30.e30.sig',
  URL: 'https://runway-live-123456789012.europe-west1.run.app',
}

/** The shell code of a page: its blocks that say `sh`. */
export function shellOf({ blocks }: Page): string {
  return blocks.flatMap(({ language, text }) => (language === 'sh' ? [text] : [])).join('')
}

/**
 * The gcloud commands in shell code, each on one line, with plausible values in place of what is the reader's own:
 * `PROJECT`, `ORDERS_ID`, `$REGION`. Pipes, comments and redirections around them are left out.
 */
export function commandsIn(shell: string): string[] {
  const joined = shell.replaceAll(/ *\\\n */g, ' ').replaceAll(/^ *#.*$/gm, '')
  const commands = joined.matchAll(/(?<![\w./-])gcloud (?:'[^']*'|"[^"]*"|[^'"|;&)\n#<>])+/g)
  return Array.from(commands, ([command]) => fill(command.trim()))
}

function fill(command: string): string {
  const known = (name: string) => placeholders[name] ?? (name.endsWith('_ID') ? '0193' : undefined)
  return command
    .replaceAll(/\$\{?(\w+)\}?/g, (_variable, name: string) => known(name) ?? name.toLowerCase())
    .replaceAll(/(?<![\w$=-])[A-Z][A-Z_]+(?!\w)|(?<==)[A-Z][A-Z_]+(?!\w)/g, (name) => known(name) ?? name)
}
