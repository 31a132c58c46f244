import { Injectable } from '@nestjs/common'
import pg from 'pg'
import {
  createTaskCall,
  fromCursor,
  newIds,
  type OrderRow,
  statements,
  toCursor,
} from '../common/statements.ts'

@Injectable()
export class OrdersService {
  private readonly pool: pg.Pool

  constructor(pool: pg.Pool) {
    this.pool = pool
  }

  async find(owner: string, id: string): Promise<OrderRow | undefined> {
    const { rows } = await this.pool.query<OrderRow>(statements.find, [id, owner])
    return rows[0]
  }

  async list(owner: string, limit: number, cursor?: string) {
    const { rows } = cursor
      ? await this.pool.query<OrderRow>(statements.listAfter, [owner, limit + 1, fromCursor(cursor)])
      : await this.pool.query<OrderRow>(statements.list, [owner, limit + 1])
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { rows: page, nextCursor: rows.length > limit && last ? toCursor(last.id) : undefined }
  }

  async place(
    owner: string,
    order: { item: string; quantity: number },
    requestId: string,
  ): Promise<OrderRow> {
    const { orderId, taskId } = newIds()
    const client = await this.pool.connect()
    let row: OrderRow | undefined
    let dueAt = new Date()
    try {
      await client.query('begin')
      const values = [taskId, JSON.stringify({ orderId }), requestId, null, owner, 'bench']
      const task = await client.query<{ due_at: Date }>(statements.insertTask, values)
      dueAt = task.rows[0]?.due_at ?? dueAt
      const given = [orderId, owner, order.item, order.quantity, taskId]
      row = (await client.query<OrderRow>(statements.insertOrder, given)).rows[0]
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    } finally {
      client.release()
    }
    const { url, body } = createTaskCall(taskId, dueAt)
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`Cloud Tasks: ${response.status}`)
    await this.pool.query(statements.markQueued, [taskId])
    return row as OrderRow
  }
}
