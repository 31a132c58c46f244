import { randomUUIDv7 } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { and, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import { cursorParameter, pageOf } from '#src/runtime/database/cursor.ts'
import type { Database } from '#src/runtime/database/database.ts'
import { defineQuery, type QueryValues } from '#src/runtime/database/define-query.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { location } from '#src/runtime/http/location.ts'
import { entityTag, matchedVersions, noneMatch } from '#src/runtime/http/preconditions.ts'
import { defineProblems, Problem, problems } from '#src/runtime/kernel/problem.ts'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { type NoteRow, notesTable } from './notes-table.ts'

// The feature that the runtime's tests send their requests to: it uses all that the runtime offers, and stays
// whatever becomes of the service's own.

const noteProblems = defineProblems({ NOTE_NOT_FOUND: { status: 404, title: 'There is no such note' } })
const example = { id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f', text: 'Tea', pages: 2, status: 'open' } as const
const Status = z.enum(['open', 'closed'])
const Id = z.object({ id: z.uuid().openapi({ example: example.id }) })
const ETag = 'The version of the note'

const NewNote = z
  .strictObject({ text: z.string().min(1).max(100), pages: z.int().min(1).max(1000) })
  .openapi('NewNote', { example: { text: 'Tea', pages: 2 } })
const Note = z
  .object({ id: z.uuid(), text: z.string(), pages: z.int(), status: Status })
  .openapi('Note', { example })
const NotePage = z
  .object({ items: z.array(Note), nextCursor: z.string().optional() })
  .openapi('NotePage', { example: { items: [example] } })

/** A note as the contract shows it. */
export type Note = z.infer<typeof Note>

/** A page of notes as the contract shows it. */
export type NotePage = z.infer<typeof NotePage>

/** The scopes of all that one can do with notes. */
export const noteScopes = ['notes:read', 'notes:write']

const writeNote = defineRoute({
  method: 'post',
  path: '/notes',
  operationId: 'writeNote',
  summary: 'Write a note',
  security: ['notes:write'],
  idempotent: true,
  request: { body: jsonBody(NewNote) },
  responses: { 201: json('The note', Note, { Location: 'Where the note is', ETag }) },
})
const listNotes = defineRoute({
  method: 'get',
  path: '/notes',
  operationId: 'listNotes',
  summary: 'List one’s notes, newest first',
  security: ['notes:read'],
  request: {
    query: z.strictObject({
      limit: z.int().min(1).max(100).default(20),
      cursor: cursorParameter().optional(),
      status: Status.optional(),
    }),
  },
  responses: { 200: json('A page of notes', NotePage) },
})
const readNote = defineRoute({
  method: 'get',
  path: '/notes/{id}',
  operationId: 'readNote',
  summary: 'Read a note',
  security: ['notes:read'],
  request: { params: Id, headers: z.object({ 'if-none-match': z.string().optional() }) },
  responses: {
    200: json('The note', Note, { ETag }),
    304: { description: 'The note is still at the version in If-None-Match' },
  },
  problems: [noteProblems.NOTE_NOT_FOUND],
})
const closeNote = defineRoute({
  method: 'post',
  path: '/notes/{id}/close',
  operationId: 'closeNote',
  summary: 'Close a note',
  security: ['notes:write'],
  request: { params: Id, headers: z.object({ 'if-match': z.string().optional() }) },
  responses: { 200: json('The note, closed', Note, { ETag }) },
  problems: [noteProblems.NOTE_NOT_FOUND, problems.PRECONDITION_FAILED],
})

/** Notes to oneself: an idempotent POST, a list, a GET with an ETag by a prepared query, a POST with If-Match. */
export const notes = defineFeature({
  name: 'notes',
  description: 'Notes, each of which only its owner sees.',
  problems: noteProblems,
  routes({ database }) {
    return [
      handle(writeNote, async (c) => {
        const note = { id: randomUUIDv7(), owner: c.var.caller.subject, ...c.req.valid('json') }
        const [row] = await c.var.tx.insert(notesTable).values(note).returning()
        const { version, ...written } = row as NoteRow
        return c.json(present(written), 201, { Location: location(c, written.id), ETag: entityTag(version) })
      }),

      handle(listNotes, async (c) => {
        const { limit, cursor, status } = c.req.valid('query')
        const rows = await database
          .select()
          .from(notesTable)
          .where(
            and(
              eq(notesTable.owner, c.var.caller.subject),
              cursor ? lt(notesTable.id, cursor) : undefined,
              status ? eq(notesTable.status, status) : undefined,
            ),
          )
          .orderBy(desc(notesTable.id))
          .limit(limit + 1)
        return c.json(pageOf(rows, limit, present), 200)
      }),

      handle(readNote, async (c) => {
        const row = await findNote(database, c.var.caller.subject, c.req.valid('param').id)
        const ETag = entityTag(row.version)
        if (!noneMatch(c.req.valid('header')['if-none-match'], ETag)) return c.body(null, 304, { ETag })
        return c.json(present(row), 200, { ETag })
      }),

      handle(closeNote, async (c) => {
        const { version, id } = await findNote(database, c.var.caller.subject, c.req.valid('param').id)
        const versions = matchedVersions(c.req.valid('header')['if-match']) ?? [version]
        const [row] = await database
          .update(notesTable)
          .set({ status: 'closed', version: sql`${notesTable.version} + 1` })
          .where(and(eq(notesTable.id, id), inArray(notesTable.version, versions)))
          .returning()
        if (!row) throw new Problem(problems.PRECONDITION_FAILED)
        return c.json(present(row), 200, { ETag: entityTag(row.version) })
      }),
    ]
  },
})

const find = defineQuery((database, { owner, id }: QueryValues<Pick<NoteRow, 'owner' | 'id'>>) =>
  database
    .select()
    .from(notesTable)
    .where(and(eq(notesTable.id, id), eq(notesTable.owner, owner))),
)

/** Finds a note of its owner. */
async function findNote(database: Database, owner: string, id: string): Promise<NoteRow> {
  const [row] = await find(database, { owner, id })
  if (!row) throw new Problem(noteProblems.NOTE_NOT_FOUND)
  return row
}

function present({ id, text, pages, status }: Note): Note {
  return { id, text, pages, status }
}
