import { execFileSync } from 'node:child_process'

/**
 * Sends what a printed `curl` line would send, as a shell reads that line; `curl` itself need not be installed.
 *
 * @param printed the text that holds the line
 * @returns the status line, the headers' names and values, and the body, as `curl -i` prints them
 */
export async function pasteCurl(printed: string): Promise<string> {
  const line = printed.split('\n').find((text) => text.startsWith('curl ')) ?? 'false'
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }\n${line}`
  const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
  const url = words.find((word) => /^https?:/.test(word)) ?? ''
  const after = (flag: string) =>
    words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ''] : []))
  const headers = after('-H').map((header): [string, string] => {
    const [name = '', ...value] = header.split(':')
    return [name, value.join(':').trim()]
  })
  const [body] = after('-d')
  const response = await fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body })
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${response.status} ${response.statusText}`, ...lines, '', await response.text()].join(
    '\n',
  )
}
