import { expectJson, type TaskService } from '#test/kit'
import type { Page } from './orders.ts'

/** An import as the contract shows it. */
export interface Import {
  id: string
  state: 'reading' | 'placing' | 'done' | 'failed'
  rows: number
  placed: number
  refused: number
  errors: { line: number; detail: string }[]
  failure?: string
  createdAt: string
}

/** What alice does with imports. */
export async function importer(service: TaskService) {
  const alice = await service.as('alice', ['orders:read', 'orders:write'])

  function upload(
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return alice('/orders/imports', { body, headers: { 'Content-Type': 'text/csv', ...headers } })
  }

  async function begin(body: string): Promise<Import> {
    return expectJson<Import>(await upload(body), 202)
  }

  async function show({ id }: Pick<Import, 'id'>): Promise<Import> {
    return expectJson<Import>(await alice(`/orders/imports/${id}`))
  }

  /** The items of all her orders, sorted. */
  async function items(): Promise<string[]> {
    const found: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query: string = cursor && `&cursor=${cursor}`
      const page: Page = await expectJson<Page>(await alice(`/orders?limit=100${query}`))
      found.push(...page.items.map(({ item }) => item))
      cursor = page.nextCursor
    }
    return found.sort()
  }

  return { upload, begin, show, items }
}

/** A file of so many orders, each of another item. */
export function fileOf(count: number): string {
  return `item,quantity\n${itemsOf(count)
    .map((item) => `${item},2\n`)
    .join('')}`
}

/** Their items. */
export function itemsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Cup ${String(index + 1).padStart(4, '0')}`)
}
